// A cell: 8192 bytes that reveal nothing to anyone but their recipient, who can cheaply tell that the cell is theirs.
//
// Owns: the sealed form `id (16) || outer`; outer is HPKE with X25519, so that trying a cell that is not ours is cheap,
// over inner, HPKE with X-Wing. The plaintext is `length (4) || JSON || zeros`, always of the same size. A dummy is
// made by the same function. Must never see: the network, the vault. Twin for offline use: `appliance/kit/cells.py`.

import { type Bytes, concat, random, text, utf8 } from "../bytes.js";
import { constants, info } from "../constants.js";
import { openBase, sealBase, X25519 } from "../crypto/hpke.js";
import { keyPair, NotSealedForUs, OVERHEAD_BYTES, open, seal } from "../crypto/sealing.js";

export const CELL_BYTES = constants.cell_bytes;
export const ID_BYTES = constants.cell_id_bytes;
const OUTER_OVERHEAD = X25519.encBytes + 16;
/** Size of every plaintext. */
export const PLAINTEXT_BYTES = CELL_BYTES - ID_BYTES - OUTER_OVERHEAD - OVERHEAD_BYTES;
/** Room for a content's JSON. */
export const CONTENT_BYTES = PLAINTEXT_BYTES - 4;

const INNER_INFO = info(constants.kinds.cell_inner);
const OUTER_INFO = info(constants.kinds.cell_outer);

/** Both public keys of a recipient: X-Wing (1216 bytes) and X25519 (32). */
export interface PublicKeys {
  readonly xwing: Bytes;
  readonly x25519: Bytes;
}

/** Both secret halves: X-Wing seed (32 bytes) and X25519 secret (32). */
export interface SecretKeys {
  readonly xwing: Bytes;
  readonly x25519: Bytes;
}

/** Fresh keys for receiving cells. */
export async function newKeys(): Promise<{ secret: SecretKeys; public: PublicKeys }> {
  const inner = await keyPair();
  const outer = random(X25519.publicBytes);
  return {
    secret: { xwing: inner.seed, x25519: outer },
    public: { xwing: inner.public, x25519: await X25519.publicKey(outer) },
  };
}

/** What is put into a cell, and for whom. */
export interface Letter {
  readonly to: PublicKeys;
  readonly content: object;
}

function pad(content: object): Bytes {
  const json = utf8(JSON.stringify(content));
  if (json.length > CONTENT_BYTES) throw new Error("that does not fit into one cell");
  const plaintext = new Uint8Array(PLAINTEXT_BYTES);
  new DataView(plaintext.buffer).setUint32(0, json.length);
  plaintext.set(json, 4);
  return plaintext;
}

/**
 * One cell with a fresh random id: `letter`, or without one a dummy to a key that is thrown away. Throw-away keys are
 * made in both cases, so that both take the same work.
 */
export async function makeCell(letter: Letter | null): Promise<Bytes> {
  const thrownAway = await newKeys();
  const { to, content } = letter ?? { to: thrownAway.public, content: {} };
  const inner = await seal(to.xwing, pad(content), INNER_INFO);
  const cell = concat(random(ID_BYTES), await sealBase(X25519, to.x25519, inner, OUTER_INFO));
  if (cell.length !== CELL_BYTES) throw new Error("a cell has one size");
  return cell;
}

/** The id of a cell. */
export function idOf(cell: Bytes): Bytes {
  return cell.slice(0, ID_BYTES);
}

/** Tries cells with one pair of secret keys. */
export class Opener {
  constructor(private readonly keys: SecretKeys) {}

  /** The JSON in `cell`, or null when it is for somebody else, a dummy, or not well formed. */
  async open(cell: Bytes): Promise<unknown> {
    let inner: Bytes;
    try {
      inner = await openBase(X25519, this.keys.x25519, cell.slice(ID_BYTES), OUTER_INFO);
    } catch {
      return null;
    }
    try {
      const plaintext = await open(this.keys.xwing, inner, INNER_INFO);
      const length = new DataView(plaintext.buffer).getUint32(0);
      if (length > CONTENT_BYTES) return null;
      return JSON.parse(text(plaintext.slice(4, 4 + length)));
    } catch (error) {
      // Anyone who knows our outer key can put anything inside; then it is not a message.
      if (error instanceof NotSealedForUs || error instanceof SyntaxError || error instanceof TypeError) return null;
      throw error;
    }
  }
}
