// Conversations as the vault keeps them: with whom, their messages, and the parts that still wait to leave.
//
// Owns: the records "post-thread", "post-message", "post-part" (waiting to leave) and "post-piece" (received, its
// message not complete). Must never see: the network. Nothing here changes what a session sends, only what is inside.

import { base64, hex, random, unbase64, utf8 } from "../bytes.js";
import type { Context, VaultRecord } from "../context.js";
import type { Supporter } from "../site.js";
import { CONTENT_BYTES, type Letter, newKeys, type PublicKeys, type SecretKeys } from "./cells.js";

/** Longest message, in cells: about ten printed pages of text. Each takes one slot of a session. */
export const MOST_PARTS = 6;

interface Keys {
  readonly xwing: string;
  readonly x25519: string;
}

/** One conversation. An officer's has the supporter's directory number and reply keys; a supporter's, the officer's. */
interface Thread {
  readonly thread: string;
  readonly side: "officer" | "supporter";
  readonly alias: string;
  readonly number: number;
  readonly name: string;
  readonly role: string;
  readonly secret: Keys | null;
  readonly public: Keys;
  readonly opened: string;
}

interface Message {
  readonly thread: string;
  readonly mine: boolean;
  readonly message: number;
  readonly text: string;
  readonly at: string;
}

/** One cell's worth of text that waits to leave. `sent`: ids under which it left, each with its last possible epoch. */
interface Part {
  readonly queued: string;
  readonly thread: string;
  readonly message: number;
  readonly part: number;
  readonly parts: number;
  readonly text: string;
  readonly sent: readonly { readonly id: string; readonly until: number }[];
}

interface Piece {
  readonly thread: string;
  readonly message: number;
  readonly part: number;
  readonly parts: number;
  readonly text: string;
}

/** The JSON in a cell, as far as it was checked. */
interface Content extends Piece {
  readonly reply?: Keys;
  readonly alias?: string;
}

export type Kind = "requests" | "replies";

/** A message as pages show it. */
export interface ShownMessage {
  readonly mine: boolean;
  readonly text: string;
  readonly at: string;
  readonly state: "waiting" | "board" | "received";
}

export interface ShownThread {
  readonly thread: string;
  readonly side: "officer" | "supporter";
  readonly alias: string;
  readonly number: number;
  readonly name: string;
  readonly role: string;
  readonly opened: string;
  readonly messages: readonly ShownMessage[];
}

function keysOf(keys: Keys): PublicKeys & SecretKeys {
  return { xwing: unbase64(keys.xwing), x25519: unbase64(keys.x25519) };
}

function written(keys: PublicKeys | SecretKeys): Keys {
  return { xwing: base64(keys.xwing), x25519: base64(keys.x25519) };
}

/** Records of one type, one per `name`: two sessions at once may both have written the same thing. */
function distinct<T>(ctx: Context, type: string, name: (body: T) => string): VaultRecord<T>[] {
  const byName = new Map<string, VaultRecord<T>>();
  for (const record of ctx.vault.all<T>(type)) {
    const key = name(record.body);
    if (!byName.has(key)) byName.set(key, record);
  }
  return [...byName.values()];
}

const threadRecords = (ctx: Context) => distinct<Thread>(ctx, "post-thread", ({ thread }) => thread);
const messageRecords = (ctx: Context) =>
  distinct<Message>(ctx, "post-message", ({ thread, mine, message }) => `${thread}/${mine}/${message}`);
const partName = ({ thread, message, part }: Piece) => `${thread}/${message}/${part}`;

function threadOf(ctx: Context, thread: string): Thread | undefined {
  return threadRecords(ctx).find(({ body }) => body.thread === thread)?.body;
}

/** All conversations with a whole message in them, the newest first. */
export function threads(ctx: Context): ShownThread[] {
  const waiting = new Set(ctx.vault.all<Part>("post-part").map(({ body }) => `${body.thread}/${body.message}`));
  const messages = messageRecords(ctx).map(({ body }) => body);
  return threadRecords(ctx)
    .map(({ body: { thread, side, alias, number, name, role, opened } }) => ({
      thread,
      side,
      alias,
      number,
      name,
      role,
      opened,
      messages: inOrder(messages.filter((message) => message.thread === thread)).map(
        ({ mine, message, text, at }): ShownMessage => ({
          mine,
          text,
          at,
          state: !mine ? "received" : waiting.has(`${thread}/${message}`) ? "waiting" : "board",
        }),
      ),
    }))
    .filter((thread) => thread.messages.length > 0)
    .sort((a, b) => (a.opened < b.opened ? 1 : -1));
}

