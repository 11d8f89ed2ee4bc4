// A supporter's keys: made in their own browser, renewed every month, destroyed 30 days after they were replaced.
//
// Owns: the records "supporter-key" and the public block that the officers' trustee signs into the key list. Must never
// see: a message.

import { base64, hex, sha256, unbase64 } from "../bytes.js";
import type { Context, VaultRecord } from "../context.js";
import type { Supporter } from "../site.js";
import { newKeys, type SecretKeys } from "./cells.js";

const DAY_MS = 86_400_000;
const RENEW_DAYS = 30;
const KEEP_DAYS = 30;
const SUPPORTERS = ["peer", "clinician"];

interface SupporterKey {
  readonly made: string;
  /** When newer keys were first seen in the signed list; null while these are in use. */
  readonly replaced: string | null;
  readonly secret: { readonly xwing: string; readonly x25519: string };
  readonly public: { readonly xwing: string; readonly x25519: string };
}

/** What goes to the trustee: an entry of the key list. `number` is null before the first listing. */
export type PublicBlock = Omit<Supporter, "number"> & { readonly number: number | null };

/** The state of the keys, for the page. */
export interface KeyState {
  /** When the newest keys were made; null when there are none. */
  readonly made: string | null;
  /** The newest keys are in the signed list. */
  readonly listed: boolean;
  readonly dueForRenewal: boolean;
}

export function isSupporter(ctx: Context): boolean {
  return ctx.roles.some((role) => SUPPORTERS.includes(role));
}

/** The keys, the newest last; a record that was replaced is younger than the key in it. */
function keyRecords(ctx: Context): VaultRecord<SupporterKey>[] {
  return ctx.vault.all<SupporterKey>("supporter-key").sort((a, b) => (a.body.made < b.body.made ? -1 : 1));
}

function listedAs(ctx: Context, key: SupporterKey): Supporter | undefined {
  return ctx.keylist?.supporters.find(
    ({ xwing, x25519 }) => xwing === key.public.xwing && x25519 === key.public.x25519,
  );
}

/** The entry of the signed list that is this supporter's, by any of the keys in the vault. */
export function ownEntry(ctx: Context): Supporter | undefined {
  for (const { body } of keyRecords(ctx).reverse()) {
    const entry = listedAs(ctx, body);
    if (entry) return entry;
  }
  return undefined;
}

export function keyState(ctx: Context): KeyState {
  const newest = keyRecords(ctx).at(-1)?.body;
  if (!newest) return { made: null, listed: false, dueForRenewal: false };
  const age = ctx.now().getTime() - Date.parse(newest.made);
  return { made: newest.made, listed: listedAs(ctx, newest) !== undefined, dueForRenewal: age > RENEW_DAYS * DAY_MS };
}

/** Make new keys. The ones before stay in use until the signed list names the new ones. */
export async function makeSupporterKeys(ctx: Context): Promise<void> {
  const keys = await newKeys();
  ctx.vault.put<SupporterKey>("supporter-key", {
    made: ctx.now().toISOString(),
    replaced: null,
    secret: { xwing: base64(keys.secret.xwing), x25519: base64(keys.secret.x25519) },
    public: { xwing: base64(keys.public.xwing), x25519: base64(keys.public.x25519) },
  });
}

/** The public block of the newest keys. Throws Error when none were made. */
export function publicBlock(
  ctx: Context,
  about: {
    readonly name: string;
    readonly phone: string;
    readonly about: string;
    readonly languages: readonly string[];
  },
): PublicBlock {
  const newest = keyRecords(ctx).at(-1)?.body;
  if (!newest) throw new Error("no keys were made yet");
  const role = SUPPORTERS.find((name) => ctx.roles.includes(name)) ?? "peer";
  return { number: ownEntry(ctx)?.number ?? null, role, ...about, ...newest.public };
}

/**
 * Eight groups of four hex digits over both public keys, to read to the trustee; `wardwell kit keylist` shows the same.
 */
export async function keyCheck(block: { readonly xwing: string; readonly x25519: string }): Promise<string> {
  const digest = hex(await sha256(unbase64(block.xwing), unbase64(block.x25519)));
  return (digest.slice(0, 32).match(/.{4}/g) ?? []).join(" ");
}

/** Secret keys to try requests with. Marks replaced keys, and destroys those replaced more than 30 days ago. */
export function openingKeys(ctx: Context): SecretKeys[] {
  const records = keyRecords(ctx);
  const inUse = records.findLastIndex(({ body }) => listedAs(ctx, body) !== undefined);
  const now = ctx.now();
  const kept: SecretKeys[] = [];
  for (const [at, { id, body }] of records.entries()) {
    if (body.replaced && now.getTime() - Date.parse(body.replaced) > KEEP_DAYS * DAY_MS) {
      ctx.vault.remove(id);
      continue;
    }
    if (at < inUse && !body.replaced) ctx.vault.replace<SupporterKey>(id, { ...body, replaced: now.toISOString() });
    kept.push({ xwing: unbase64(body.secret.xwing), x25519: unbase64(body.secret.x25519) });
  }
  return kept;
}
