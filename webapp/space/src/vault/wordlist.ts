// The EFF's long list of words for passphrases (Bonneau, 2016; CC BY 3.0 US): 7776 words, 12.9 bits each, none the
// beginning of another, four of them with a hyphen.
//
// Owns: the list as `build.mjs` packs it out of the npm package, so that it costs an officer 17 KiB and not 24: in
// alphabetical order each word is the number of letters that it shares with the one before, and the rest of it.

declare const PACKED_WORDS: string;

function unpack(packed: string): string[] {
  const words: string[] = [];
  let before = "";
  for (const [, shared = "", rest = ""] of packed.matchAll(/(\d)(\D+)/g)) {
    before = before.slice(0, Number(shared)) + rest;
    words.push(before);
  }
  return words;
}

export const wordlist: readonly string[] = unpack(PACKED_WORDS);