/** By time, but the other side's messages keep their own order, since a board has none. */
function inOrder(messages: readonly Message[]): Message[] {
  const theirs = messages.filter(({ mine }) => !mine).sort((a, b) => a.message - b.message);
  // What arrives in a session arrived before anything was written in it.
  const byTime = [...messages].sort(
    (a, b) => (a.at === b.at ? 0 : a.at < b.at ? -1 : 1) || Number(a.mine) - Number(b.mine) || a.message - b.message,
  );
  return byTime.map((message) => (message.mine ? message : (theirs.shift() ?? message)));
}

function content(thread: Thread, { message, part, parts, text }: Omit<Piece, "thread">): Content {
  const bare = { thread: thread.thread, message, part, parts, text };
  return thread.side === "officer" ? { ...bare, reply: thread.public, alias: thread.alias } : bare;
}

/** `text` cut into pieces that fit into one cell each, between characters. */
function split(thread: Thread, text: string): string[] {
  const most = { message: 99_999, part: 99, parts: 99, text: "" };
  const room = CONTENT_BYTES - utf8(JSON.stringify(content(thread, most))).length;
  const pieces: string[] = [];
  let [piece, used] = ["", 0];
  for (const character of text) {
    const size = utf8(JSON.stringify(character)).length - 2;
    if (used + size > room) {
      pieces.push(piece);
      [piece, used] = ["", 0];
    }
    piece += character;
    used += size;
  }
  return [...pieces, piece];
}

/** How many cells `text` will take in the conversation `thread`; more than MOST_PARTS is refused by `write`. */
export function partsNeeded(ctx: Context, thread: string, text: string): number {
  const known = threadOf(ctx, thread);
  return known ? split(known, text).length : 1;
}

/** Begin a conversation with `supporter` under `alias`; gives its id. Fresh reply keys are made here. */
export async function startThread(ctx: Context, supporter: Supporter, alias: string, text: string): Promise<string> {
  const keys = await newKeys();
  const thread: Thread = {
    thread: hex(random(16)),
    side: "officer",
    alias: alias.trim().slice(0, 40),
    number: supporter.number,
    name: supporter.name,
    role: supporter.role,
    secret: written(keys.secret),
    public: written(keys.public),
    opened: ctx.now().toISOString(),
  };
  const pieces = split(thread, text);
  if (pieces.length > MOST_PARTS) throw new RangeError("too long");
  ctx.vault.put<Thread>("post-thread", thread);
  enqueue(ctx, thread, text, pieces);
  return thread.thread;
}

/** Write in a conversation. Throws RangeError when it is too long, Error when there is no such conversation. */
export function write(ctx: Context, thread: string, text: string): void {
  const known = threadOf(ctx, thread);
  if (!known) throw new Error("no such conversation");
  const pieces = split(known, text);
  if (pieces.length > MOST_PARTS) throw new RangeError("too long");
  enqueue(ctx, known, text, pieces);
}

function enqueue(ctx: Context, { thread }: Thread, text: string, pieces: readonly string[]): void {
  const numbers = messageRecords(ctx).filter(({ body }) => body.thread === thread && body.mine);
  const message = Math.max(-1, ...numbers.map(({ body }) => body.message)) + 1;
  ctx.vault.put<Message>("post-message", { thread, mine: true, message, text, at: ctx.now().toISOString() });
  const queued = ctx.now().toISOString();
  for (const [part, piece] of pieces.entries()) {
    ctx.vault.put<Part>("post-part", { queued, thread, message, part, parts: pieces.length, text: piece, sent: [] });
  }
}

/** End a conversation: its keys, messages and waiting parts are erased, and nothing more can be opened. */
export function endThread(ctx: Context, thread: string): void {
  for (const type of ["post-thread", "post-message", "post-part", "post-piece"]) {
    for (const { id, body } of ctx.vault.all<{ thread: string }>(type))
      if (body.thread === thread) ctx.vault.remove(id);
  }
}

/** A part that may leave now, with what it takes to seal it. */
export interface Waiting {
  readonly record: VaultRecord<Part>;
  readonly letter: Letter;
}

function recipient(ctx: Context, thread: Thread): PublicKeys | null {
  if (thread.side === "supporter") return keysOf(thread.public);
  const listed = ctx.keylist?.supporters.find(({ number }) => number === thread.number);
  // Only keys in the signed list are written to; someone who is no longer in it gets nothing.
  return listed ? keysOf(listed) : null;
}

