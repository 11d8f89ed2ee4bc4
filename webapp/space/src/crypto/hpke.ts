// HPKE base mode (RFC 9180) with HKDF-SHA256 and ChaCha20-Poly1305, over one of two key encapsulations.
//
// Owns: the key schedule, X-Wing (draft-connolly-cfrg-xwing-kem: ML-KEM-768 with X25519) and DHKEM(X25519,
// HKDF-SHA256). One message per encapsulated key, so the sequence number is always 0. Must never see: what is sealed to
// whom, and why.

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { type Bytes, concat, copy, random, unhex, utf8 } from "../bytes.js";

const NONE = new Uint8Array(0);
const X25519_BYTES = 32;
const MLKEM_PUBLIC = 1184;
const MLKEM_CIPHERTEXT = 1088;
const XWING_LABEL = utf8("\\.//^\\");

/** A key encapsulation mechanism. Lengths in bytes; `secret` is 32 bytes for both. */
export interface Kem {
  readonly id: number;
  readonly publicBytes: number;
  readonly encBytes: number;
  /** The public key of a secret one. */
  publicKey(secret: Bytes): Promise<Bytes>;
  /** A fresh shared secret, and what tells it to the recipient; from `randomness` where a test gives some. */
  encapsulate(publicKey: Bytes, randomness?: Bytes): Promise<Encapsulated>;
  /** The shared secret. Throws Error for an `enc` that no sender makes. */
  decapsulate(secret: Bytes, enc: Bytes): Promise<Bytes>;
}

interface Encapsulated {
  readonly enc: Bytes;
  readonly shared: Bytes;
}

const uint16 = (value: number): Bytes => Uint8Array.of(value >> 8, value & 255);

// --- the labelled HKDF of RFC 9180, section 4
// ---------------------------------------------------------------------------

const labelled = (suite: Bytes, label: string) => concat(utf8("HPKE-v1"), suite, utf8(label));

function labelledExtract(suite: Bytes, salt: Bytes, label: string, key: Bytes): Bytes {
  return copy(extract(sha256, concat(labelled(suite, label), key), salt));
}

function labelledExpand(suite: Bytes, key: Bytes, label: string, info: Bytes, length: number): Bytes {
  return copy(expand(sha256, key, concat(uint16(length), labelled(suite, label), info), length));
}

// --- X25519 by WebCrypto, which is many times faster than scripts are; a board is tried cell by cell
// ----------------------

interface CurvePair {
  readonly key: CryptoKey;
  readonly publicKey: Bytes;
}

// A secret key in PKCS #8 is this and its 32 bytes (RFC 8410).
const PKCS8 = unhex("302e020100300506032b656e04220420");
const BASE_POINT = Uint8Array.of(9, ...new Uint8Array(X25519_BYTES - 1));
// Read once for as long as its owner holds it.
const pairs = new WeakMap<Bytes, Promise<CurvePair>>();

/** Throws OperationError for a shared secret of zeros, as section 7.1.4 demands. */
async function agree(key: CryptoKey, publicKey: Bytes): Promise<Bytes> {
  const other = await crypto.subtle.importKey("raw", publicKey, "X25519", false, []);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: other }, key, 8 * X25519_BYTES));
}

async function readPair(secret: Bytes): Promise<CurvePair> {
  const key = await crypto.subtle.importKey("pkcs8", concat(PKCS8, secret), "X25519", false, ["deriveBits"]);
  return { key, publicKey: await agree(key, BASE_POINT) };
}

function pairOf(secret: Bytes): Promise<CurvePair> {
  const pair = pairs.get(secret) ?? readPair(secret);
  pairs.set(secret, pair);
  return pair;
}

// --- DHKEM(X25519, HKDF-SHA256), section 4.1
// ----------------------------------------------------------------------------

function extractAndExpand(dh: Bytes, enc: Bytes, publicKey: Bytes): Bytes {
  const suite = concat(utf8("KEM"), uint16(X25519.id));
  const key = labelledExtract(suite, NONE, "eae_prk", dh);
  return labelledExpand(suite, key, "shared_secret", concat(enc, publicKey), 32);
}

