// The site's own values and the supporters' key list, accepted only when the officers' trustee signed them.
//
// Owns: fetching `/site.json`, `/keylist.json`, `/trustee.pub` and checking their signatures against one key. Before a
// vault exists nothing is pinned yet: `trustee.pub` is then only a claim, and the person compares its fingerprint with
// the one printed on the slip. Afterwards the key in the vault decides and `trustee.pub` is not asked.

import { text } from "./bytes.js";
import { constants } from "./constants.js";
import type { Fetch } from "./context.js";
import { fingerprint, readPublicKey, verify, type PublicKey } from "./crypto/sshsig.js";
import { Problem, readFile } from "./net.js";

export interface Site {
  readonly agency: string;
  readonly time_zone: string;
  readonly hosts: { readonly desk: string; readonly post: string; readonly space: string };
  readonly demonstration: boolean;
  readonly ledger_vkey: string;
  readonly witness_vkey: string;
  /** Of the key that signs a restore, which takes both custody groups; a site founded before it was named has none. */
  readonly custody_vkey?: string;
  readonly charter_digest: string;
  readonly report_key: string;
}

/** One supporter of the signed key list; `xwing` and `x25519` are base64 public keys. */
export interface Supporter {
  readonly number: number;
  readonly name: string;
  readonly role: string;
  readonly languages: readonly string[];
  readonly phone: string;
  readonly about: string;
  readonly xwing: string;
  readonly x25519: string;
}

export interface KeyList {
  readonly version: number;
  readonly supporters: readonly Supporter[];
}

/** The trustee key as pinned in the vault: its OpenSSH line and fingerprint. */
export interface PinnedTrustee {
  readonly line: string;
  readonly fingerprint: string;
}

async function signed(fetch: Fetch, url: string): Promise<{ bytes: Uint8Array<ArrayBuffer>; signature: string } | null> {
  const [bytes, signature] = await Promise.all([readFile(fetch, url), readFile(fetch, `${url}.sig`)]);
  return bytes && signature ? { bytes, signature: text(signature) } : null;
}

/** site.json before anything is pinned: where desk is, nothing more. Throws Problem when it is missing. */
export async function readUnverifiedSite(fetch: Fetch, spaceBase: string): Promise<Site> {
  const bytes = await readFile(fetch, `${spaceBase}/site.json`);
  if (!bytes) throw new Problem("no_site", "This site is not set up yet.", "Tell agency IT: site.json is missing.");
  return JSON.parse(text(bytes)) as Site;
}

/** The trustee key that the server claims, for comparing with the slip. Throws Problem when there is none. */
export async function readClaimedTrustee(fetch: Fetch, spaceBase: string): Promise<PinnedTrustee> {
  const bytes = await readFile(fetch, `${spaceBase}/trustee.pub`);
  if (!bytes) throw new Problem("no_trustee", "The officers' trustee has no key here yet.", "Ask the trustee.");
  const line = text(bytes).trim();
  return { line, fingerprint: await fingerprint(readPublicKey(line)) };
}

/** Whether `typed` is the end (at least eight characters) or the whole of `trustee`'s fingerprint. */
export function fingerprintMatches(trustee: PinnedTrustee, typed: string): boolean {
  const wanted = typed.trim();
  return wanted.replace(/^SHA256:/, "").length >= 8 && trustee.fingerprint.endsWith(wanted);
}

async function readPinned(trustee: PinnedTrustee): Promise<PublicKey> {
  const key = readPublicKey(trustee.line);
  if ((await fingerprint(key)) !== trustee.fingerprint) throw new Error("the pinned key is damaged");
  return key;
}

/** site.json, signed by the pinned trustee. Throws Problem when the signature is not the trustee's. */
export async function readSite(fetch: Fetch, spaceBase: string, trustee: PinnedTrustee): Promise<Site> {
  const found = await signed(fetch, `${spaceBase}/site.json`);
  const key = await readPinned(trustee);
  if (!found || !(await verify(key, constants.sshsig_namespaces.site, found.bytes, found.signature))) {
    throw new Problem(
      "site_not_signed",
      "This site's settings are not signed by the officers' trustee whose key you compared with your slip.",
      "Do not go on. Tell the trustee, by phone or in person.",
    );
  }
  return JSON.parse(text(found.bytes)) as Site;
}

function unusable(code: string, message: string): Problem {
  return new Problem(code, message, "You can use the rest of your space. Tell the trustee, by phone or in person.");
}

/**
 * The key list, or null when there is none. `newest` is the highest number of a list that was read before, 0 for none.
 * Throws Problem when its signature is missing or not the pinned trustee's, or when the list is older than `newest` or gone.
 */
export async function readKeyList(
  fetch: Fetch,
  spaceBase: string,
  trustee: PinnedTrustee,
  newest: number,
): Promise<KeyList | null> {
  const bytes = await readFile(fetch, `${spaceBase}/keylist.json`);
  if (!bytes) {
    if (newest === 0) return null;
    throw unusable("keylist_gone", "The list of supporters' keys, which was here at an earlier visit, is gone.");
  }
  const signature = await readFile(fetch, `${spaceBase}/keylist.json.sig`);
  const key = await readPinned(trustee);
  if (!signature || !(await verify(key, constants.sshsig_namespaces.keylist, bytes, text(signature)))) {
    throw unusable(
      "keylist_not_signed",
      "The list of supporters' keys is not signed by the officers' trustee whose key you compared with your slip. " +
        "It is not used.",
    );
  }
  const list = JSON.parse(text(bytes)) as KeyList;
  // A list without a number is none that can be told from an older one.
  if (!(list.version >= newest)) {
    throw unusable(
      "keylist_older",
      `The list of supporters' keys is number ${list.version}, and an earlier visit saw number ${newest}: an old list was served. ` +
        "It is not used.",
    );
  }
  return list;
}
