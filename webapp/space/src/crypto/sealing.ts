// The one sealing primitive: HPKE base mode with X-Wing, HKDF-SHA256 and ChaCha20-Poly1305 (RFC 9180).
//
// Owns: key pairs from a 32-byte X-Wing seed, seal and open; twin of `appliance/crypto/sealing.py`.
// Sealed form: `enc (1120 bytes) || ciphertext`. `info` names version, kind and recipient (see `constants.info`).

import { CipherSuite, HkdfSha256 } from "@hpke/core";
import { Chacha20Poly1305 } from "@hpke/chacha20poly1305";
import { XWing } from "@hpke/hybridkem-x-wing";
import { concat, copy, random, type Bytes } from "../bytes.js";

export const SEED_BYTES = 32;
export const PUBLIC_KEY_BYTES = 1184 + 32;
export const ENC_BYTES = 1120;
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

function suite(): { kem: XWing; hpke: CipherSuite } {
  const kem = new XWing();
  return { kem, hpke: new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Chacha20Poly1305() }) };
}

/** A key pair from `seed` (32 bytes), or a fresh one. */
export async function keyPair(seed: Bytes = random(SEED_BYTES)): Promise<KeyPair> {
  if (seed.length !== SEED_BYTES) throw new Error("an X-Wing seed is 32 bytes");
  const { kem } = suite();
  const pair = await kem.generateKeyPairDerand(copy(seed));
  return { seed, public: new Uint8Array(await kem.serializePublicKey(pair.publicKey)) };
}

/** Seal `plaintext` to the 1216-byte `publicKey`: OVERHEAD_BYTES longer than the plaintext. */
export async function seal(publicKey: Uint8Array, plaintext: Uint8Array, info: Uint8Array): Promise<Bytes> {
  if (publicKey.length !== PUBLIC_KEY_BYTES) throw new Error("an X-Wing public key is 1216 bytes");
  const { kem, hpke } = suite();
  const key = await kem.deserializePublicKey(copy(publicKey));
  const { ct, enc } = await hpke.seal({ recipientPublicKey: key, info: copy(info) }, copy(plaintext));
  return concat(new Uint8Array(enc), new Uint8Array(ct));
}

/** Open what `seal` made. Throws NotSealedForUs. */
export async function open(seed: Bytes, sealed: Uint8Array, info: Uint8Array): Promise<Bytes> {
  if (sealed.length < OVERHEAD_BYTES) throw new NotSealedForUs();
  const { kem, hpke } = suite();
  const pair = await kem.generateKeyPairDerand(copy(seed));
  try {
    const opened = await hpke.open(
      { recipientKey: pair.privateKey, enc: copy(sealed.subarray(0, ENC_BYTES)), info: copy(info) },
      copy(sealed.subarray(ENC_BYTES)),
    );
    return new Uint8Array(opened);
  } catch {
    throw new NotSealedForUs();
  }
}
