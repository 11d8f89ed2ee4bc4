// Small helpers over byte arrays. Owns: base64, hex, UTF-8, joining, comparing, randomness. Holds no state.

/** Bytes backed by a plain ArrayBuffer, which is what WebCrypto takes. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** The UTF-8 bytes of `text`. */
export function utf8(text: string): Bytes {
  return encoder.encode(text) as Bytes;
}

/** The text of UTF-8 `bytes`. Throws TypeError on anything that is not UTF-8. */
export function text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** A copy of `bytes` in its own ArrayBuffer. */
export function copy(bytes: Uint8Array | ArrayBuffer): Bytes {
  return new Uint8Array(bytes instanceof ArrayBuffer ? bytes.slice(0) : Uint8Array.from(bytes).buffer);
}

/** All `parts`, one after the other. */
export function concat(...parts: Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Whether two byte arrays are equal; the time does not depend on where they differ. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

/** Lower-case hex of `bytes`. */
export function hex(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) out += byte.toString(16).padStart(2, "0");
  return out;
}

/** Bytes of a hex string. Throws Error on anything else. */
export function unhex(value: string): Bytes {
  if (!/^([0-9a-f]{2})*$/i.test(value)) throw new Error("not hex");
  const out = new Uint8Array(value.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(value.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/** Base64, standard alphabet, padded. */
export function base64(bytes: Uint8Array & { toBase64?: () => string }): string {
  // Newer browsers do it themselves, much faster than this loop.
  if (bytes.toBase64) return bytes.toBase64();
  let binary = "";
  for (let i = 0; i < bytes.length; i += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  }
  return btoa(binary);
}

/** Bytes of standard base64. Throws Error on anything else. */
export function unbase64(value: string): Bytes {
  return Uint8Array.from(atob(value), (byte) => byte.charCodeAt(0));
}

/** `length` random bytes. */
export function random(length: number): Bytes {
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i += 65536) crypto.getRandomValues(out.subarray(i, Math.min(length, i + 65536)));
  return out;
}

/** SHA-256 of all `parts`, joined. */
export async function sha256(...parts: Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concat(...parts)));
}

/** A whole number from 0 up to, not including, `below` (at most 65536), each equally likely. */
export function randomBelow(below: number): number {
  const limit = Math.floor(65536 / below) * below;
  for (;;) {
    const pair = random(2);
    const value = (pair[0] ?? 0) * 256 + (pair[1] ?? 0);
    if (value < limit) return value % below;
  }
}
