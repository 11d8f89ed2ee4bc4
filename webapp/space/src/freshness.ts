// Whether the copy of the vault that desk served is the newest: the access log names the newest version twice a day.
//
// Owns: the record "version-leaf" (the newest batch that was checked). The batches are chained in the public log, each
// with the position of the one before, so a desk that was set back, and has no proof for one that it made since, is
// noticed too. Only versions that the log named before this vault was opened count: later ones may be this session's
// own saves.

import { unhex } from "./bytes.js";
import { charter } from "./constants.js";
import type { Context } from "./context.js";
import { canonical } from "./crypto/canonical.js";
import { leafHash, verifyInclusion } from "./crypto/merkle.js";
import { type LedgerReader, readLeaf } from "./ledger.js";
import { Problem, type VersionProof } from "./net.js";

export const COSIGNATURE_AGE_MS = charter.constants.cosignature_age_hours * 3_600_000;
const MINUTE_MS = 60_000;
/** No older copy is left to be served: backups live 35 days, and desk keeps proofs for 40. */
const LONGEST_MS = 39 * 24 * 60 * MINUTE_MS;

/** The vault as it was served, and when (ISO time). */
export interface Opened {
  readonly version: number;
  readonly at: string;
}

const UNPROVED = "Wardwell cannot show which copy of your private space was the newest at an earlier time.";
const TELL = "What you see may be out of date. Tell the officers' trustee, and compare with what you remember.";

function problem(code: string, message: string): Problem {
  return new Problem(code, message, TELL);
}

/** Position of the newest batch that was checked, -1 for none. */
export function seenLeaf(ctx: Context): number {
  return Math.max(-1, ...ctx.vault.all<{ index: number }>("version-leaf").map(({ body }) => body.index));
}

const timeOf = (leaf: Record<string, unknown>) => Date.parse(String(leaf.at));

// When the vault was made, in ms since 1970: its own record of it, which no server can change.
const made = (ctx: Context) => Date.parse(ctx.vault.all("trustee")[0]?.at ?? "");

/**
 * Whether the vault is older than the charter's cosignature age: by then all that concerns it must stand in the log.
 */
export function isOld(ctx: Context): boolean {
  return ctx.now().getTime() - made(ctx) > COSIGNATURE_AGE_MS;
}

async function proves(ctx: Context, row: VersionProof | undefined, leaf: Record<string, unknown>): Promise<boolean> {
  if (!row || row.rows !== leaf.rows || typeof leaf.root !== "string") return false;
  const { version, salt } = row;
  const hash = await leafHash(canonical({ handle: ctx.handle, salt, version }));
  return verifyInclusion(hash, row.position, row.rows, row.proof.map(unhex), unhex(leaf.root));
}

/** Why the served copy may not be the newest, or null. Remembers how far the log was checked. */
export async function checkVersion(
  ctx: Context,
  reader: LedgerReader,
  rows: readonly VersionProof[],
  opened: Opened,
): Promise<Problem | null> {
  const { checkpoint, witnessed } = reader.head;
  const seen = seenLeaf(ctx);
  const named = new Map(rows.map((row) => [row.leaf_index, row]));
  const newest = Math.max(seen, ...[...named.keys()].filter((index) => index < checkpoint.size));
  // The witness's clock is the one here that nobody inside the agency sets.
  const at = witnessed?.at ?? ctx.now().getTime();
  const since = Math.max(made(ctx) + MINUTE_MS, at - LONGEST_MS);
  const last = newest < 0 ? null : readLeaf(await reader.leaf(newest), "versions");
  if (newest >= 0 && !last) return problem("version_unproved", UNPROVED);
  let found: Problem | null = null;
  if (isOld(ctx) && !(last && at - timeOf(last) <= COSIGNATURE_AGE_MS)) {
    found = problem(
      "version_late",
      "The access log has not said for too long which copy of your private space is the newest.",
    );
  }
  let leaf = last;
  for (let index = newest; leaf && index > seen; ) {
    const row = named.get(index);
    // There was no vault yet, or desk keeps no proof for so long.
    if (!row && timeOf(leaf) < since) break;
    if (!row || !(await proves(ctx, row, leaf))) found = problem("version_unproved", UNPROVED);
    else if (row.version > opened.version && timeOf(leaf) < Date.parse(opened.at)) {
      found = problem("old_vault", "An old copy of your private space was served: the access log names a newer one.");
      break;
    }
    // The chain only leads back.
    index = Math.min(Number(leaf.previous), index - 1);
    leaf = index < 0 ? null : readLeaf(await reader.leaf(index), "versions");
  }
  remember(ctx, newest);
  return found;
}

function remember(ctx: Context, index: number): void {
  const records = ctx.vault.all<{ index: number }>("version-leaf");
  if (index < 0 || records.at(-1)?.body.index === index) return;
  for (const { id } of records) ctx.vault.remove(id);
  ctx.vault.put("version-leaf", { index });
}
