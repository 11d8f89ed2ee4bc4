// The two secrets that open a vault: six words to remember, and a recovery code to keep on paper.
//
// Owns: making, reading and checking them. Both are drawn by the browser, never chosen by a person. Words: six of the
// EFF's long list are 77.5 bits, and each guess costs an scrypt of 256 MiB. The list is for drawing and completing;
// whatever words a space was once made with open it. Recovery code: 30 symbols of Crockford's base32 (150 bits) and two
// check symbols, in eight groups of four.

import { randomBelow, sha256, utf8 } from "../bytes.js";
import { constants } from "../constants.js";
import { wordlist } from "./wordlist.js";

export const WORDS = constants.passphrase_words;
const SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP = 4;
const RANDOM_SYMBOLS = constants.recovery_groups * GROUP - 2;
const known = new Set(wordlist);

/** Six fresh words. */
export function newWords(): string[] {
  return Array.from({ length: WORDS }, () => wordlist[randomBelow(wordlist.length)] ?? "");
}

/** The passphrase that `words` are: joined by hyphens. */
export function joined(words: readonly string[]): string {
  return words.join("-");
}

/** Up to `limit` words that begin with `typed`; none for fewer than two letters. */
export function complete(typed: string, limit = 6): string[] {
  const start = typed.trim().toLowerCase();
  return start.length < 2 ? [] : wordlist.filter((word) => word.startsWith(start)).slice(0, limit);
}

/** Whether `word` stands in the list. */
export function isWord(word: string): boolean {
  return known.has(word.trim().toLowerCase());
}

/** The passphrase as it was made, from words typed with any spaces or hyphens between; null when it cannot be one. */
export function readPassphrase(typed: string): string | null {
  const parts = typed
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter(Boolean);
  // More than six parts when words have a hyphen; a digit stands in every recovery code.
  return parts.length >= WORDS && !/\d/.test(typed) ? joined(parts) : null;
}

/**
 * What of `typed` stands not in today's list, separated by spaces or hyphens: a slip of the fingers, or a word of an
 * older list.
 */
export function unknownWords(typed: string): string[] {
  const parts = (text: string) => text.split(/[^a-z]+/).filter(Boolean);
  const hyphened = wordlist.filter((word) => word.includes("-")).flatMap(parts);
  return parts(typed.toLowerCase()).filter((part) => !known.has(part) && !hyphened.includes(part));
}

async function checkSymbols(symbols: string): Promise<string> {
  const digest = await sha256(utf8(symbols));
  return Array.from(digest.slice(0, 2), (byte) => SYMBOLS[byte % 32]).join("");
}

/**
 * A fresh recovery code, "XXXX-XXXX-…", eight groups of four. Without a digit that looks like no letter it is drawn
 * again.
 */
export async function newRecoveryCode(): Promise<string> {
  const symbols = Array.from({ length: RANDOM_SYMBOLS }, () => SYMBOLS[randomBelow(32)]).join("");
  if (!/[2-9]/.test(symbols)) return newRecoveryCode();
  const whole = symbols + (await checkSymbols(symbols));
  return (whole.match(/.{4}/g) ?? []).join("-");
}

/** The recovery code as it was made, whatever case, spaces or look-alike letters; null when it has a typing mistake. */
export async function readRecoveryCode(typed: string): Promise<string | null> {
  const symbols = typed.toUpperCase().replace(/[\s-]/g, "").replaceAll("O", "0").replace(/[IL]/g, "1");
  if (symbols.length !== RANDOM_SYMBOLS + 2 || [...symbols].some((symbol) => !SYMBOLS.includes(symbol))) return null;
  const body = symbols.slice(0, RANDOM_SYMBOLS);
  if (body + (await checkSymbols(body)) !== symbols) return null;
  return (symbols.match(/.{4}/g) ?? []).join("-");
}
