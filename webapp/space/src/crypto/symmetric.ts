// HKDF-SHA256 and AES-256-GCM by WebCrypto. Owns nothing; keys come in and are not kept.

import { type Bytes, utf8 } from "../bytes.js";

/** A fresh-salted AES-256-GCM key from `master` (32 bytes) by HKDF-SHA256 (RFC 5869); never leaves WebCrypto. */
export async function subkey(master: Bytes, salt: Bytes, info: string): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey("raw", master, "HKDF", false, ["deriveKey"]);
  const parameters = { name: "HKDF", hash: "SHA-256", salt, info: utf8(info) };
  return crypto.subtle.deriveKey(parameters, base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

/** AES-256-GCM with a 12-byte `nonce` and a 16-byte tag behind the ciphertext. */
export async function encrypt(key: CryptoKey, nonce: Bytes, plaintext: Bytes, associated: Bytes): Promise<Bytes> {
  const parameters = { name: "AES-GCM", iv: nonce, additionalData: associated };
  return new Uint8Array(await crypto.subtle.encrypt(parameters, key, plaintext));
}

/** The plaintext. Throws OperationError when key, nonce, associated data or ciphertext differ. */
export async function decrypt(key: CryptoKey, nonce: Bytes, ciphertext: Bytes, associated: Bytes): Promise<Bytes> {
  const parameters = { name: "AES-GCM", iv: nonce, additionalData: associated };
  return new Uint8Array(await crypto.subtle.decrypt(parameters, key, ciphertext));
}
