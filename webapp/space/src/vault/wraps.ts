// The master key wrapped in age files (scrypt recipient), one per secret. The stock `age` tool opens them.
//
// Owns: the least work factor, written here and not only in the shared constants, so that a changed constants file cannot
// lower it unnoticed. Must never see: the vault's content, the network.

import { Decrypter, Encrypter } from "age-encryption";
import { base64, copy, text, unbase64, type Bytes } from "../bytes.js";
import { constants } from "../constants.js";
import { Problem } from "../net.js";

/** scrypt's N is 2 to this power at the least: 256 MiB and about a second per guess, on top of 66 bits. */
export const LEAST_LOG_N = 18;
const LOG_N = Math.max(LEAST_LOG_N, constants.age_scrypt_log_n);

/** `master` (32 bytes) wrapped under `secret`: a base64 age file. */
export async function wrap(master: Bytes, secret: string): Promise<string> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(secret);
  encrypter.setScryptWorkFactor(LOG_N);
  return base64(await encrypter.encrypt(master));
}

function altered(): Problem {
  return new Problem(
    "wrap_altered",
    "The stored key file of your private space is damaged or was altered.",
    "Try your recovery code if you used your words, or the other way round, and tell the officers' trustee.",
  );
}

/** The work factor (log2 of scrypt's N) that `file`'s header names, or null when it is no passphrase-protected age file. */
function workFactor(file: Bytes): number | null {
  try {
    const header = text(file.slice(0, file.indexOf(0x0a, file.indexOf(0x0a) + 1)));
    return Number(/^age-encryption\.org\/v1\n-> scrypt \S+ ([1-9][0-9]?)$/.exec(header)?.[1] ?? Number.NaN) || null;
  } catch {
    return null;
  }
}

/** The master key, or null when `secret` is wrong. Throws Problem when the file was altered or asks for other work. */
export async function unwrap(wrapped: string, secret: string): Promise<Bytes | null> {
  let file;
  try {
    file = unbase64(wrapped);
  } catch {
    throw altered();
  }
  const logN = workFactor(file);
  if (logN === null) throw altered();
  if (logN < LEAST_LOG_N) {
    throw new Problem(
      "weak_key_file",
      "The stored key file asks for less work than this browser allows: its work factor is too low. Your words were not used.",
      "Do not go on. Tell the officers' trustee that somebody replaced the key file of your private space.",
    );
  }
  const decrypter = new Decrypter();
  decrypter.addPassphrase(secret);
  try {
    return copy(await decrypter.decrypt(file));
  } catch (error) {
    // What age says of a wrong secret; whatever else fails, fails because the file was altered.
    if (error instanceof Error && /no identity matched/.test(error.message)) return null;
    throw altered();
  }
}
