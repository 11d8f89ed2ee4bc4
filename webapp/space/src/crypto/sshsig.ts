// OpenSSH signatures (PROTOCOL.sshsig) by Ed25519 keys: read a public key, its fingerprint, verify a signature.
//
// Owns: the wire formats. Accepts Ed25519 and SHA-512 or SHA-256 only; anything else is refused, not guessed at.

import { type Bytes, base64, concat, equal, sha256, text, unbase64, utf8 } from "../bytes.js";

/** An Ed25519 public key as OpenSSH writes it: `blob` is the wire form, `raw` the 32 bytes. */
export interface PublicKey {
  readonly blob: Bytes;
  readonly raw: Bytes;
}

const MAGIC = utf8("SSHSIG");
const ED25519 = "ssh-ed25519";

class Reader {
  private at = 0;
  constructor(private readonly bytes: Bytes) {}

  fixed(length: number): Bytes {
    if (this.at + length > this.bytes.length) throw new Error("the signature ends too early");
    this.at += length;
    return this.bytes.slice(this.at - length, this.at);
  }

  uint32(): number {
    return new DataView(this.fixed(4).buffer).getUint32(0);
  }

  string(): Bytes {
    return this.fixed(this.uint32());
  }

  end(): void {
    if (this.at !== this.bytes.length) throw new Error("bytes are left over");
  }
}

function sshString(bytes: Uint8Array): Bytes {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concat(length, bytes);
}

function fromBlob(blob: Bytes): PublicKey {
  const reader = new Reader(blob);
  if (text(reader.string()) !== ED25519) throw new Error("only Ed25519 keys are accepted");
  const raw = reader.string();
  reader.end();
  if (raw.length !== 32) throw new Error("an Ed25519 key is 32 bytes");
  return { blob, raw };
}

/** Read one line "ssh-ed25519 AAAA… comment". Throws Error for anything else. */
export function readPublicKey(line: string): PublicKey {
  const [kind, blob] = line.trim().split(/\s+/);
  if (kind !== ED25519 || blob === undefined) throw new Error("that is not an ssh-ed25519 public key");
  return fromBlob(unbase64(blob));
}

/** "SHA256:…", as `ssh-keygen -l` prints it. */
export async function fingerprint(key: PublicKey): Promise<string> {
  return `SHA256:${base64(await sha256(key.blob)).replace(/=+$/, "")}`;
}

function unarmor(armored: string): Bytes {
  const match = /^-----BEGIN SSH SIGNATURE-----\s+([A-Za-z0-9+/=\s]+)-----END SSH SIGNATURE-----\s*$/.exec(armored);
  if (!match?.[1]) throw new Error("that is not an SSH signature");
  return unbase64(match[1].replace(/\s+/g, ""));
}

/** Whether `raw` (32 bytes, Ed25519) signed `message`. */
export async function verifyEd25519(raw: Bytes, signature: Bytes, message: Bytes): Promise<boolean> {
  const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, message);
}

/**
 * Whether `armored` is `key`'s signature of `message` under `namespace`. A signature by another key, for another
 * namespace, or of another message gives false; so does one that cannot be read.
 */
export async function verify(key: PublicKey, namespace: string, message: Bytes, armored: string): Promise<boolean> {
  try {
    const reader = new Reader(unarmor(armored));
    if (!equal(reader.fixed(6), MAGIC) || reader.uint32() !== 1) return false;
    const signer = fromBlob(reader.string());
    const signedNamespace = text(reader.string());
    const reserved = reader.string();
    const hash = text(reader.string());
    const signature = new Reader(reader.string());
    reader.end();
    const signatureKind = text(signature.string());
    const raw = signature.string();
    signature.end();
    const digests: Record<string, string> = { sha256: "SHA-256", sha512: "SHA-512" };
    const algorithm = digests[hash];
    if (!equal(signer.blob, key.blob) || signedNamespace !== namespace) return false;
    if (signatureKind !== ED25519 || raw.length !== 64 || algorithm === undefined) return false;
    const digest = new Uint8Array(await crypto.subtle.digest(algorithm, message));
    const signed = concat(
      MAGIC,
      sshString(utf8(namespace)),
      sshString(reserved),
      sshString(utf8(hash)),
      sshString(digest),
    );
    return await verifyEd25519(key.raw, raw, signed);
  } catch {
    return false;
  }
}
