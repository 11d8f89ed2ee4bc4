// The officer's choices: whether a peer is written to when calls pile up, who is never to be involved, and quiet.
//
// Owns: the records "choice-reach-out", "choice-never", "choice-quiet" and "reached-out". They lie in the vault alone and are
// applied in this browser alone. A choice changes what is inside a cell that leaves anyway, never the number, size or time
// of a request. Must never see: the network.

import { attended } from "./adjustments.js";
import type { Context, Records } from "./context.js";
import { summarize } from "./exposure.js";
import { startThread } from "./post/threads.js";
import type { Supporter } from "./site.js";

/** It ends by itself: for this many months at most it can be switched on. */
export const MOST_MONTHS = 6;
/** From one message to the next, at least. */
export const EVERY_DAYS = 30;
/** Fits into one cell, so that it leaves whole. */
export const MOST_LETTERS = 1000;
const DAY_MS = 86_400_000;

/** "A peer may be written to": until when (ISO time), to whom (directory number), and exactly what. */
export interface ReachOut {
  readonly until: string;
  readonly number: number;
  readonly alias: string;
  readonly text: string;
}

// What was decided last holds, also where two sessions decided at once; so "off" is put as a record too.
function drop(records: Records, type: string): void {
  for (const { id } of records.all(type)) records.remove(id);
}

const decided = <T>(records: Records, type: string): T | undefined => records.all<T>(type).at(-1)?.body;

/** `months` after `now`, as an ISO time. */
export function monthsLater(now: Date, months: number): string {
  const then = new Date(now);
  then.setUTCMonth(then.getUTCMonth() + months);
  return then.toISOString();
}

/** What is switched on at `now`, or null: off is how it begins, and what it goes back to at its end. */
export function reachOutChoice(records: Records, now: Date): ReachOut | null {
  const body = decided<ReachOut>(records, "choice-reach-out");
  return body && body.until > now.toISOString() ? body : null;
}

/** Switch it on. Throws RangeError for an end that is too far or past, or a message that is empty or too long. */
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

/** Directory numbers of those who are never to be shown or involved. */
export function never(records: Records): ReadonlySet<number> {
  const out = new Set<number>();
  for (const { body } of records.all<Never>("choice-never")) body.on ? out.add(body.number) : out.delete(body.number);
  return out;
}

/** Involve the supporter `number` never, or again. */
export function setNever(records: Records, number: number, on: boolean): void {
  for (const { id, body } of records.all<Never>("choice-never")) if (body.number === number) records.remove(id);
  records.put<Never>("choice-never", { number, on });
}

/** The supporters of the signed list that this officer wants to be shown. */
export function shownSupporters(ctx: Context): Supporter[] {
  const out = never(ctx.vault);
  return ctx.keylist?.supporters.filter(({ number }) => !out.has(number)) ?? [];
}

/** Until when (ISO time) nothing is suggested and nobody written to; null when that is over, or was never asked for. */
export function quietUntil(records: Records, now: Date): string | null {
  const until = decided<{ until: string }>(records, "choice-quiet")?.until;
  return until && until > now.toISOString() ? until : null;
}

/** Quiet until `until`; null ends it. */
export function setQuiet(records: Records, until: string | null): void {
  drop(records, "choice-quiet");
  records.put("choice-quiet", { until: until ?? "" });
}

/** Whether a pattern stands on the officer's own exposure page now: the same sums, the same thresholds. */
export function isHeavy(ctx: Context): boolean {
  return summarize(attended(ctx.vault), ctx.now(), ctx.site.time_zone).found.length > 0;
}

/** Once per session, when the exposure has been added up: put the message into the queue if all that was chosen holds. */
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
