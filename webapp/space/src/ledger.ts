// Reads the access log's public files and proves things about them: C2SP tlog-tiles below `/ledger/`.
//
// Owns: the fetched tiles of one check. Everything is checked against a checkpoint signed by the ledger's key (from the
// signed site.json). Must never see: the content of an entry; callers hash what they opened and ask whether the log
// holds it.

import { type Bytes, text } from "./bytes.js";
import {
  consistencyProof,
  inclusionProof,
  leafHash,
  type Nodes,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from "./crypto/merkle.js";
import { type Checkpoint, cosignedAt, openCheckpoint, readVerifier } from "./crypto/note.js";
import { type Fetch, Problem, readFile } from "./net.js";
import type { Site } from "./site.js";

const WIDTH = 256;
const HEIGHT = 8;
const HASH = 32;
const RECENT_BUNDLES = 16;

/** "067", "x001/x234/067": a tile's number in its path. */
export function tileNumber(n: number): string {
  let path = String(n % 1000).padStart(3, "0");
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${String(rest % 1000).padStart(3, "0")}/${path}`;
  }
  return path;
}

function unusable(how: "missing" | "damaged"): Problem {
  return new Problem("no_tile", `A part of the access log is ${how}.`, "Tell the officers' trustee.");
}

/** The checkpoint that a check was made against, and when the witness had cosigned one of at least that size. */
export interface Head {
  readonly checkpoint: Checkpoint;
  /** Size and time (ms since 1970) of the witness's last cosignature; null without one. */
  readonly witnessed: { readonly size: number; readonly at: number } | null;
}

export class LedgerReader {
  readonly #tiles = new Map<string, Promise<Bytes>>();

  private constructor(
    private readonly fetch: Fetch,
    private readonly base: string,
    readonly head: Head,
  ) {}

  /** Fetch and check the checkpoint and the witness's copy. Throws Problem when the checkpoint is not the ledger's. */
  static async open(fetch: Fetch, base: string, site: Site): Promise<LedgerReader> {
    // In this order, so that the ledger's checkpoint is never older than the one the witness saw.
    const witnessed = await readFile(fetch, `${base}/witness/checkpoint`);
    const note = await readFile(fetch, `${base}/ledger/checkpoint`);
    const ledger = await readVerifier(site.ledger_vkey);
    try {
      if (!note) throw new Error("no checkpoint");
      const checkpoint = await openCheckpoint(note, ledger);
      const reader = new LedgerReader(fetch, base, { checkpoint, witnessed: null });
      const seen = witnessed && site.witness_vkey ? await reader.#witnessed(witnessed, site) : null;
      return seen ? new LedgerReader(fetch, base, { checkpoint, witnessed: seen }) : reader;
    } catch (error) {
      if (error instanceof Problem) throw error;
      throw new Problem(
        "checkpoint_not_signed",
        "The access log's newest checkpoint is missing or not signed by its key.",
        "Tell the officers' trustee; nothing in the list below could be checked.",
      );
    }
  }

  async #witnessed(note: Bytes, site: Site): Promise<Head["witnessed"]> {
    const cosigned = await openCheckpoint(note, await readVerifier(site.ledger_vkey));
    const at = await cosignedAt(note, await readVerifier(site.witness_vkey));
    if (at === null || !(await this.extends(cosigned))) return null;
    return { size: cosigned.size, at: at * 1000 };
  }

  /** Whether the current tree contains everything in `earlier` (a signed checkpoint seen before), unchanged. */
  async extends(earlier: Pick<Checkpoint, "size" | "root">): Promise<boolean> {
    const { size, root } = this.head.checkpoint;
    if (earlier.size === 0) return true;
    if (earlier.size > size) return false;
    const proof = await consistencyProof(this.#nodes, earlier.size, size);
    return verifyConsistency(earlier.size, earlier.root, size, root, proof);
  }

  /** Whether `leaf` (its bytes) is leaf `index` of the tree; null when the checkpoint does not reach so far yet. */
  async holds(leaf: Uint8Array, index: number): Promise<boolean | null> {
    const { size, root } = this.head.checkpoint;
    if (index >= size) return null;
    const proof = await inclusionProof(this.#nodes, index, size);
    return verifyInclusion(await leafHash(leaf), index, size, proof, root);
  }

  /** The bytes of public leaf `index`, proved to be there; null when it is not there (yet) or differs. */
  async leaf(index: number): Promise<Bytes | null> {
    if (index >= this.head.checkpoint.size) return null;
    const leaf = (await this.#bundle(Math.floor(index / WIDTH)))[index % WIDTH];
    return leaf && (await this.holds(leaf, index)) ? leaf : null;
  }

  /** The positions of the newest leaves of `kind`, newest first; not proved, and only the last 16 bundles are read. */
  async recent(kind: string): Promise<number[]> {
    const positions: number[] = [];
    const last = Math.ceil(this.head.checkpoint.size / WIDTH) - 1;
    for (let number = last; number >= 0 && number > last - RECENT_BUNDLES; number--) {
      const leaves = await this.#bundle(number);
      for (let at = leaves.length - 1; at >= 0; at--) {
        if (readLeaf(leaves[at] ?? null, kind)) positions.push(number * WIDTH + at);
      }
    }
    return positions;
  }

  async #bundle(number: number): Promise<Bytes[]> {
    const width = Math.min(WIDTH, this.head.checkpoint.size - number * WIDTH);
    const bundle = await this.#file("entries", number, width);
    const view = new DataView(bundle.buffer, bundle.byteOffset);
    const leaves: Bytes[] = [];
    for (let at = 0; leaves.length < width; ) {
      const end = at + 2 <= bundle.length ? at + 2 + view.getUint16(at) : Infinity;
      if (end > bundle.length) throw unusable("damaged");
      leaves.push(bundle.slice(at + 2, end));
      at = end;
    }
    return leaves;
  }

  #nodes: Nodes = async (level, index) => {
    const tileLevel = Math.floor(level / HEIGHT);
    const within = level % HEIGHT;
    const first = index * 2 ** within;
    const tile = Math.floor(first / WIDTH);
    const available = Math.floor(this.head.checkpoint.size / 2 ** (tileLevel * HEIGHT)) - tile * WIDTH;
    const hashes = await this.#file(String(tileLevel), tile, Math.min(WIDTH, available));
    const start = first - tile * WIDTH;
    let row: Bytes[] = [];
    for (let i = start; i < start + 2 ** within; i++) row.push(hashes.slice(i * HASH, (i + 1) * HASH));
    if (row.some((hash) => hash.length !== HASH)) throw unusable("damaged");
    while (row.length > 1) {
      const above: Bytes[] = [];
      for (let i = 0; i < row.length; i += 2) above.push(await nodeHash(row[i] as Bytes, row[i + 1] as Bytes));
      row = above;
    }
    return row[0] as Bytes;
  };

  #file(kind: string, number: number, width: number): Promise<Bytes> {
    const path = `${kind}/${tileNumber(number)}${width < WIDTH ? `.p/${width}` : ""}`;
    let tile = this.#tiles.get(path);
    if (!tile) {
      tile = this.#read(kind, number, path);
      this.#tiles.set(path, tile);
    }
    return tile;
  }

  async #read(kind: string, number: number, path: string): Promise<Bytes> {
    const whole = `${kind}/${tileNumber(number)}`;
    // A partial tile may be gone once its full one exists; the full one begins with the same hashes.
    const bytes =
      (await readFile(this.fetch, `${this.base}/ledger/tile/${path}`)) ??
      (path === whole ? null : await readFile(this.fetch, `${this.base}/ledger/tile/${whole}`));
    if (!bytes) throw unusable("missing");
    return bytes;
  }
}

/** A public leaf as JSON when its kind is `kind`, else null; it may not have been proved yet. */
export function readLeaf(leaf: Bytes | null, kind: string): Record<string, unknown> | null {
  if (!leaf) return null;
  try {
    const value = JSON.parse(text(leaf)) as Record<string, unknown>;
    return value.kind === kind ? value : null;
  } catch {
    return null;
  }
}
