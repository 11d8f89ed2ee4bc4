// Makes room in a full vault: old exposure contributions are folded into counts per month.
//
// Owns: which records may be folded. Only contributions that the intake no longer holds (so that no revision of them can
// arrive) are; what is left of them is how many of which type in which month, which is all that career counts need.

import { charter } from "../constants.js";
import type { Records } from "../context.js";
import type { Contribution } from "../exposure.js";

/** How many contributions of each type a month had. Two sessions may fold the same month: readers take the larger. */
export interface ExposureMonth {
  readonly month: string;
  readonly counts: Readonly<Record<string, number>>;
}

/** Fold every contribution older than the charter's involvement window. */
export function compact(records: Records, now: Date): void {
  const limit = new Date(now.getTime() - charter.constants.involvement_days * 86_400_000).toISOString();
  const months = new Map<string, Record<string, number>>();
  for (const { id, body } of records.all<Contribution>("exposure")) {
    if (body.at >= limit) continue;
    const counts = months.get(body.at.slice(0, 7)) ?? {};
    counts[body.type] = (counts[body.type] ?? 0) + 1;
    months.set(body.at.slice(0, 7), counts);
    records.remove(id);
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
