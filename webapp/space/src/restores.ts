// A log restored from a backup looks like a rewritten one. What sets it apart is a leaf, signed by both custody groups
// after the old log ended, that states which checkpoint the log went back to.
//
// Owns: the vault's record "restored" (each restore that explained a change, so that it explains no second one), and
// what a restore takes with it: entries stay readable as lost ones. The key is named in the signed site.json. Must
// never see: the page.

import { unhex } from "./bytes.js";
import type { Context, VaultRecord } from "./context.js";
import { openNote, readVerifier } from "./crypto/note.js";
import type { Entry } from "./entry.js";
import { type LedgerReader, readLeaf } from "./ledger.js";

const STATED = "wardwell/v1/restored";
/** A statement dated further ahead than this is not accepted yet: clocks differ, but not by that much. */
const AHEAD_MS = 3_600_000;

/**
 * The log went back to its first `size` entries at `at` (ISO time); `lost`: how many later ones this vault had seen.
 */
export interface Restored {
  readonly at: string;
  readonly size: number;
  readonly lost: number;
}

/** The restore that explains why the present log does not continue `seen`, the record of a checkpoint; else null. */
export async function findRestore(
  ctx: Context,
  reader: LedgerReader,
  seen: VaultRecord<{ size: number }>,
): Promise<Restored | null> {
  if (!ctx.site.custody_vkey) return null;
  const custody = await readVerifier(ctx.site.custody_vkey);
  const { origin } = reader.head.checkpoint;
  const used = ctx.vault.all<Restored>("restored").map(({ body }) => body.at);
  for (const index of await reader.recent("restored")) {
    const leaf = readLeaf(await reader.leaf(index), "restored");
    const text = await openNote(String(leaf?.note), custody).catch(() => "");
    const [stated, log, length, root = "", at = "", ...rest] = text.split("\n");
    const [size, moment] = [Number(length), Date.parse(at)];
    // Signed by both, about this log, at this place, after what this vault saw, and for the first time.
    if (stated !== STATED || log !== origin || leaf?.size !== size || rest.join("") !== "") continue;
    if (!(size <= Math.min(seen.body.size, index)) || used.includes(at)) continue;
    if (!(moment > Date.parse(seen.at) && moment < ctx.now().getTime() + AHEAD_MS)) continue;
    if (await reader.extends({ size, root: unhex(root) })) return { at, size, lost: seen.body.size - size };
  }
  return null;
}

/** Remember `restored`, and that entries after its checkpoint are no longer in the log. */
export function takeRestore({ vault }: Context, restored: Restored): void {
  vault.put<Restored>("restored", restored);
  for (const { id, body } of vault.all<Entry>("entry")) {
    if (body.leaf_index >= restored.size && !body.lost) vault.replace<Entry>(id, { ...body, lost: true });
  }
  for (const { id, body } of vault.all<{ index: number }>("version-leaf")) {
    if (body.index >= restored.size) vault.remove(id);
  }
}
