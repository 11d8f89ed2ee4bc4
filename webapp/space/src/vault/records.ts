// The vault's records: immutable, with random ids and tombstones, so that two copies merge as a union.
//
// Owns: the living records of one unlocked vault, in memory. Must never see: keys, the network, the page.

import { hex, random } from "../bytes.js";
import type { Records, VaultRecord } from "../context.js";

/** A removed record: its id, and when it was removed. */
export interface Tombstone {
  readonly id: string;
  readonly at: string;
}

/** What a vault's plaintext holds. */
export interface Snapshot {
  readonly records: readonly VaultRecord[];
  readonly tombstones: readonly Tombstone[];
}

/** Copies that could still bring a removed record back are older than this: backups live 35 days. */
export const TOMBSTONE_DAYS = 40;

/** The id that a record had before it was first removed and brought back. */
export function baseName(id: string): string {
  return id.replace(/~.*/, "");
}

export class RecordStore implements Records {
  readonly #records = new Map<string, VaultRecord>();
  readonly #tombstones = new Map<string, Tombstone>();

  constructor(private readonly now: () => Date) {}

  all<T>(type: string): VaultRecord<T>[] {
    const found = [...this.#records.values()].filter((record) => record.type === type) as VaultRecord<T>[];
    return found.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.id < b.id ? -1 : 1));
  }

  get<T>(id: string): VaultRecord<T> | undefined {
    return this.#records.get(id) as VaultRecord<T> | undefined;
  }

  put<T>(type: string, body: T, id = hex(random(16))): VaultRecord<T> {
    const record = { id, type, at: this.now().toISOString(), body: structuredClone(body) };
    this.#add(record);
    return record;
  }

  // A removed id stays removed. One that both copies put by themselves is the one that was put first.
  #add(record: VaultRecord): void {
    const own = this.#records.get(record.id);
    if (!this.#tombstones.has(record.id) && !(own && own.at <= record.at)) this.#records.set(record.id, record);
  }

  restore(record: VaultRecord): void {
    const name = baseName(record.id);
    let id = name;
    // A removed id stays removed; two sessions that bring it back choose the same next one.
    for (let times = 1; this.#tombstones.has(id); times++) id = `${name}~${times}`;
    this.#add({ ...record, id });
  }

  remove(id: string): void {
    if (!this.#records.delete(id)) return;
    this.#tombstones.set(id, { id, at: this.now().toISOString() });
  }

  replace<T>(id: string, body: T): VaultRecord<T> {
    const old = this.#records.get(id);
    if (!old) throw new Error("no such record");
    this.remove(id);
    return this.put(old.type, body);
  }

  /** Everything, in an order that does not tell when it was put. */
  snapshot(): Snapshot {
    const byId = <R extends { id: string }>(a: R, b: R) => (a.id < b.id ? -1 : 1);
    return { records: [...this.#records.values()].sort(byId), tombstones: [...this.#tombstones.values()].sort(byId) };
  }

  /** Take over another copy: the union of both, less everything that either of them removed. */
  merge(other: Snapshot): void {
    for (const tombstone of other.tombstones) {
      // The later of two removals: it is remembered until nobody can bring the record back any more.
      const own = this.#tombstones.get(tombstone.id);
      if (!own || own.at < tombstone.at) this.#tombstones.set(tombstone.id, tombstone);
      this.#records.delete(tombstone.id);
    }
    for (const record of other.records) this.#add(record);
  }

  /** A store of its own with the same content. */
  copy(): RecordStore {
    const twin = new RecordStore(this.now);
    twin.merge(this.snapshot());
    return twin;
  }

  /** Forget tombstones that no copy needs any more. */
  dropOldTombstones(): void {
    const limit = new Date(this.now().getTime() - TOMBSTONE_DAYS * 86_400_000).toISOString();
    for (const [id, tombstone] of this.#tombstones) if (tombstone.at < limit) this.#tombstones.delete(id);
  }

  /** Forget everything in memory: the session is locked. */
  clear(): void {
    this.#records.clear();
    this.#tombstones.clear();
  }
}