export const X25519: Kem = {
  id: 0x0020,
  publicBytes: X25519_BYTES,
  encBytes: X25519_BYTES,
  publicKey: async (secret) => (await pairOf(secret)).publicKey,
  async encapsulate(publicKey, randomness = random(X25519_BYTES)) {
    const own = await readPair(randomness);
    const dh = await agree(own.key, publicKey);
    return { enc: own.publicKey, shared: extractAndExpand(dh, own.publicKey, publicKey) };
  },
  async decapsulate(secret, enc) {
    const own = await pairOf(secret);
    return extractAndExpand(await agree(own.key, enc), enc, own.publicKey);
  },
};

// --- X-Wing
// -------------------------------------------------------------------------------------------------------------

async function xwingKeys(seed: Bytes) {
  const expanded = shake256(seed, { dkLen: 96 });
  const { publicKey, secretKey } = ml_kem768.keygen(expanded.subarray(0, 64));
  return { secretKey, lattice: copy(publicKey), curve: await readPair(copy(expanded.subarray(64))) };
}

const combine = (lattice: Uint8Array, dh: Bytes, ephemeral: Bytes, publicKey: Bytes): Bytes =>
  copy(sha3_256(concat(lattice, dh, ephemeral, publicKey, XWING_LABEL)));

export const XWing: Kem = {
  id: 0x647a,
  publicBytes: MLKEM_PUBLIC + X25519_BYTES,
  encBytes: MLKEM_CIPHERTEXT + X25519_BYTES,
  async publicKey(seed) {
    const { lattice, curve } = await xwingKeys(seed);
    return concat(lattice, curve.publicKey);
  },
  async encapsulate(publicKey, randomness = random(64)) {
    const curve = publicKey.slice(MLKEM_PUBLIC);
    const sent = ml_kem768.encapsulate(publicKey.slice(0, MLKEM_PUBLIC), randomness.slice(0, 32));
    const own = await readPair(randomness.slice(32));
    const dh = await agree(own.key, curve);
    return {
      enc: concat(sent.cipherText, own.publicKey),
      shared: combine(sent.sharedSecret, dh, own.publicKey, curve),
    };
  },
  async decapsulate(seed, enc) {
    const { secretKey, curve } = await xwingKeys(seed);
    const ephemeral = enc.slice(MLKEM_CIPHERTEXT);
    const lattice = ml_kem768.decapsulate(enc.slice(0, MLKEM_CIPHERTEXT), secretKey);
    return combine(lattice, await agree(curve.key, ephemeral), ephemeral, curve.publicKey);
  },
};

// --- base mode, section 5.1 and 6.1
// -------------------------------------------------------------------------------------

function cipher(kem: Kem, secret: Bytes, info: Bytes, associated: Bytes) {
  // KDF 1 is HKDF-SHA256, AEAD 3 ChaCha20-Poly1305; mode 0 has no pre-shared key.
  const suite = concat(utf8("HPKE"), uint16(kem.id), uint16(1), uint16(3));
  const context = concat(
    Uint8Array.of(0),
    labelledExtract(suite, NONE, "psk_id_hash", NONE),
    labelledExtract(suite, NONE, "info_hash", info),
  );
  const scheduled = labelledExtract(suite, secret, "secret", NONE);
  const key = labelledExpand(suite, scheduled, "key", context, 32);
  return chacha20poly1305(key, labelledExpand(suite, scheduled, "base_nonce", context, 12), associated);
}

/** `enc || ciphertext` for `publicKey`. Throws Error for a key that is none. `randomness`: for test vectors alone. */
export async function sealBase(
  kem: Kem,
  publicKey: Bytes,
  plaintext: Bytes,
  info: Bytes,
  associated: Bytes = NONE,
  randomness?: Bytes,
): Promise<Bytes> {
  if (publicKey.length !== kem.publicBytes) throw new Error(`a public key is ${kem.publicBytes} bytes here`);
  const { enc, shared } = await kem.encapsulate(publicKey, randomness);
  return concat(enc, copy(cipher(kem, shared, info, associated).encrypt(plaintext)));
}

/** What `sealBase` sealed. Throws Error when it was sealed to another key or for another purpose, or altered. */
export async function openBase(
  kem: Kem,
  secret: Bytes,
  sealed: Bytes,
  info: Bytes,
  associated: Bytes = NONE,
): Promise<Bytes> {
  const shared = await kem.decapsulate(secret, sealed.slice(0, kem.encBytes));
  return copy(cipher(kem, shared, info, associated).decrypt(sealed.slice(kem.encBytes)));
}