/** Parts for the board `kind` that are not on their way, oldest first. */
export function waitingParts(ctx: Context, kind: Kind): Waiting[] {
  const side = kind === "requests" ? "officer" : "supporter";
  const waiting: Waiting[] = [];
  const parts = distinct<Part>(ctx, "post-part", partName).sort((a, b) => order(a.body, b.body));
  for (const record of parts) {
    const thread = threadOf(ctx, record.body.thread);
    if (!thread || thread.side !== side || record.body.sent.length > 0) continue;
    const to = recipient(ctx, thread);
    if (to) waiting.push({ record, letter: { to, content: content(thread, record.body) } });
  }
  return waiting;
}

function order(a: Part, b: Part): number {
  if (a.queued !== b.queued) return a.queued < b.queued ? -1 : 1;
  return a.message - b.message || a.part - b.part;
}

/** A part left under `id` and can be on a board up to epoch `until`. */
export function sent(ctx: Context, { record }: Waiting, id: string, until: number): void {
  ctx.vault.replace<Part>(record.id, { ...record.body, sent: [...record.body.sent, { id, until }] });
}

/**
 * Compare with the ids on all boards up to `closed`: parts that are there have left; those that are missing wait again.
 */
export function settle(ctx: Context, ids: ReadonlySet<string>, closed: number): void {
  for (const { id, body } of ctx.vault.all<Part>("post-part")) {
    if (body.sent.length === 0) continue;
    if (body.sent.some((copy) => ids.has(copy.id))) ctx.vault.remove(id);
    else if (body.sent.every(({ until }) => until <= closed)) ctx.vault.replace<Part>(id, { ...body, sent: [] });
  }
}

/** Secret reply keys of the officer's conversations, for trying replies. */
export function replyKeys(ctx: Context): { thread: string; keys: SecretKeys }[] {
  return threadRecords(ctx).flatMap(({ body }) =>
    body.secret ? [{ thread: body.thread, keys: keysOf(body.secret) }] : [],
  );
}

const HEX_ID = /^[0-9a-f]{32}$/;
const count = (value: unknown, below: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < below;

function readKeys(value: unknown): Keys | null {
  const { xwing, x25519 } = (value ?? {}) as Partial<Keys>;
  if (typeof xwing !== "string" || typeof x25519 !== "string") return null;
  try {
    return unbase64(xwing).length === 1216 && unbase64(x25519).length === 32 ? { xwing, x25519 } : null;
  } catch {
    return null;
  }
}

function read(value: unknown): Content | null {
  const claimed = (value ?? {}) as Partial<Content>;
  const { thread, message, part, parts, text } = claimed;
  if (typeof thread !== "string" || !HEX_ID.test(thread) || typeof text !== "string") return null;
  if (!count(message, 100_000) || !count(parts, MOST_PARTS + 1) || !count(part, parts)) return null;
  const reply = readKeys(claimed.reply);
  const alias = typeof claimed.alias === "string" ? claimed.alias.slice(0, 40) : "";
  return { thread, message, part, parts, text, alias, ...(reply ? { reply } : {}) };
}

/** Take an opened reply in the officer's conversation `thread`. */
export function receiveReply(ctx: Context, thread: string, opened: unknown): void {
  const received = read(opened);
  if (received?.thread === thread) receive(ctx, received);
}

/** Take an opened request: a supporter's conversation begins with the first cell that is read. */
export function receiveRequest(ctx: Context, opened: unknown): void {
  const received = read(opened);
  if (!received) return;
  const known = threadOf(ctx, received.thread);
  if (!known) {
    if (!received.reply) return;
    ctx.vault.put<Thread>("post-thread", {
      thread: received.thread,
      side: "supporter",
      alias: received.alias || "No name given",
      number: -1,
      name: "",
      role: "",
      secret: null,
      public: received.reply,
      opened: ctx.now().toISOString(),
    });
  } else if (known.side !== "supporter") return;
  receive(ctx, received);
}

function receive(ctx: Context, { thread, message, part, parts, text }: Content): void {
  const same = ({ body }: { body: { thread: string; message: number } }) =>
    body.thread === thread && body.message === message;
  if (messageRecords(ctx).some((record) => same(record) && !record.body.mine)) return;
  const pieces = ctx.vault.all<Piece>("post-piece").filter(same);
  if (!pieces.some(({ body }) => body.part === part)) {
    pieces.push(ctx.vault.put<Piece>("post-piece", { thread, message, part, parts, text }));
  }
  const whole = Array.from({ length: parts }, (_, at) => pieces.find(({ body }) => body.part === at)?.body.text);
  if (whole.some((piece) => piece === undefined)) return;
  ctx.vault.put<Message>("post-message", {
    thread,
    mine: false,
    message,
    text: whole.join(""),
    at: ctx.now().toISOString(),
  });
  for (const { id } of pieces) ctx.vault.remove(id);
}
