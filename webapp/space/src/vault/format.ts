// The vault's sealed form, one blob of a size that depends on years since enrolment and on nothing else.
//
// Owns: `format (1) || salt (32) || AES-256-GCM(length (4) || deflated JSON || zeros)`. The key is HKDF-SHA256(master,
// salt, "wardwell/v1/vault"), fresh for each write, so that the all-zero nonce is used once per key. Associated data is
// the canonical JSON of handle, format and version: a blob opens for its owner and its version only, and a server that
// hands out an old blob under a new number is refused. Must never see: the passphrase, the network.

import { type Bytes, concat, random, text, utf8 } from "../bytes.js";
import { constants } from "../constants.js";
import { canonical } from "../crypto/canonical.js";
import { decrypt, encrypt, subkey } from "../crypto/symmetric.js";
import { Problem } from "../net.js";
import type { Snapshot } from "./records.js";

const FORMAT = constants.vault_format;
const SALT = 32;
const TAG = 16;
const NONCE = new Uint8Array(12);
const INFO = `${constants.info_prefix}/${constants.kinds.vault}`;

/** The content does not fit into the size that this year allows. */
export class TooLarge extends Error {
  constructor(
    readonly needed: number,
    readonly allowed: number,
  ) {
    super("the vault's content does not fit");
  }
}

/**
 * Size in bytes of every blob of someone who enrolled on `enrolledOn` ("2026-11-23"), at `now`; desk refuses others.
 */
export function blobSize(enrolledOn: string, now: Date): number {
  const today = now.toISOString().slice(0, 10);
  const anniversaryAhead = today.slice(5) < enrolledOn.slice(5) ? 1 : 0;
  const years = Number(today.slice(0, 4)) - Number(enrolledOn.slice(0, 4)) - anniversaryAhead;
  return constants.vault_base_bytes + years * constants.vault_bytes_per_year;
}

async function through(stream: CompressionStream | DecompressionStream, bytes: Bytes): Promise<Bytes> {
  const output = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(output).arrayBuffer());
}

function associated(handle: string, version: number): Bytes {
  return canonical({ handle, format: FORMAT, version });
}

/** Seal `snapshot` as version `version` into exactly `size` bytes. Throws TooLarge. */
export async function sealVault(
  master: Bytes,
  handle: string,
  version: number,
  snapshot: Snapshot,
  size: number,
): Promise<Bytes> {
  const content = await through(new CompressionStream("deflate-raw"), utf8(JSON.stringify(snapshot)));
  const room = size - 1 - SALT - TAG;
  if (content.length + 4 > room) throw new TooLarge(content.length + 4, room);
  const padded = new Uint8Array(room);
  new DataView(padded.buffer).setUint32(0, content.length);
  padded.set(content, 4);
  const salt = random(SALT);
  const key = await subkey(master, salt, INFO);
  return concat(Uint8Array.of(FORMAT), salt, await encrypt(key, NONCE, padded, associated(handle, version)));
}

/**
 * Open a blob. Throws Error when it was altered or is another person's, another version's or another key's, and Problem
 * when it is of a later format than these pages know.
 */
export async function openVault(master: Bytes, handle: string, version: number, blob: Bytes): Promise<Snapshot> {
  if ((blob[0] ?? 0) > FORMAT) {
    throw new Problem(
      "vault_newer",
      "Your private space was saved by a later version of these pages.",
      "Reload this page with Ctrl+F5. If it says so again, tell the officers' trustee; nothing was changed.",
    );
  }
  if (blob[0] !== FORMAT) throw new Error("an unknown vault format");
  const key = await subkey(master, blob.slice(1, 1 + SALT), INFO);
  const padded = await decrypt(key, NONCE, blob.slice(1 + SALT), associated(handle, version));
  const length = new DataView(padded.buffer).getUint32(0);
  const content = await through(new DecompressionStream("deflate-raw"), padded.slice(4, 4 + length));
  return JSON.parse(text(content)) as Snapshot;
}
