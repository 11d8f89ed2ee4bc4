// C2SP signed notes: the ledger's checkpoint and the witness's cosignature (c2sp.org/signed-note, tlog-cosignature).
//
// Owns: reading a note, its signature lines and verifier keys. A line by an unknown key is ignored, as the format asks.

import { type Bytes, base64, concat, equal, hex, sha256, text, unbase64, utf8 } from "../bytes.js";
import { verifyEd25519 } from "./sshsig.js";

const ED25519 = 1;
const COSIGNATURE = 4;

/** A verifier key "name+hash+base64(type || Ed25519 key)". */
export interface Verifier {
  readonly name: string;
  readonly hash: Bytes;
  readonly kind: number;
  readonly key: Bytes;
}

/** A checkpoint's three lines: whose log, how many leaves, the RFC 6962 root over them. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Bytes;
}

/** Read a verifier key. Throws Error unless it is Ed25519 or cosignature/v1 and its hash matches. */
export async function readVerifier(vkey: string): Promise<Verifier> {
  const match = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey.trim());
  if (!match) throw new Error("that is not a verifier key");
  const [, name = "", hash = "", encoded = ""] = match;
  const bytes = unbase64(encoded);
  const kind = bytes[0] ?? 0;
  if ((kind !== ED25519 && kind !== COSIGNATURE) || bytes.length !== 33) throw new Error("an unknown kind of key");
  const digest = await sha256(utf8(`${name}\n`), bytes);
  const short = digest.slice(0, 4);
  if (hex(short) !== hash) throw new Error("wrong key hash");
  return { name, hash: short, kind, key: bytes.slice(1) };
}

interface Line {
  readonly name: string;
  readonly hash: Bytes;
  readonly signature: Bytes;
}

function split(note: string): { body: string; lines: Line[] } {
  const at = note.lastIndexOf("\n\n");
  if (at < 0) throw new Error("that is not a signed note");
  const lines = note
    .slice(at + 2)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const match = /^\u2014 (\S+) ([A-Za-z0-9+/=]+)$/.exec(line);
      if (!match) throw new Error("that is not a signature line");
      const bytes = unbase64(match[2] ?? "");
      return { name: match[1] ?? "", hash: bytes.slice(0, 4), signature: bytes.slice(4) };
    });
  return { body: note.slice(0, at + 1), lines };
}

function parse(body: string): Checkpoint {
  const [origin = "", size = "", root = ""] = body.split("\n");
  if (!/^(0|[1-9][0-9]*)$/.test(size)) throw new Error("that is not a checkpoint");
  const bytes = unbase64(root);
  if (bytes.length !== 32 || base64(bytes) !== root) throw new Error("that is not a checkpoint");
  return { origin, size: Number(size), root: bytes };
}

/** The text of `note` when `verifier` signed it. Throws Error otherwise. */
export async function openNote(note: string, verifier: Verifier): Promise<string> {
  const { body, lines } = split(note);
  for (const line of lines) {
    if (line.name !== verifier.name || !equal(line.hash, verifier.hash)) continue;
    if (line.signature.length === 64 && (await verifyEd25519(verifier.key, line.signature, utf8(body)))) return body;
  }
  throw new Error("the note is not signed by that key");
}

/** The checkpoint in `note` when `verifier` (the ledger) signed it. Throws Error otherwise. */
export async function openCheckpoint(note: Uint8Array, verifier: Verifier): Promise<Checkpoint> {
  const checkpoint = parse(await openNote(text(note), verifier));
  if (checkpoint.origin !== verifier.name) throw new Error("the checkpoint is of another log");
  return checkpoint;
}

/** When `witness` cosigned the checkpoint in `note` (seconds since 1970), or null when it did not. */
export async function cosignedAt(note: Uint8Array, witness: Verifier): Promise<number | null> {
  const { body, lines } = split(text(note));
  for (const line of lines) {
    if (line.name !== witness.name || !equal(line.hash, witness.hash) || line.signature.length !== 72) continue;
    const time = Number(new DataView(concat(line.signature.slice(0, 8)).buffer).getBigUint64(0));
    const signed = utf8(`cosignature/v1\ntime ${time}\n${body}`);
    if (await verifyEd25519(witness.key, line.signature.slice(8), signed)) return time;
  }
  return null;
}
