// Sealed exposure deliveries: open them, take their contributions into the vault, let desk delete them.
//
// Owns: the vault's records "exposure" (one contribution each, `Contribution`) and "history" (its cycle, once, when the
// first history arrived). Must never send anything that depends on what was inside.

import { text, unbase64 } from "./bytes.js";
import { constants, info } from "./constants.js";
import type { Records } from "./context.js";
import { NotSealedForUs, open } from "./crypto/sealing.js";
import type { Contribution } from "./exposure.js";
import type { Delivery } from "./net.js";

interface Plaintext {
  readonly v: number;
  readonly cycle: number;
  readonly contributions: readonly Contribution[];
  readonly more: boolean;
}

/** What a delivery brought: how many contributions were new or replaced, and whether more are to come. */
export interface Taken {
  readonly changed: number;
  readonly more: boolean;
  /** Deliveries that were not sealed to this mailbox key (say, before a replacement); they cannot be opened. */
  readonly unreadable: number;
}

/** Merge contributions: a higher revision replaces, `gone` withdraws, an older or equal revision changes nothing. */
export function mergeContributions(records: Records, contributions: readonly Contribution[]): number {
  const known = new Map(records.all<Contribution>("exposure").map((record) => [record.body.id, record]));
  let changed = 0;
  for (const contribution of contributions) {
    const before = known.get(contribution.id);
    if (before && before.body.revision >= contribution.revision) continue;
    // One that is gone stays, marked, so that a late copy of an earlier revision cannot bring it back.
    if (before) records.remove(before.id);
    // Under its own name: delivered to two sessions, or once more after it was folded, it is still one call.
    const name = `${contribution.id}-${contribution.revision}`;
    known.set(contribution.id, records.put<Contribution>("exposure", contribution, name));
    changed += 1;
  }
  return changed;
}

/** Open `deliveries` with the mailbox seed and merge them. What cannot be opened is counted, not guessed at. */
export async function takeDeliveries(
  records: Records,
  seed: Uint8Array<ArrayBuffer>,
  handle: string,
  deliveries: readonly Delivery[],
): Promise<Taken> {
  let [changed, more, unreadable] = [0, false, 0];
  for (const delivery of [...deliveries].sort((a, b) => a.cycle - b.cycle)) {
    let plaintext: Plaintext;
    try {
      const opened = await open(seed, unbase64(delivery.sealed), info(constants.kinds.exposure, handle));
      plaintext = JSON.parse(text(opened)) as Plaintext;
    } catch (error) {
      if (!(error instanceof NotSealedForUs)) throw error;
      unreadable += 1;
      continue;
    }
    changed += mergeContributions(records, plaintext.contributions);
    more ||= plaintext.more;
    if (delivery.kind === "history" && records.all("history").length === 0) {
      records.put("history", { cycle: plaintext.cycle });
    }
  }
  return { changed, more, unreadable };
}

/** The contributions that count: not withdrawn, one per incident (two sessions may have merged the same delivery). */
export function contributions(records: Records): Contribution[] {
  const newest = new Map<string, Contribution>();
  for (const { body } of records.all<Contribution>("exposure")) {
    const other = newest.get(body.id);
    if (!other || body.revision > other.revision) newest.set(body.id, body);
  }
  return [...newest.values()].filter((contribution) => !contribution.gone);
}
