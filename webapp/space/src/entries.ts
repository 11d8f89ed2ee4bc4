// The officer's own entries of the access log: opened, chained, and proved against the public tree.
//
// Owns: the vault's records "entry", "provisional-key" and "checkpoint" (the largest one seen so far). All that a lying
// server could do to an entry shows up in `Findings`: leaving one out, changing one, rewriting the tree, swapping a
// key.

import { type Bytes, base64, equal, hex, sha256, text, unbase64, unhex, utf8 } from "./bytes.js";
import { constants, info } from "./constants.js";
import type { Context, VaultRecord } from "./context.js";
import { canonical } from "./crypto/canonical.js";
import { leafHash, verifyInclusion } from "./crypto/merkle.js";
import { NotSealedForUs, open } from "./crypto/sealing.js";
import type { Entry, EntryBody } from "./entry.js";
import { COSIGNATURE_AGE_MS, checkVersion, isOld, type Opened, seenLeaf } from "./freshness.js";
import { LedgerReader, readLeaf } from "./ledger.js";
import type { EntriesResponse, HeadProof, Problem } from "./net.js";
import { findRestore, takeRestore } from "./restores.js";

/**
 * Results of the checks. Every list that is not empty and every flag that is set is worth telling the trustee about.
 */
export interface Findings {
  /** Sequence numbers that are missing, in the middle or at the end. */
  readonly missing: readonly number[];
  /** Entries whose leaf is not in the tree, or whose chain does not fit the entry before. */
  readonly broken: readonly number[];
  /** Entries that the newest checkpoint does not reach yet: checked at the next visit. */
  readonly waiting: readonly number[];
  /** Entries sealed to the key from before enrolment, which has not been handed over yet. */
  readonly unopened: readonly number[];
  /** The tree no longer begins with what it was at an earlier visit, and no restore that both sides signed says why. */
  readonly rewritten: boolean;
  /** The mailbox key in the log is not the one in this vault. */
  readonly keySwapped: boolean;
  /** Why the copy of the vault that was served may not be the newest; null when nothing says so. */
  readonly versionProblem: Problem | null;
  /** The witness has not cosigned for longer than the charter allows. */
  readonly witnessLate: boolean;
  readonly witnessedAt: Date | null;
  readonly treeSize: number;
}

interface MailboxKey {
  readonly seed: string;
  readonly public: string;
}

/** The entries that are in the log: all but those that a restore removed. */
function inLog(ctx: Context): VaultRecord<Entry>[] {
  return ctx.vault.all<Entry>("entry").filter(({ body }) => !body.lost);
}

async function openEntries(ctx: Context, response: EntriesResponse, seed: Bytes): Promise<number[]> {
  let provisional = ctx.vault.all<{ seed: string }>("provisional-key")[0]?.body.seed ?? null;
  if (response.provisional_key && !provisional) {
    const sealed = unbase64(response.provisional_key);
    provisional = base64(await open(seed, sealed, info(constants.kinds.provisional, ctx.handle)));
    ctx.vault.put("provisional-key", { seed: provisional });
  }
  const known = new Set(inLog(ctx).map(({ body }) => body.sequence));
  const unopened: number[] = [];
  for (const { sequence, leaf_index, provisional: early, sealed } of response.entries) {
    if (known.has(sequence)) continue;
    if (early && !provisional) {
      unopened.push(sequence);
      continue;
    }
    try {
      const key = early && provisional ? unbase64(provisional) : seed;
      const plaintext = await open(key, unbase64(sealed), info(constants.kinds.entry, ctx.handle));
      const inner = JSON.parse(text(plaintext)) as { handle: string; sequence: number } & Omit<Entry, "leaf_index">;
      if (inner.handle !== ctx.handle || inner.sequence !== sequence) continue;
      const { at, previous, body } = inner;
      const commit = hex(await sha256(plaintext));
      ctx.vault.put<Entry>("entry", { sequence, leaf_index, at, previous, commit, body, proved: false });
    } catch (error) {
      if (!(error instanceof NotSealedForUs)) throw error;
      unopened.push(sequence);
    }
  }
  return unopened;
}

async function headSays(ctx: Context, reader: LedgerReader, head: HeadProof, key: Bytes): Promise<number | null> {
  const leaf = readLeaf(await reader.leaf(head.leaf_index), "heads");
  if (!leaf || typeof leaf.root !== "string" || leaf.rows !== head.rows) return null;
  const { handle, last_sequence, key_hash, salt } = head;
  const row = await leafHash(canonical({ handle, last_sequence, key_hash, salt }));
  const proof = head.proof.map(unhex);
  const fits = await verifyInclusion(row, head.position, head.rows, proof, unhex(leaf.root));
  const ownKey = hex(await sha256(key));
  // A head of an epoch before the enrolment names no key yet.
  return fits && handle === ctx.handle && (key_hash === "" || key_hash === ownKey) ? last_sequence : null;
}

