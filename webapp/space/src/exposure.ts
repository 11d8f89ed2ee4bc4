// An officer's exposure: counts, weighted load and patterns, computed in the browser. Twin of
// `appliance/kit/exposure.py`.
//
// Owns: pure functions over contributions. The model (`appliance/rules/exposure.json`) holds every number and its
// reason. Nothing computed here leaves this browser. Load at time t: sum of weight(type) * factor(role) * 2^(-age /
// half-life).

import modelJson from "../../../appliance/rules/exposure.json";
import { hex, sha256 } from "./bytes.js";
import { canonical } from "./crypto/canonical.js";

/**
 * One call of one officer: received `at` (ISO UTC), canonical `type`, `role`; `gone` withdraws it. `minutes` on the
 * call, null while no end is known; `hour` and `shift_day` on the agency's clock, of when the person's part began.
 * Earlier contributions have neither, and 0 minutes where no end is known.
 */
export interface Contribution {
  readonly id: string;
  readonly at: string;
  readonly type: string;
  readonly role: string;
  readonly minutes: number | null;
  readonly revision: number;
  readonly gone: boolean;
  readonly hour?: number | null;
  readonly shift_day?: string | null;
}

/** How many contributions of each type a month had. Two sessions may fold the same month: readers take the larger. */
export interface ExposureMonth {
  readonly month: string;
  readonly counts: Readonly<Record<string, number>>;
}

export interface Summary {
  /** Weighing calls in the last "7", "30", "90", "365" days, and "career". */
  readonly counts: Readonly<Record<string, number>>;
  readonly load: number;
  /** What each pattern counts. */
  readonly patterns: Readonly<Record<PatternName, number>>;
  /** The names of the patterns that reach the model's threshold. */
  readonly found: readonly PatternName[];
  /** The heavy type that came most often within the days of that pattern; "" when none did. */
  readonly same_kind: string;
}

export type PatternName = keyof typeof modelJson.patterns;

export interface IncidentType {
  readonly id: string;
  readonly title: string;
  readonly weight: number;
  readonly why: string;
  readonly source: string;
  readonly heavy: boolean;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
export const model = modelJson;
export const patternNames = Object.keys(model.patterns) as PatternName[];
const types = new Map<string, IncidentType>(model.types.map((type) => [type.id, type]));
const roles = model.roles as Readonly<Record<string, { readonly factor: string; readonly title: string }>>;

/**
 * SHA-256 (hex) of the model's canonical JSON: what `wardwell exposure model show` prints of the appliance's own copy.
 */
export async function modelDigest(): Promise<string> {
  return hex(await sha256(canonical(model)));
}

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
  // Thousands of calls: each time is read once, not at each comparison.
  return [...newest.values()]
    .filter((contribution) => !contribution.gone)
    .map((contribution) => ({ contribution, time: Date.parse(contribution.at) }))
    .sort((a, b) => a.time - b.time || (a.contribution.id < b.contribution.id ? -1 : 1))
    .map(({ contribution }) => contribution);
}

/** The contributions without those whose ids the officer set aside ("I was not there"). */
export function without(contributions: readonly Contribution[], notThere: ReadonlySet<string>): Contribution[] {
  return contributions.filter(({ id }) => !notThere.has(id));
}

/** How a call counts at a given time; the load is the sum of these. */
export interface Counted {
  readonly contribution: Contribution;
  readonly weight: number;
  readonly factor: number;
  readonly days: number;
  /** 2^(-days / half-life) */
  readonly decay: number;
  /** weight * factor * decay */
  readonly counts: number;
}

/** Each call that weighs at `at`, oldest first, with everything that its part in the load is made of. */
export function counted(contributions: readonly Contribution[], at: Date): Counted[] {
  return weighing(contributions, at).map((contribution) => {
    const days = (at.getTime() - Date.parse(contribution.at)) / DAY_MS;
    const decay = decayOver(days);
    const weight = types.get(contribution.type)?.weight ?? 0;
    const factor = Number(roles[contribution.role]?.factor ?? 0);
    return { contribution, weight, factor, days, decay, counts: weightOf(contribution) * decay };
  });
}

const decayOver = (days: number): number => 2 ** (-days / model.half_life_days);

/** A load as it is shown, in thousandths. */
const rounded = (load: number): number => Math.floor(load * 1000 + 0.5) / 1000;

/** How much one contribution weighs by itself, before any decay: weight times role factor; 0 when it does not count. */
export function weightOf({ type, role }: Contribution): number {
  return (types.get(type)?.weight ?? 0) * Number(roles[role]?.factor ?? 0);
}

/** The contributions that weigh at all and are not in the future, oldest first. */
export function weighing(contributions: readonly Contribution[], at: Date): Contribution[] {
  return current(contributions).filter((c) => weightOf(c) > 0 && Date.parse(c.at) <= at.getTime());
}

/** A call's place on the agency's clock: its hour, and its shift day as a number (days since 1970). */
interface Place {
  readonly hour: number;
  readonly day: number;
}

