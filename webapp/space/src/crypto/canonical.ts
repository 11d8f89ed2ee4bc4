// Canonical JSON (RFC 8785), for everything that is hashed or signed; twin of `appliance/crypto/canonical.py`.
//
// Owns: one function. Floats are refused, as there: number formatting is where implementations disagree.

import { type Bytes, utf8 } from "../bytes.js";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

function write(value: Json): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new Error("a lone surrogate has no place in canonical JSON");
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new Error("an integer in canonical JSON stays within 53 bits");
    return Object.is(value, -0) ? "0" : String(value);
  }
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
  if (typeof value === "object") {
    // JavaScript compares strings by UTF-16 code units, which is the order RFC 8785 (3.2.3) asks for.
    const members = value as { readonly [key: string]: Json };
    const keys = Object.keys(members).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${keys.map((key) => `${write(key)}:${write(members[key] as Json)}`).join(",")}}`;
  }
  throw new Error(`${typeof value} has no place in canonical JSON`);
}

/** The RFC 8785 bytes of `value`. Throws Error for floats, lone surrogates and anything that is not JSON. */
export function canonical(value: Json): Bytes {
  return utf8(write(value));
}
