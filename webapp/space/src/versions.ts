// Earlier versions of the vault: what would come back from one, and taking it back into the present one.
//
// Owns: what comes back (what the officer wrote, and calls that are missing) and what does not: keys, conversations
// that were ended, choices, what waits to leave. Taking back is a change like any other and is saved as a new version;
// nothing that is newer goes unless the officer says so. Must never see: the network.

import type { Records, VaultRecord } from "./context.js";
import { mergeContributions } from "./deliveries.js";
import type { Contribution } from "./exposure.js";
import { foldsBefore } from "./vault/compact.js";
import { baseName, type Snapshot } from "./vault/records.js";

const WRITTEN = ["check-in", "screener"];

export interface Earlier {
  /** "2026-11-23": the day of the lock, in UTC, as desk says it. */
  readonly day: string;
  /** null: it does not open, so it was altered. */
  readonly content: Snapshot | null;
}

/** Where an earlier version and the present one differ in what the officer wrote. */
export interface Difference {
  readonly back: readonly VaultRecord[];
  readonly newer: readonly VaultRecord[];
}

/** What would come back from `earlier`, and what is newer than it. */
export function compare(records: Records, earlier: Snapshot): Difference {
  const own = WRITTEN.flatMap((type) => records.all(type));
  const old = earlier.records.filter(({ type }) => WRITTEN.includes(type));
  const without = (some: readonly VaultRecord[], others: readonly VaultRecord[]) => {
    const names = new Set(others.map(({ id }) => baseName(id)));
    return some.filter(({ id }) => !names.has(baseName(id)));
  };
  return { back: without(old, own), newer: without(own, old) };
}

/** Take back what `earlier` has; with `only` also remove what the officer wrote since. */
export function takeBack(records: Records, earlier: Snapshot, now: Date, only: boolean): void {
  const { back, newer } = compare(records, earlier);
  for (const record of back) records.restore(record);
  if (only) for (const { id } of newer) records.remove(id);
  // Calls that were folded stay folded: older than any that could have been.
  const limit = foldsBefore(now);
  const calls = earlier.records.filter(({ type }) => type === "exposure").map(({ body }) => body as Contribution);
  mergeContributions(
    records,
    calls.filter(({ at }) => at >= limit),
  );
}