// From `at` for contributions that do not say them.
function placeOf({ at, hour, shift_day }: Contribution, clock: Intl.DateTimeFormat): Place {
  if (hour != null && shift_day != null) return { hour, day: Math.round(Date.parse(shift_day) / DAY_MS) };
  const parts = clock.formatToParts(Date.parse(at)).map(({ type, value }) => [type, Number(value)] as const);
  const local = Object.fromEntries(parts);
  const date = Math.round(Date.UTC(local.year ?? 0, (local.month ?? 1) - 1, local.day ?? 1) / DAY_MS);
  const localHour = local.hour ?? 0;
  return { hour: localHour, day: localHour < model.shift_day.from_hour ? date - 1 : date };
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

// Of each shift day in order: when its first call came in, and when the last one ended as far as is known.
function spansOf(calls: readonly Contribution[], clock: Intl.DateTimeFormat): { first: number; last: number }[] {
  const spans = new Map<number, { first: number; last: number }>();
  for (const call of calls) {
    const { day } = placeOf(call, clock);
    const at = Date.parse(call.at);
    const known = spans.get(day) ?? { first: at, last: at };
    const end = at + (call.minutes ?? 0) * MINUTE_MS;
    spans.set(day, { first: Math.min(known.first, at), last: Math.max(known.last, end) });
  }
  return [...spans].sort(([a], [b]) => a - b).map(([, span]) => span);
}

// What each pattern counts, and the heavy type that came most often.
function patternsOf(own: readonly Contribution[], at: Date, timeZone: string): Pick<Summary, "patterns" | "same_kind"> {
  const options = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", hourCycle: "h23" } as const;
  const clock = new Intl.DateTimeFormat("en-US", { timeZone, ...options });
  const { heavy_week, same_kind, nights, long_days, short_turnarounds: short } = model.patterns;
  const within = (days: number) => own.filter((call) => at.getTime() - Date.parse(call.at) < days * DAY_MS);
  const heavy = (days: number) => within(days).filter(({ type }) => types.get(type)?.heavy);

  const kinds = new Map<string, number>();
  for (const { type } of heavy(same_kind.days)) kinds.set(type, (kinds.get(type) ?? 0) + 1);
  const [same, times] = [...kinds].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))[0] ?? ["", 0];
  const dark = within(nights.days)
    .map((call) => placeOf(call, clock))
    .filter(({ hour }) => hour >= nights.from_hour || hour < nights.to_hour);
  const days = spansOf(within(short.days), clock);
  const between = days.slice(1).map(({ first }, i) => first - (days[i]?.last ?? first));
  return {
    patterns: {
      heavy_week: heavy(heavy_week.days).length,
      same_kind: times,
      nights: longestRun(new Set(dark.map(({ day }) => day))),
      long_days: spansOf(within(long_days.days), clock).filter(
        ({ first, last }) => last - first >= long_days.hours * HOUR_MS,
      ).length,
      short_turnarounds: between.filter((gap) => gap >= short.from_hours * HOUR_MS && gap <= short.most_hours * HOUR_MS)
        .length,
    },
    same_kind: same,
  };
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
  const counts: Record<string, number> = { career: foldedCareer(folded) };
  for (const days of model.windows_days) counts[String(days)] = 0;
  let load = 0;
  const own = counted(contributions, at);
  for (const { contribution, counts: part } of own) {
    const age = at.getTime() - Date.parse(contribution.at);
    for (const days of model.windows_days) if (age < days * DAY_MS) counts[days] = (counts[days] ?? 0) + 1;
    counts.career = (counts.career ?? 0) + 1;
    load += part;
  }
  const { patterns, same_kind } = patternsOf(
    own.map(({ contribution }) => contribution),
    at,
    timeZone,
  );
  return {
    counts,
    load: rounded(load),
    patterns,
    found: patternNames.filter((name) => patterns[name] >= model.patterns[name].least),
    same_kind,
  };
}

// Two sessions may have folded the same month: the larger count of each type is the right one.
function foldedCareer(folded: readonly ExposureMonth[]): number {
  const most = new Map<string, number>();
  for (const { month, counts } of folded) {
    for (const [type, count] of Object.entries(counts)) {
      if ((typeOf(type)?.weight ?? 0) > 0)
        most.set(`${month} ${type}`, Math.max(most.get(`${month} ${type}`) ?? 0, count));
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
  const own = weighing(contributions, at).map((call) => ({ time: Date.parse(call.at), weight: weightOf(call) }));
  const [year = 0, month = 1] = monthOf(at.getTime()).split("-").map(Number);
  // Finding a call's month is slow, so it is done only for this year's calls, not for a whole career's.
  const begin = Date.UTC(year, month - 12, 1) - 2 * DAY_MS;
  const calls = new Map<string, number>();
  for (const { time } of own) {
    const name = time < begin ? "" : monthOf(time);
    calls.set(name, (calls.get(name) ?? 0) + 1);
  }
  return Array.from({ length: 12 }, (_, i) => {
    const name = new Date(Date.UTC(year, month - 12 + i, 1)).toISOString().slice(0, 7);
    const end = Math.min(at.getTime(), Date.UTC(year, month - 11 + i, 1));
    let load = 0;
    for (const { time, weight } of own) if (time <= end) load += weight * decayOver((end - time) / DAY_MS);
    return { month: name, calls: calls.get(name) ?? 0, load: rounded(load) };
  });
}
