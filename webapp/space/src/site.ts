// The site's own values, accepted only when agency and officers' trustee signed them, and the supporters' key list,
// signed by the trustee.
//
// Owns: fetching `/site.json`, `/keylist.json`, `/trustee.pub` and checking their signatures against one key. Before a
// vault exists nothing is pinned yet: `trustee.pub` is then only a claim, and the person compares its fingerprint with
// the one printed on the slip. Afterwards the key in the vault decides and `trustee.pub` is not asked.

import { text } from "./bytes.js";
import { constants } from "./constants.js";
import { fingerprint, type PublicKey, readPublicKey, verify } from "./crypto/sshsig.js";
import { type Fetch, Problem, readFile } from "./net.js";

export interface Site {
  readonly version: number;
  readonly agency: string;
  readonly time_zone: string;
  readonly hosts: { readonly desk: string; readonly post: string; readonly space: string };
  readonly demonstration: boolean;
  readonly ledger_vkey: string;
  readonly witness_vkey: string;
  /** Verifies a restore, which both custody groups sign; sites founded before this key was introduced have none. */
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

/** A key as pinned in the vault: its OpenSSH line and fingerprint. */
export interface PinnedKey {
  readonly line: string;
  readonly fingerprint: string;
}

/** site.json before anything is pinned: where desk is, nothing more. Throws Problem when it is missing. */
export async function readUnverifiedSite(fetch: Fetch, spaceBase: string): Promise<Site> {
  const bytes = await readFile(fetch, `${spaceBase}/site.json`);
  if (!bytes) throw new Problem("no_site", "This site is not set up yet.", "Tell agency IT: site.json is missing.");
  return JSON.parse(text(bytes)) as Site;
}

async function claimed(fetch: Fetch, url: string): Promise<PinnedKey | null> {
  const bytes = await readFile(fetch, url);
  if (!bytes) return null;
  const line = text(bytes).trim();
  return { line, fingerprint: await fingerprint(readPublicKey(line)) };
}

/** The trustee key that the server claims, for comparing with the slip. Throws Problem when there is none. */
export async function readClaimedTrustee(fetch: Fetch, spaceBase: string): Promise<PinnedKey> {
  const trustee = await claimed(fetch, `${spaceBase}/trustee.pub`);
  if (!trustee) throw new Problem("no_trustee", "The officers' trustee has no key here yet.", "Ask the trustee.");
  return trustee;
}

/** Whether `typed` is the end (at least eight characters) or the whole of `trustee`'s fingerprint. */
export function fingerprintMatches(trustee: PinnedKey, typed: string): boolean {
  const wanted = typed.trim();
  return wanted.replace(/^SHA256:/, "").length >= 8 && trustee.fingerprint.endsWith(wanted);
}

async function readPinned(trustee: PinnedKey): Promise<PublicKey> {
  const key = readPublicKey(trustee.line);
  if ((await fingerprint(key)) !== trustee.fingerprint) throw new Error("the pinned key is damaged");
  return key;
}

// Without a version number, a file could be an older one.
function followsOn(version: unknown, newest: number): boolean {
  return Number.isInteger(version) && (version as number) >= newest;
}

function refused(code: string, message: string): Problem {
  return new Problem(code, message, "Do not go on. Tell the officers' trustee, by phone or in person.");
}

/**
 * site.json, signed by the pinned trustee and by the agency, and the agency's key. `agency` is null before the first
 * time: then the key that is served is taken, once the trustee's signature stands. `newest` is the highest version that
 * was read before, 0 for none. Throws Problem when either signature is missing or wrong, or when the version is lower
 * than `newest`.
 */
export async function readSite(
  fetch: Fetch,
  spaceBase: string,
  trustee: PinnedKey,
  agency: PinnedKey | null,
  newest: number,
): Promise<{ site: Site; agency: PinnedKey }> {
  const url = `${spaceBase}/site.json`;
  const bytes = await readFile(fetch, url);
  const signedBy = async (key: PinnedKey, signer: string): Promise<boolean> => {
    const signature = await readFile(fetch, `${url}.${signer}.sig`);
    if (!bytes || !signature) return false;
    return verify(await readPinned(key), constants.sshsig_namespaces.site, bytes, text(signature));
  };
  if (!bytes || !(await signedBy(trustee, "trustee"))) {
    throw refused(
      "site_not_signed",
      "This site's settings are not signed by the officers' trustee whose key you compared with your slip.",
    );
  }
  const pinned = agency ?? (await claimed(fetch, `${spaceBase}/agency.pub`));
  if (!pinned || !(await signedBy(pinned, "agency"))) {
    throw refused(
      "site_not_signed_by_agency",
      "This site's settings are not signed by the agency, or are signed with a different key than before.",
    );
  }
  if (pinned.fingerprint === trustee.fingerprint) {
    throw refused(
      "one_signer",
      "This site's settings are signed twice with one key, by the trustee and in the agency's name.",
    );
  }
  const site = JSON.parse(text(bytes)) as Site;
  if (!followsOn(site.version, newest)) {
    throw refused(
      "site_older",
      `This site's settings have version ${site.version}, and an earlier visit saw version ${newest}: an old file was served.`,
    );
  }
  return { site, agency: pinned };
}

function unusable(code: string, message: string): Problem {
  return new Problem(code, message, "You can use the rest of your space. Tell the trustee, by phone or in person.");
}

/**
 * The key list, or null when there is none. `newest` is the highest number of a list that was read before, 0 for none.
 * Throws Problem when its signature is missing or not the pinned trustee's, or when the list is older than `newest` or
 * gone.
 */
export async function readKeyList(
  fetch: Fetch,
  spaceBase: string,
  trustee: PinnedKey,
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
  if (!followsOn(list.version, newest)) {
    throw unusable(
      "keylist_older",
      `The list of supporters' keys is number ${list.version}, and an earlier visit saw number ${newest}: an old list was served. ` +
        "It is not used.",
    );
  }
  return list;
}
