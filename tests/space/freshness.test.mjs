// Is the served vault the newest? A public log in memory, its batches, and desks that lie about them.

import assert from "node:assert/strict";
import { test } from "node:test";

const { bytes, canonical, freshness, merkle, records } = await import(process.env.WARDWELL_LIBRARY);
const HOUR = 3_600_000;
const START = Date.parse("2026-11-01T00:00:00Z");
const iso = (hour) => new Date(START + hour * HOUR).toISOString().replace(".000", "");
const handle = "ab".repeat(16);

/** The access log with one batch of two vaults per call of `batch`, and other leaves between. */
class World {
  leaves = [];
  rows = [];
  hour = 0;
  previous = -1;
  constructor() {
    this.store = new records.RecordStore(() => new Date(START + this.hour * HOUR));
    this.store.put("trustee", {});
    this.ctx = { handle, vault: this.store, now: () => new Date(START + this.hour * HOUR) };
  }
  async batch(version, hour) {
    this.leaves.push(canonical.canonical({ v: 1, kind: "about", commit: "00" }));
    const [own, other] = await Promise.all(
      [
        [handle, version],
        ["cd".repeat(16), 5],
      ].map(async ([handle, version]) => {
        const salt = bytes.hex(bytes.random(32));
        return { version, salt, hash: await merkle.leafHash(canonical.canonical({ handle, salt, version })) };
      }),
    );
    const root = bytes.hex(await merkle.nodeHash(own.hash, other.hash));
    const leaf_index = this.leaves.length;
    this.leaves.push(
      canonical.canonical({ v: 1, kind: "versions", at: iso(hour), root, rows: 2, previous: this.previous }),
    );
    this.previous = leaf_index;
    this.rows.push({ leaf_index, version, salt: own.salt, position: 0, rows: 2, proof: [bytes.hex(other.hash)] });
  }
  /** What the browser says at `hour` of a vault served as `version`; its witness has just cosigned. */
  async says(version, hour, { rows = this.rows, store = this.store } = {}) {
    this.hour = hour;
    const ctx = { ...this.ctx, vault: store };
    const reader = {
      head: { checkpoint: { size: this.leaves.length }, witnessed: { at: START + hour * HOUR } },
      leaf: async (index) => this.leaves[index] ?? null,
    };
    const seen = freshness.seenLeaf(ctx);
    const found = await freshness.checkVersion(
      ctx,
      reader,
      rows.filter(({ leaf_index }) => leaf_index > seen),
      { version, at: iso(hour) },
    );
    if (found) assert.ok(found.message && found.fix);
    return found?.code ?? null;
  }
}

test("control: the newest copy is taken without a word, young or old, and each batch is looked at once", async () => {
  const world = new World();
  assert.equal(await world.says(1, 1), null, "no batch yet, and a young vault");
  for (const [version, hour] of [
    [3, 2],
    [9, 14],
    [20, 26],
  ])
    await world.batch(version, hour);
  assert.equal(await world.says(20, 27), null);
  assert.equal(freshness.seenLeaf(world.ctx), world.previous);
  assert.equal(await world.says(25, 27, { rows: [] }), null);
});

test("an old copy, with its own old number, is told, and so it is by each later batch", async () => {
  const world = new World();
  await world.batch(3, 2);
  assert.equal(await world.says(3, 3), null);
  const old = world.store.copy();
  await world.batch(20, 14);
  assert.equal(await world.says(3, 15, { store: old.copy() }), "old_vault");
  // Control: the copy that the log names.
  assert.equal(await world.says(20, 15), null);
  await world.batch(21, 26);
  assert.equal(await world.says(20, 27, { store: old.copy() }), "old_vault");
});

test("a desk that keeps the newest batch to itself is told once it is older than the charter allows", async () => {
  const world = new World();
  await world.batch(3, 2);
  assert.equal(await world.says(3, 3), null);
  const old = world.store.copy();
  for (const hour of [14, 26, 38]) await world.batch(hour, hour);
  const rows = world.rows.slice(0, 1);
  assert.equal(await world.says(3, 20, { store: old.copy(), rows }), null, "within the charter's cosignature age");
  assert.equal(await world.says(3, 39, { store: old.copy(), rows }), "version_late");
  // Control: with the newest batch it is the old copy by name.
  assert.equal(await world.says(3, 39, { store: old.copy() }), "old_vault");
});

test("a desk that was set back cannot prove the batches it made since, not even after the next one", async () => {
  const world = new World();
  await world.batch(3, 2);
  await world.says(3, 3);
  const old = world.store.copy();
  await world.batch(20, 14);
  const lost = world.previous;
  await world.batch(4, 26);
  const rows = world.rows.filter(({ leaf_index }) => leaf_index !== lost);
  assert.equal(await world.says(4, 27, { store: old.copy(), rows }), "version_unproved");
  // Control: with that row it is known to be old; a vault of before its first batch has none to prove.
  assert.equal(await world.says(4, 27, { store: old.copy() }), "old_vault");
  const young = new records.RecordStore(() => new Date(START + 20 * HOUR));
  young.put("trustee", {});
  assert.equal(await world.says(4, 27, { store: young, rows: rows.slice(-1) }), null);
});

test("a row that is altered, another's, or points at another leaf proves nothing and is not remembered", async () => {
  const world = new World();
  await world.batch(20, 14);
  const [row] = world.rows;
  for (const served of [
    { ...row, version: 3 },
    { ...row, salt: "00".repeat(32) },
    { ...row, position: 1 },
    { ...row, rows: 3 },
    { ...row, proof: [] },
  ]) {
    assert.equal(await world.says(3, 15, { rows: [served], store: world.store.copy() }), "version_unproved");
  }
  const store = world.store.copy();
  assert.equal(await world.says(3, 15, { rows: [{ ...row, leaf_index: 0 }], store }), "version_unproved");
  assert.equal(freshness.seenLeaf({ vault: store }), -1);
  assert.equal(await world.says(20, 15, { store }), null);
});

test("what this session saved itself is no news to it", async () => {
  const world = new World();
  await world.batch(3, 2);
  await world.batch(30, 16);
  world.hour = 17;
  const reader = {
    head: { checkpoint: { size: world.leaves.length }, witnessed: { at: START + 17 * HOUR } },
    leaf: async (index) => world.leaves[index] ?? null,
  };
  const check = (hour) =>
    freshness.checkVersion({ ...world.ctx, vault: world.store.copy() }, reader, world.rows, {
      version: 3,
      at: iso(hour),
    });
  assert.equal(await check(15), null);
  // Control: opened after that batch.
  assert.equal((await check(17)).code, "old_vault");
});