async function proveEntries(ctx: Context, reader: LedgerReader): Promise<{ broken: number[]; waiting: number[] }> {
  const [broken, waiting]: [number[], number[]] = [[], []];
  const records = inLog(ctx);
  const bySequence = new Map(records.map(({ body }) => [body.sequence, body]));
  for (const { id, body } of records) {
    const before = bySequence.get(body.sequence - 1);
    const expected = body.sequence === 1 ? "0".repeat(64) : before?.commit;
    const chained = expected === undefined || expected === body.previous;
    if (!chained) {
      broken.push(body.sequence);
      continue;
    }
    if (body.proved) continue;
    const holds = await reader.holds(canonical({ v: 1, kind: "about", commit: body.commit }), body.leaf_index);
    if (holds === null) waiting.push(body.sequence);
    else if (holds) ctx.vault.replace<Entry>(id, { ...body, proved: true });
    else broken.push(body.sequence);
  }
  return { broken, waiting };
}

function missingOf(entries: readonly Entry[], unopened: readonly number[], last: number): number[] {
  const present = new Set([...entries.map(({ sequence }) => sequence), ...unopened]);
  const highest = Math.max(last, ...present, 0);
  return Array.from({ length: highest }, (_, i) => i + 1).filter((sequence) => !present.has(sequence));
}

async function fetchEntries(ctx: Context, seed: Bytes): Promise<[EntriesResponse, number[]]> {
  const own = inLog(ctx).map(({ body }) => body);
  const gap = missingOf(own, [], 0)[0] ?? own.length + 1;
  const response = await ctx.api.entries(gap - 1, seenLeaf(ctx) + 1);
  return [response, await openEntries(ctx, response, seed)];
}

/** Fetch new entries, open them, and check all of them. Throws Problem when desk or the public files do not answer. */
export async function checkEntries(ctx: Context, opened: Opened): Promise<Findings> {
  const mailbox = ctx.vault.all<MailboxKey>("mailbox-key").at(-1)?.body;
  if (!mailbox) throw new Error("a vault without a mailbox key");
  const [seed, key] = [unbase64(mailbox.seed), unbase64(mailbox.public)];
  let [response, unopened] = await fetchEntries(ctx, seed);

  const reader = await LedgerReader.open(ctx.fetch, ctx.spaceBase, ctx.site);
  const { checkpoint, witnessed } = reader.head;
  const earlier = ctx.vault.all<{ size: number; root: string }>("checkpoint").at(-1);
  let rewritten =
    earlier !== undefined && !(await reader.extends({ size: earlier.body.size, root: unbase64(earlier.body.root) }));
  const restored = earlier && rewritten ? await findRestore(ctx, reader, earlier) : null;
  if (restored) {
    takeRestore(ctx, restored);
    rewritten = false;
    // The numbers of lost entries have been given to new ones by now.
    [response, unopened] = await fetchEntries(ctx, seed);
  }
  if (!rewritten && checkpoint.size !== earlier?.body.size) {
    if (earlier) ctx.vault.remove(earlier.id);
    ctx.vault.put("checkpoint", { size: checkpoint.size, root: base64(checkpoint.root) });
  }

  const { broken, waiting } = await proveEntries(ctx, reader);
  let [last, headBroken] = [0, false];
  if (response.head && response.head.leaf_index < checkpoint.size) {
    const said = await headSays(ctx, reader, response.head, key);
    headBroken = said === null;
    last = said ?? 0;
  }
  let keySwapped = headBroken;
  // The key is in the log before there is a vault, so desk also lies when it names no leaf, or one that never appears.
  const keyLeaf = response.mailbox_leaf_index ?? -1;
  if (keyLeaf < checkpoint.size || isOld(ctx)) {
    const leaf = keyLeaf < 0 ? null : readLeaf(await reader.leaf(keyLeaf), "mailbox-key");
    const ledgered = leaf && typeof leaf.key === "string" ? unbase64(leaf.key) : utf8("");
    keySwapped ||= leaf?.handle !== ctx.handle || !equal(ledgered, key);
  }
  return {
    missing: missingOf(
      inLog(ctx).map(({ body }) => body),
      unopened,
      last,
    ),
    broken,
    waiting,
    unopened,
    rewritten,
    keySwapped,
    versionProblem: await checkVersion(ctx, reader, response.versions, opened),
    witnessLate: witnessed === null || ctx.now().getTime() - witnessed.at > COSIGNATURE_AGE_MS,
    witnessedAt: witnessed ? new Date(witnessed.at) : null,
    treeSize: checkpoint.size,
  };
}

/** Several looks of one person at the same thing for the same reason on one day, shown as one line. */
export interface Look {
  readonly body: EntryBody;
  readonly first: string;
  readonly last: string;
  readonly times: number;
  readonly sequences: readonly number[];
  readonly lost: boolean;
}

/** Entries folded into looks, newest first. `day` gives the day of a time in the site's time zone. */
export function foldLooks(entries: readonly Entry[], day: (iso: string) => string): Look[] {
  const looks = new Map<string, Look>();
  for (const { at, body, sequence, lost = false } of [...entries].sort((a, b) => a.sequence - b.sequence)) {
    const key = JSON.stringify([day(at), body, lost]);
    const look = looks.get(key);
    looks.set(key, {
      body,
      first: look?.first ?? at,
      last: at,
      times: (look?.times ?? 0) + 1,
      sequences: [...(look?.sequences ?? []), sequence],
      lost,
    });
  }
  return [...looks.values()].sort((a, b) => (a.last < b.last ? 1 : -1));
}
