// What the officer's browser adds up: counts, weighted load and patterns. Twin of `appliance/kit/exposure.py`.
//
// Owns: pure functions over contributions. The model (`appliance/model/exposure.json`) holds every number and its reason.
// Nothing computed here leaves this browser. Load at time t: sum of weight(type) * factor(role) * 2^(-age / half-life).

import modelJson from "../../../appliance/model/exposure.json";
import type { ExposureMonth } from "./vault/compact.js";

/** One call of one officer: `at` ISO UTC, canonical `type`, `role`, `minutes` on the call; `gone` withdraws it. */
export interface Contribution {
  readonly id: string;
  readonly at: string;
  readonly type: string;
  readonly role: string;
  readonly minutes: number;
  readonly revision: number;
  readonly gone: boolean;
}

export interface Summary {
  /** Weighing calls in the last "7", "30", "90", "365" days, and "career". */
  readonly counts: Readonly<Record<string, number>>;
  readonly load: number;
  readonly heavy_week: boolean;
  readonly nights_in_a_row: number;
  readonly nights: boolean;
}

export interface IncidentType {
  readonly id: string;
  readonly title: string;
  readonly weight: number;
  readonly why: string;
  readonly source: string;
  readonly heavy: boolean;
}

const DAY_MS = 86_400_000;
export const model = modelJson;
const types = new Map<string, IncidentType>(model.types.map((type) => [type.id, type]));
const roles = model.roles as Readonly<Record<string, { readonly factor: string; readonly title: string }>>;

/** The canonical type, or undefined: an unknown type weighs nothing. */
export function typeOf(id: string): IncidentType | undefined {
  return types.get(id);
}

/** Title of a type, in words. */
export function titleOf(id: string): string {
  return types.get(id)?.title ?? "Another kind of call";
}

/** Title of a role at a call. */
export function roleTitle(role: string): string {
  return roles[role]?.title ?? role;
}

/** The citation behind a source's key. */
export function sourceOf(key: string): string {
  return (model.sources as Readonly<Record<string, string>>)[key] ?? key;
}

/** The newest revision of each, without those withdrawn, ordered by time and id. */
export function current(contributions: readonly Contribution[]): Contribution[] {
  const newest = new Map<string, Contribution>();
  for (const contribution of contributions) {
    const known = newest.get(contribution.id);
    if (!known || contribution.revision > known.revision) newest.set(contribution.id, contribution);
  }
  return [...newest.values()]
    .filter((contribution) => !contribution.gone)
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || (a.id < b.id ? -1 : 1));
}

/** How much one contribution weighs by itself, before any decay: weight times role factor; 0 when it does not count. */
export function weightOf({ type, role }: Contribution): number {
  const found = roles[role];
  return found ? (types.get(type)?.weight ?? 0) * Number(found.factor) : 0;
}

/** The contributions that weigh at all and are not in the future, oldest first. */
export function weighing(contributions: readonly Contribution[], at: Date): Contribution[] {
  return current(contributions).filter((c) => weightOf(c) > 0 && Date.parse(c.at) <= at.getTime());
}

// The agency-local night that a time belongs to, as a day number (days since 1970), or null by day.
function nightOf(at: number, clock: Intl.DateTimeFormat): number | null {
  const parts = Object.fromEntries(clock.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0 } = parts;
  const date = Math.round(Date.UTC(year, month - 1, day) / DAY_MS);
  const { from_hour, to_hour } = model.patterns.nights;
  if (hour >= from_hour) return date;
  return hour < to_hour ? date - 1 : null;
}

function longestRun(nights: ReadonlySet<number>): number {
  let [longest, run] = [0, 0];
  let before: number | null = null;
  for (const night of [...nights].sort((a, b) => a - b)) {
    run = before !== null && night - before === 1 ? run + 1 : 1;
    longest = Math.max(longest, run);
    before = night;
  }
  return longest;
}

/**
 * What the officer sees at time `at`. Contributions after `at` and unknown types count for nothing. `folded` are months
 * whose calls were folded into counts when the vault was compacted: they count for the career only.
 */
export function summarize(
  contributions: readonly Contribution[],
  at: Date,
  timeZone: string,
  folded: readonly ExposureMonth[] = [],
): Summary {
  const options = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", hourCycle: "h23" } as const;
  const clock = new Intl.DateTimeFormat("en-US", { timeZone, ...options });
  const { heavy_week: week, nights: pattern } = model.patterns;
  const counts: Record<string, number> = { career: foldedCareer(folded) };
  for (const days of model.windows_days) counts[String(days)] = 0;
  let [load, heavy] = [0, 0];
  const nights = new Set<number>();
  for (const contribution of weighing(contributions, at)) {
    const age = at.getTime() - Date.parse(contribution.at);
    for (const days of model.windows_days) if (age < days * DAY_MS) counts[days] = (counts[days] ?? 0) + 1;
    counts.career = (counts.career ?? 0) + 1;
    load += weightOf(contribution) * 2 ** (-(age / DAY_MS) / model.half_life_days);
    if (typeOf(contribution.type)?.heavy && age < week.days * DAY_MS) heavy += 1;
    const night = age < pattern.days * DAY_MS ? nightOf(Date.parse(contribution.at), clock) : null;
    if (night !== null) nights.add(night);
  }
  const run = longestRun(nights);
  return {
    counts,
    load: Math.floor(load * 1000 + 0.5) / 1000,
    heavy_week: heavy >= week.calls,
    nights_in_a_row: run,
    nights: run >= pattern.nights,
  };
}

// Two sessions may have folded the same month: of each type the larger count holds.
function foldedCareer(folded: readonly ExposureMonth[]): number {
  const most = new Map<string, number>();
  for (const { month, counts } of folded) {
    for (const [type, count] of Object.entries(counts)) {
      if ((typeOf(type)?.weight ?? 0) > 0) most.set(`${month} ${type}`, Math.max(most.get(`${month} ${type}`) ?? 0, count));
    }
  }
  return [...most.values()].reduce((sum, count) => sum + count, 0);
}

export interface Month {
  /** "2026-11" */
  readonly month: string;
  readonly calls: number;
  /** The load at the month's end (midnight UTC, hours off the agency's), or at `at` for the present month. */
  readonly load: number;
}

/** The last twelve agency-local months, oldest first: weighing calls in each, and the load at its end. */
export function lastYear(contributions: readonly Contribution[], at: Date, timeZone: string): Month[] {
  const clock = new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit" });
  const monthOf = (time: number) => clock.format(time).slice(0, 7);
  const own = weighing(contributions, at);
  const [year = 0, month = 1] = monthOf(at.getTime()).split("-").map(Number);
  return Array.from({ length: 12 }, (_, i) => {
    const first = new Date(Date.UTC(year, month - 12 + i, 1));
    const name = first.toISOString().slice(0, 7);
    const end = new Date(Math.min(at.getTime(), Date.UTC(year, month - 11 + i, 1)));
    const calls = own.filter((contribution) => monthOf(Date.parse(contribution.at)) === name).length;
    return { month: name, calls, load: summarize(own, end, timeZone).load };
  });
}
