// The one sealing primitive: HPKE base mode with X-Wing, HKDF-SHA256 and ChaCha20-Poly1305 (RFC 9180).
//
// Owns: key pairs from a 32-byte X-Wing seed, seal and open; twin of `appliance/crypto/sealing.py`.
// Sealed form: `enc (1120 bytes) || ciphertext`. `info` names version, kind and recipient (see `constants.info`).

import { type Bytes, copy, random } from "../bytes.js";
import { openBase, sealBase, XWing } from "./hpke.js";

export const SEED_BYTES = 32;
export const PUBLIC_KEY_BYTES = XWing.publicBytes;
export const ENC_BYTES = XWing.encBytes;
export const OVERHEAD_BYTES = ENC_BYTES + 16;

/** Sealed for another key or purpose, or altered on the way. */
export class NotSealedForUs extends Error {
  constructor() {
    super("This was not sealed to your key, or it was altered.");
  }
}

/** An X-Wing key pair: `seed` is 32 bytes and secret, `public` 1216 bytes. */
export interface KeyPair {
  readonly seed: Bytes;
  readonly public: Bytes;
}

/** A key pair from `seed` (32 bytes), or a fresh one. */
export async function keyPair(seed: Bytes = random(SEED_BYTES)): Promise<KeyPair> {
  if (seed.length !== SEED_BYTES) throw new Error("an X-Wing seed is 32 bytes");
  return { seed, public: await XWing.publicKey(seed) };
}

/** Seal `plaintext` to the 1216-byte `publicKey`: OVERHEAD_BYTES longer than the plaintext. */
export async function seal(publicKey: Uint8Array, plaintext: Uint8Array, info: Uint8Array): Promise<Bytes> {
  return sealBase(XWing, copy(publicKey), copy(plaintext), copy(info));
}

/** Open what `seal` made. Throws NotSealedForUs. */
export async function open(seed: Bytes, sealed: Uint8Array, info: Uint8Array): Promise<Bytes> {
  if (sealed.length < OVERHEAD_BYTES) throw new NotSealedForUs();
  try {
    return await openBase(XWing, seed, copy(sealed), copy(info));
  } catch {
    throw new NotSealedForUs();
  }
}
