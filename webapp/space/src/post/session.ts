// What a session does for the sealed post: always the same, whether or not there is anything to send or receive.
//
// Owns: the order. At unlock: post's state, ticket keys, proofs, tickets, boards, then exactly one request cell (the
// head of the queue, or a dummy), and half of the reply cells for a supporter. At lock: exactly one more, and the other
// half. What arrived is opened after the last request, so that it can change neither number, size, order nor time of
// any. Must never see: the page. A problem ends the post's part of the session, never the session.

import { type Bytes, concat, hex } from "../bytes.js";
import { charter } from "../constants.js";
import type { Context } from "../context.js";
import { LedgerReader } from "../ledger.js";
import { Problem } from "../net.js";
import { type ClosedEpoch, readBoards } from "./boards.js";
import { idOf, makeCell, Opener } from "./cells.js";
import { isSupporter, openingKeys } from "./supporters.js";
import { type Kind, receiveReply, receiveRequest, replyKeys, sent, settle, waitingParts } from "./threads.js";
import { drawTickets, type PostState, type Purpose, trustedKey } from "./tickets.js";

const REQUESTS = charter.constants.tickets_per_session;
const REPLIES = charter.constants.reply_cells_per_session;
const REPLIES_AT_UNLOCK = Math.floor(REPLIES / 2);

interface Running {
  epoch: number;
  tickets: { request: Bytes[]; reply: Bytes[] };
  problem: Problem | null;
}

const running = new WeakMap<Context, Running>();

/** Why the post's part of this session did not run, as a sentence; null when it did. */
export function postProblem(ctx: Context): Problem | null {
  return running.get(ctx)?.problem ?? null;
}

/** Once per session, after the vault is open. Never throws for a post or a desk that does not answer. */
export async function onUnlock(ctx: Context): Promise<void> {
  const run: Running = { epoch: 0, tickets: { request: [], reply: [] }, problem: null };
  running.set(ctx, run);
  await guarded(run, () => unlock(ctx, run));
}

/** Once, before the last save: exactly one request cell more, and the rest of a supporter's reply cells. */
export async function onLock(ctx: Context): Promise<void> {
  const run = running.get(ctx);
  if (!run) return;
  await guarded(run, async () => {
    // The epoch may have closed meanwhile; then the cell stands on the next board.
    await sendCells(ctx, run, "requests", 1, run.epoch + 1);
    await sendCells(ctx, run, "replies", run.tickets.reply.length, run.epoch + 1);
  });
  running.delete(ctx);
}

async function guarded(run: Running, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    run.problem =
      error instanceof Problem
        ? error
        : new Problem(
            "post_failed",
            "The sealed post failed in this session.",
            "What you wrote leaves in a later one.",
          );
  }
}

async function unlock(ctx: Context, run: Running): Promise<void> {
  const supporter = isSupporter(ctx);
  const state = await postState(ctx);
  run.epoch = state.epoch;
  const reader = await LedgerReader.open(ctx.fetch, ctx.spaceBase, ctx.site);
  try {
    await draw(ctx, run, reader, state, supporter);
  } catch (error) {
    // Without tickets nothing is sent; boards are read all the same.
    if (!(error instanceof Problem)) throw error;
    run.problem = error;
  }
  const seen = lastSeen(ctx) ?? state.epoch - 1;
  const { epochs, problem } = await readBoards(ctx, reader, seen, supporter);
  run.problem ??= problem;
  const closed = epochs.at(-1)?.epoch ?? seen;
  const ids = new Set(
    epochs.flatMap(({ requestIds, replies }) => [...requestIds, ...replies.map((c) => hex(idOf(c)))]),
  );
  settle(ctx, ids, closed);
  await sendCells(ctx, run, "requests", 1, state.epoch);
  await sendCells(ctx, run, "replies", Math.min(REPLIES_AT_UNLOCK, run.tickets.reply.length), state.epoch);
  await openAll(ctx, epochs);
  remember(ctx, closed);
}

async function postState(ctx: Context): Promise<PostState> {
  const response = await ctx.fetch(`${ctx.postBase}/state`);
  if (!response.ok) {
    throw new Problem("no_post", "The sealed post does not answer.", "What you wrote leaves in a later session.");
  }
  return (await response.json()) as PostState;
}

async function draw(
  ctx: Context,
  run: Running,
  reader: LedgerReader,
  state: PostState,
  supporter: boolean,
): Promise<void> {
  const { keys } = await ctx.api.ticketKeys();
  const period = state.periods[0] ?? "";
  const wanted: [Purpose, number][] = [["request", REQUESTS]];
  if (supporter) wanted.push(["reply", REPLIES]);
  for (const [purpose, count] of wanted) {
    const key = await trustedKey(reader, keys, purpose, period);
    run.tickets[purpose] = await drawTickets(ctx, key, purpose, period, state.epoch, count);
  }
}

/** Send `count` cells, each with a ticket: what waits, then dummies. Without a ticket nothing is sent. */
async function sendCells(ctx: Context, run: Running, kind: Kind, count: number, until: number): Promise<void> {
  const tickets = run.tickets[kind === "requests" ? "request" : "reply"];
  const waiting = waitingParts(ctx, kind);
  for (let slot = 0; slot < count; slot++) {
    const ticket = tickets.shift();
    if (!ticket) return;
    const part = waiting[slot] ?? null;
    const cell = await makeCell(part?.letter ?? null);
    const response = await ctx.fetch(`${ctx.postBase}/cells/${kind}`, { method: "POST", body: concat(cell, ticket) });
    if (response.status !== 204) {
      run.problem ??= new Problem("not_taken", "The sealed post did not take this session's cell.", "It leaves later.");
    } else if (part) sent(ctx, part, hex(idOf(cell)), until);
  }
}

async function openAll(ctx: Context, epochs: readonly ClosedEpoch[]): Promise<void> {
  const mine = replyKeys(ctx).map(({ thread, keys }) => ({ thread, opener: new Opener(keys) }));
  const supporting = isSupporter(ctx) ? openingKeys(ctx).map((keys) => new Opener(keys)) : [];
  for (const { replies, requests } of epochs) {
    for (const cell of replies) {
      for (const { thread, opener } of mine) {
        const opened = await opener.open(cell);
        if (opened !== null) receiveReply(ctx, thread, opened);
      }
    }
    for (const cell of requests) {
      for (const opener of supporting) {
        const opened = await opener.open(cell);
        if (opened !== null) receiveRequest(ctx, opened);
      }
    }
  }
}

function lastSeen(ctx: Context): number | null {
  const epochs = ctx.vault.all<{ epoch: number }>("post-seen").map(({ body }) => body.epoch);
  return epochs.length > 0 ? Math.max(...epochs) : null;
}

function remember(ctx: Context, epoch: number): void {
  const records = ctx.vault.all<{ epoch: number }>("post-seen");
  if (records.length === 1 && records[0]?.body.epoch === epoch) return;
  for (const { id } of records) ctx.vault.remove(id);
  ctx.vault.put("post-seen", { epoch });
}
