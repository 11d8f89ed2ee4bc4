// The master key wrapped in age files: one per secret (scrypt recipient; the stock `age` tool opens them), and one for
// a security key (WebAuthn PRF) if the officer adds one.
//
// Owns: the least work factor, written here and not only in the shared constants, so that a changed constants file
// cannot lower it unnoticed. Must never see: the vault's content, the network.

import { Decrypter, Encrypter, webauthn } from "age-encryption";
import { type Bytes, base64, copy, text, unbase64 } from "../bytes.js";
import { constants } from "../constants.js";
import { Problem } from "../net.js";

/** scrypt's N is 2 to this power at the least: 256 MiB and about a second per guess, on top of 77 bits. */
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

/**
 * The work factor (log2 of scrypt's N) that `file`'s header names, or null when it is no passphrase-protected age file.
 */
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
  let file: Bytes;
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

/**
 * What a security key answers when its owner cancels, is too late, or uses another one (WebAuthn, section 14.5.2: all
 * alike).
 */
const REFUSALS = ["NotAllowedError", "AbortError", "InvalidStateError"];

async function withKey<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof Error && REFUSALS.includes(error.name)) {
      throw new Problem(
        "key_not_used",
        "The security key was not used.",
        "Put in the key that you added, touch it, and type its PIN.",
      );
    }
    if (error instanceof Error && /PRF/.test(error.message)) {
      throw new Problem(
        "key_too_old",
        "This security key or browser cannot do that.",
        "Use a FIDO2 key with a PIN (hmac-secret).",
      );
    }
    throw error;
  }
}

/**
 * `master` wrapped for a fresh credential on a security key: its identity string, a line break, a base64 age file. The
 * key stores nothing of its own, so that nobody who finds it learns what it opens. Throws Problem.
 */
export async function wrapForKey(master: Bytes): Promise<string> {
  return withKey(async () => {
    const identity = await webauthn.createCredential({ type: "security-key", keyName: "Private space" });
    const encrypter = new Encrypter();
    encrypter.addRecipient(new webauthn.WebAuthnRecipient({ identity }));
    return `${identity}\n${base64(await encrypter.encrypt(master))}`;
  });
}

/** The master key by the security key. Throws Problem when it is not used, or when the file was altered. */
export async function unwrapByKey(wrapped: string): Promise<Bytes> {
  const [identity = "", file = ""] = wrapped.split("\n");
  return withKey(async () => {
    try {
      const decrypter = new Decrypter();
      decrypter.addIdentity(new webauthn.WebAuthnIdentity({ identity }));
      return copy(await decrypter.decrypt(unbase64(file)));
    } catch (error) {
      if (error instanceof Error && (REFUSALS.includes(error.name) || /PRF/.test(error.message))) throw error;
      throw altered();
    }
  });
}
