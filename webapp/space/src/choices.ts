// The officer's choices: whether to write to a peer when calls pile up, whom never to involve, and quiet time.
//
// Owns: the records "choice-reach-out", "choice-never", "choice-quiet" and "reached-out". They lie in the vault alone
// and are applied in this browser alone. A choice changes what is inside a cell that leaves anyway, never the number,
// size or time of a request. Must never see: the network.

import { attended } from "./adjustments.js";
import type { Context, Records } from "./context.js";
import { summarize } from "./exposure.js";
import { startThread } from "./post/threads.js";
import type { Supporter } from "./site.js";

/** Reaching out ends by itself after at most this many months. */
export const MOST_MONTHS = 6;
/** Days between two messages, at least. */
export const EVERY_DAYS = 30;
/** Fits into one cell, so that the message leaves whole. */
export const MOST_LETTERS = 1000;
const DAY_MS = 86_400_000;

/** "A peer may be written to": until when (ISO time), to whom (directory number), and exactly what. */
export interface ReachOut {
  readonly until: string;
  readonly number: number;
  readonly alias: string;
  readonly text: string;
}

// The latest decision holds, even if two sessions decided at once; so "off" is stored as a record too.
function drop(records: Records, type: string): void {
  for (const { id } of records.all(type)) records.remove(id);
}

const latest = <T>(records: Records, type: string): T | undefined => records.all<T>(type).at(-1)?.body;

/** `months` after `now`, as an ISO time. */
export function monthsLater(now: Date, months: number): string {
  const then = new Date(now);
  then.setUTCMonth(then.getUTCMonth() + months);
  return then.toISOString();
}

/** The choice in force at `now`, or null: it starts switched off, and is off again after its end. */
export function reachOutChoice(records: Records, now: Date): ReachOut | null {
  const body = latest<ReachOut>(records, "choice-reach-out");
  return body && body.until > now.toISOString() ? body : null;
}

/** Switch it on. Throws RangeError if the end is past or too far away, or the message empty or too long. */
export function allowReachOut(records: Records, now: Date, choice: ReachOut): void {
  const fits = choice.text.trim() !== "" && choice.text.length <= MOST_LETTERS;
  if (!fits || choice.until <= now.toISOString() || choice.until > monthsLater(now, MOST_MONTHS))
    throw new RangeError();
  drop(records, "choice-reach-out");
  records.put<ReachOut>("choice-reach-out", choice);
}

export function endReachOut(records: Records): void {
  drop(records, "choice-reach-out");
  records.put<ReachOut>("choice-reach-out", { until: "", number: 0, alias: "", text: "" });
}

interface Never {
  readonly number: number;
  readonly on: boolean;
}

/** Directory numbers of the people who must never be shown or involved. */
export function never(records: Records): ReadonlySet<number> {
  const out = new Set<number>();
  for (const { body } of records.all<Never>("choice-never")) body.on ? out.add(body.number) : out.delete(body.number);
  return out;
}

/** Never involve the supporter `number`, or involve them again. */
export function setNever(records: Records, number: number, on: boolean): void {
  for (const { id, body } of records.all<Never>("choice-never")) if (body.number === number) records.remove(id);
  records.put<Never>("choice-never", { number, on });
}

/** The supporters of the signed list that this officer wants to be shown. */
export function shownSupporters(ctx: Context): Supporter[] {
  const out = never(ctx.vault);
  return ctx.keylist?.supporters.filter(({ number }) => !out.has(number)) ?? [];
}

/** Until when (ISO time) nothing is suggested and nobody is written to; null when there is no such time. */
export function quietUntil(records: Records, now: Date): string | null {
  const until = latest<{ until: string }>(records, "choice-quiet")?.until;
  return until && until > now.toISOString() ? until : null;
}

/** Quiet until `until`; null ends it. */
export function setQuiet(records: Records, until: string | null): void {
  drop(records, "choice-quiet");
  records.put("choice-quiet", { until: until ?? "" });
}

/** Whether the officer's exposure page shows a pattern now: the same sums, the same thresholds. */
export function isHeavy(ctx: Context): boolean {
  return summarize(attended(ctx.vault), ctx.now(), ctx.site.time_zone).found.length > 0;
}

/** Once per session, after the exposure is computed: queue the message if all conditions of the choice are met. */
export async function reachOut(ctx: Context): Promise<void> {
  const [{ vault }, now] = [ctx, ctx.now()];
  const choice = reachOutChoice(vault, now);
  const to = shownSupporters(ctx).find(({ number, role }) => number === choice?.number && role === "peer");
  const since = new Date(now.getTime() - EVERY_DAYS * DAY_MS).toISOString();
  const lately = vault.all("reached-out").some(({ at }) => at > since);
  if (!choice || !to || lately || quietUntil(vault, now) || !isHeavy(ctx)) return;
  drop(vault, "reached-out");
  vault.put("reached-out", {});
  await startThread(ctx, to, choice.alias, choice.text);
}
