// The master key wrapped in age files (scrypt recipient), one per secret. The stock `age` tool opens them.
//
// Owns: the least work factor, written here and not only in the shared constants, so that a changed constants file cannot
// lower it unnoticed. Must never see: the vault's content, the network.

import { Decrypter, Encrypter } from "age-encryption";
import { base64, copy, text, unbase64, type Bytes } from "../bytes.js";
import { constants } from "../constants.js";

/** scrypt's N is 2 to this power at the least: 64 MiB and a fraction of a second per guess, on top of 66 bits. */
export const LEAST_LOG_N = 16;
const LOG_N = Math.max(LEAST_LOG_N, constants.age_scrypt_log_n);

/** `master` (32 bytes) wrapped under `secret`: a base64 age file. */
export async function wrap(master: Bytes, secret: string): Promise<string> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(secret);
  encrypter.setScryptWorkFactor(LOG_N);
  return base64(await encrypter.encrypt(master));
}

/** The master key, or null when `secret` is wrong. Throws Error when the file is no age file or too weak. */
export async function unwrap(wrapped: string, secret: string): Promise<Bytes | null> {
  const file = unbase64(wrapped);
  const header = text(file.slice(0, file.indexOf(0x0a, file.indexOf(0x0a) + 1)));
  const logN = /^age-encryption\.org\/v1\n-> scrypt \S+ ([0-9]+)$/.exec(header)?.[1];
  if (logN === undefined) throw new Error("that is not a passphrase-protected age file");
  if (Number(logN) < LEAST_LOG_N) throw new Error("the file's work factor is too low");
  const decrypter = new Decrypter();
  decrypter.addPassphrase(secret);
  try {
    return copy(await decrypter.decrypt(file));
  } catch {
    return null;
  }
}
