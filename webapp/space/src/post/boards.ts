// Reading the boards: whole, in order, each compared with its digest in the access log.
//
// Owns: which boards a session downloads. That depends on the last epoch this vault has seen and on the role, and on
// nothing that was written or received. Must never see: a key.

import { type Bytes, hex, sha256, text } from "../bytes.js";
import type { Context } from "../context.js";
import { type LedgerReader, readLeaf } from "../ledger.js";
import { Problem, readFile } from "../net.js";
import { CELL_BYTES, ID_BYTES } from "./cells.js";

interface IndexEntry {
  readonly epoch: number;
  readonly kind: string;
  readonly sha256: string;
  readonly cells: number;
  readonly leaf_index: number;
}

/** What one closed epoch holds for this session. `requests` is empty unless the person is a supporter. */
export interface ClosedEpoch {
  readonly epoch: number;
  readonly replies: readonly Bytes[];
  readonly requests: readonly Bytes[];
  readonly requestIds: readonly string[];
}

function cut(bytes: Bytes, size: number): Bytes[] {
  return Array.from({ length: bytes.length / size }, (_, at) => bytes.slice(at * size, (at + 1) * size));
}

async function readBoard(ctx: Context, reader: LedgerReader, entry: IndexEntry, size: number): Promise<Bytes[]> {
  const bytes = await readFile(ctx.fetch, `${ctx.postBase}/boards/${entry.epoch}-${entry.kind}.bin`);
  const leaf = readLeaf(await reader.leaf(entry.leaf_index), "board");
  const digest = bytes && hex(await sha256(bytes));
  const fits = bytes?.length === entry.cells * size && digest === entry.sha256;
  const ledgered = leaf?.epoch === entry.epoch && leaf.board === entry.kind && leaf.sha256 === digest;
  if (!bytes || !fits || !ledgered) {
    throw new Problem(
      "board_differs",
      `The board of epoch ${entry.epoch} is not the one in the access log.`,
      "Tell the officers' trustee. What you wrote stays here until a board is right.",
    );
  }
  return cut(bytes, size);
}

/**
 * Every board of the epochs after `seen`, oldest first; ends with what stopped it, if anything did. A board that the
 * log's checkpoint does not reach yet is left for the next session.
 */
export async function readBoards(
  ctx: Context,
  reader: LedgerReader,
  seen: number,
  supporter: boolean,
): Promise<{ epochs: ClosedEpoch[]; problem: Problem | null }> {
  const epochs: ClosedEpoch[] = [];
  try {
    const index = await readFile(ctx.fetch, `${ctx.postBase}/boards/index.json`);
    const entries = index ? (JSON.parse(text(index)) as IndexEntry[]) : [];
    const numbers = [...new Set(entries.map(({ epoch }) => epoch))].filter((n) => n > seen).sort((a, b) => a - b);
    for (const epoch of numbers) {
      const of = (kind: string) => entries.find((entry) => entry.epoch === epoch && entry.kind === kind);
      const [replies, ids, requests] = [of("replies"), of("request-ids"), of("requests")];
      if (!replies || !ids || !requests) break;
      if ([replies, ids, requests].some(({ leaf_index }) => leaf_index >= reader.head.checkpoint.size)) break;
      epochs.push({
        epoch,
        replies: await readBoard(ctx, reader, replies, CELL_BYTES),
        requestIds: (await readBoard(ctx, reader, ids, ID_BYTES)).map(hex),
        requests: supporter ? await readBoard(ctx, reader, requests, CELL_BYTES) : [],
      });
    }
    return { epochs, problem: null };
  } catch (error) {
    if (error instanceof Problem) return { epochs, problem: error };
    throw error;
  }
}
