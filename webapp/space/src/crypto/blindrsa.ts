// Blind RSA signatures, RFC 9474, variant RSABSSA-SHA384-PSS-Randomized: who signs never sees what was signed.
//
// Owns: prepare, blind, finalize. The signer's half is `appliance/crypto/blindrsa.py`; both are tested with the RFC's
// own vector and against each other. Must never see: who asks. BigInt arithmetic is not constant-time; what it is done
// with is drawn for one ticket and forgotten, and nobody can measure it but this page.

import { type Bytes, concat, hex, random, unbase64, unhex } from "../bytes.js";

const PREFIX_BYTES = 32;
const HASH_BYTES = 48;
const SALT_BYTES = 48;
const PSS = { name: "RSA-PSS", saltLength: SALT_BYTES };

/** What goes to the signer (`message`, as long as the modulus) and what must stay (`inverse`). */
export interface Blinded {
  readonly message: Bytes;
  readonly inverse: bigint;
}

interface PublicNumbers {
  readonly n: bigint;
  readonly e: bigint;
  readonly bits: number;
}

/** 32 random bytes and `message`. */
export function prepare(message: Uint8Array): Bytes {
  return concat(random(PREFIX_BYTES), message);
}

/** Blind a prepared message for an RSA-PSS key with SHA-384. `salt` and `inverse` are for the RFC's test vector. */
export async function blind(
  key: CryptoKey,
  prepared: Bytes,
  { salt = random(SALT_BYTES), inverse = 0n }: { readonly salt?: Bytes; readonly inverse?: bigint } = {},
): Promise<Blinded> {
  const { n, e, bits } = await numbers(key);
  const m = integer(await pssEncode(prepared, bits - 1, salt));
  if (inverted(m, n) === null) throw new Error("that message cannot be signed by this key");
  const kept = inverse || unit(n);
  const r = inverted(kept, n);
  if (r === null) throw new Error("that number has no inverse");
  return { message: octets((m * power(r, e, n)) % n, bits), inverse: kept };
}

/** The signature of a prepared message. Throws Error when the signer signed something else. */
export async function finalize(
  key: CryptoKey,
  prepared: Bytes,
  blindSignature: Bytes,
  inverse: bigint,
): Promise<Bytes> {
  const { n, bits } = await numbers(key);
  if (blindSignature.length !== Math.ceil(bits / 8)) throw new Error("that is not a blind signature");
  const signature = octets((integer(blindSignature) * inverse) % n, bits);
  if (!(await crypto.subtle.verify(PSS, key, signature, prepared)))
    throw new Error("the ticket was not signed by this key");
  return signature;
}

async function numbers(key: CryptoKey): Promise<PublicNumbers> {
  const { n = "", e = "" } = await crypto.subtle.exportKey("jwk", key);
  const read = (value: string) => integer(unbase64(value.replaceAll("-", "+").replaceAll("_", "/")));
  return { n: read(n), e: read(e), bits: (key.algorithm as RsaHashedKeyAlgorithm).modulusLength };
}

async function sha384(...parts: Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-384", concat(...parts)));
}

// EMSA-PSS-ENCODE, RFC 8017, 9.1.1, with MGF1, B.2.1.
async function pssEncode(message: Bytes, bits: number, salt: Bytes): Promise<Bytes> {
  const size = Math.ceil(bits / 8);
  if (salt.length !== SALT_BYTES || size < HASH_BYTES + SALT_BYTES + 2)
    throw new Error("salt or key has the wrong size");
  const digest = await sha384(new Uint8Array(8), await sha384(message), salt);
  const block = concat(new Uint8Array(size - SALT_BYTES - HASH_BYTES - 2), new Uint8Array([1]), salt);
  for (let at = 0, counter = 0; at < block.length; at += HASH_BYTES, counter++) {
    const mask = await sha384(digest, unhex(counter.toString(16).padStart(8, "0")));
    block.set(
      block.subarray(at).map((byte, i) => byte ^ (mask[i] ?? 0)),
      at,
    );
  }
  block[0] = (block[0] ?? 0) & (0xff >> (8 * size - bits));
  return concat(block, digest, new Uint8Array([0xbc]));
}

function integer(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex(bytes) || "0"}`);
}

function octets(value: bigint, bits: number): Bytes {
  return unhex(value.toString(16).padStart(2 * Math.ceil(bits / 8), "0"));
}

function power(base: bigint, exponent: bigint, n: bigint): bigint {
  let result = 1n;
  for (let [factor, left] = [base % n, exponent]; left > 0n; left >>= 1n, factor = (factor * factor) % n) {
    if (left & 1n) result = (result * factor) % n;
  }
  return result;
}

/** The inverse of `value` modulo `n` by the extended Euclidean algorithm; null when there is none. */
function inverted(value: bigint, n: bigint): bigint | null {
  let [a, b, x, y] = [value % n, n, 1n, 0n];
  while (a !== 0n) [a, b, x, y] = [b % a, a, y - (b / a) * x, x];
  return b === 1n ? ((y % n) + n) % n : null;
}

/** A random number below `n`, not 0, with an inverse: 128 bits more than `n` has make the remainder even. */
function unit(n: bigint): bigint {
  for (;;) {
    const value = integer(random(n.toString(16).length / 2 + 16)) % n;
    if (value > 0n && inverted(value, n) !== null) return value;
  }
}
