// What one unlocked session hands to the parts that work inside it (exposure, who looked, sealed post).
//
// A `Context` exists from unlock to lock and never longer. It has no DOM: the same object serves the browser and the
// Node tests. Hooks that `session.ts` calls, both exported by `src/post/session.ts`:
//
//   onUnlock(ctx: Context): Promise<void>   once, after the vault is open and site and key list are checked
//   onLock(ctx: Context): Promise<void>     once, before the vault is saved for the last time (not on a lost page)
//
// Pages get it as a property: `SupportPage({ ctx }: { ctx: Context })`. A new record shows at once and is stored with
// the next minute's save or at lock; nobody else learns that there is one.

import type { Api, Fetch } from "./net.js";
import type { KeyList, Site } from "./site.js";

/**
 * One immutable record of the vault. `id` is 32 random hex digits or the name that it was put under, `at` an ISO time
 * in UTC.
 */
export interface VaultRecord<T = unknown> {
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly body: T;
}

/** The vault's records. Bodies are plain JSON. To change one, put the new one and remove the old one (`replace`). */
export interface Records {
  /** Every living record of `type`, oldest first. */
  all<T>(type: string): VaultRecord<T>[];
  /** The living record with `id`, or undefined. */
  get<T>(id: string): VaultRecord<T> | undefined;
  /**
   * Add a record; the answer has its fresh random id. With `id` it is what everybody would put under that name: two
   * sessions that put it have one record, and where it was removed it stays removed.
   */
  put<T>(type: string, body: T, id?: string): VaultRecord<T>;
  /** Bring back a record of an earlier copy unchanged, unless its id was removed. A living record stays as it is. */
  restore(record: VaultRecord): void;
  /** Remove by tombstone; a copy in another session goes too when the two are merged. */
  remove(id: string): void;
  /** Remove `id` and put `body` under the same type. */
  replace<T>(id: string, body: T): VaultRecord<T>;
}

export interface Context {
  /** Calls to desk with this session's token (`ctx.api.ticketKeys()`, `ctx.api.tickets(...)`, …: see net.ts). */
  readonly api: Api;
  readonly vault: Records;
  /** site.json; its signatures were checked against the keys of trustee and agency that are pinned in the vault. */
  readonly site: Site;
  /** The signed list of supporters; null without one, or when its signature is not the pinned trustee's. */
  readonly keylist: KeyList | null;
  /** Charter roles of the person: "officer", "peer", "clinician", … */
  readonly roles: readonly string[];
  readonly handle: string;
  readonly name: string;
  /** The server's time: its clock at sign-in plus the time elapsed since on this machine's monotonic clock. */
  now(): Date;
  /** Anonymous requests (to post, to static files): never carries the token, cookies or a referrer. */
  readonly fetch: Fetch;
  /** Origin of post, "https://post.wardwell.localhost:8444". */
  readonly postBase: string;
  /** Origin of the space's own static files (ledger, witness, key list), "https://my.wardwell.localhost:8445". */
  readonly spaceBase: string;
}
