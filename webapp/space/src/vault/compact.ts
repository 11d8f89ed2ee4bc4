// Makes room in a full vault: old exposure contributions are folded into counts per month.
//
// Owns: which records may be folded. Only contributions that the intake no longer holds (so that no revision of them
// can arrive) are; what is left of them is how many of which type in which month, which is all that career counts need.

import { attended, countAgain, notThere } from "../adjustments.js";
import { charter } from "../constants.js";
import type { Records } from "../context.js";
import type { Contribution, ExposureMonth } from "../exposure.js";

/** The time before which the intake holds no call any more. */
export function foldsBefore(now: Date): string {
  return new Date(now.getTime() - charter.constants.involvement_days * 86_400_000).toISOString();
}

/** Fold every contribution older than the charter's involvement window. */
export function compact(records: Records, now: Date): void {
  const limit = foldsBefore(now);
  const months = new Map<string, Record<string, number>>();
  const aside = notThere(records);
  const counting = new Set(attended(records).map(({ id }) => id));
  for (const { id, body } of records.all<Contribution>("exposure")) {
    if (body.at >= limit) continue;
    records.remove(id);
    // Set aside by the officer: what it was is forgotten together with the call.
    if (aside.has(body.id)) countAgain(records, body.id);
    // Withdrawn or set aside, or another session's copy of one that was counted: not a call of the career.
    if (!counting.delete(body.id)) continue;
    const counts = months.get(body.at.slice(0, 7)) ?? {};
    counts[body.type] = (counts[body.type] ?? 0) + 1;
    months.set(body.at.slice(0, 7), counts);
  }
  for (const [month, counts] of months) {
    const before: Record<string, number> = {};
    for (const { id, body } of records.all<ExposureMonth>("exposure-month").filter((r) => r.body.month === month)) {
      for (const [type, count] of Object.entries(body.counts)) before[type] = Math.max(before[type] ?? 0, count);
      records.remove(id);
    }
    for (const [type, count] of Object.entries(before)) counts[type] = (counts[type] ?? 0) + count;
    records.put<ExposureMonth>("exposure-month", { month, counts });
  }
}
