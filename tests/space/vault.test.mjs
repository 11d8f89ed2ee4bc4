// The vault: sizes, merging, compare-and-swap, what a closed one does. Its secrets have a file of their own.

import assert from "node:assert/strict";
import { test } from "node:test";

import { enrolled, handle, now, Vault } from "./memory_desk.mjs";

const { adjustments, bytes, compact, constants, deliveries, format, net, records, secrets } = await import(
  process.env.WARDWELL_LIBRARY
);

test("a blob's size depends on the year and not on what is in it", async () => {
  const { made, desk } = await enrolled();
  await made.save(desk, false);
  for (let i = 0; i < 500; i++) made.records.put("note", { text: bytes.hex(bytes.random(40)) });
  await made.save(desk, true);
  const size = bytes.unbase64(desk.blob).length;
  assert.equal(size, constants.constants.vault_base_bytes);
  assert.equal(new Set(desk.saves.map((save) => save.size)).size, 1);
  assert.equal(format.blobSize("2024-11-23", now()), size + 2 * constants.constants.vault_bytes_per_year);
  assert.equal(format.blobSize("2024-11-24", now()), size + constants.constants.vault_bytes_per_year);
});

test("a blob opens for its owner and its number only", async () => {
  const master = bytes.random(32);
  const blob = await format.sealVault(master, handle, 7, { records: [], tombstones: [] }, 4096);
  assert.equal(blob.length, 4096);
  await format.openVault(master, handle, 7, blob);
  await assert.rejects(format.openVault(master, handle, 8, blob), "an old blob under a new number");
  await assert.rejects(format.openVault(master, "cd".repeat(16), 7, blob), "another person's");
  const flipped = blob.slice();
  flipped[2000] ^= 1;
  await assert.rejects(format.openVault(master, handle, 7, flipped), "altered");
});

test("an older copy under a new number is told as such", async () => {
  const { made, desk, passphrase } = await enrolled();
  const old = desk.blob;
  await made.save(desk, false);
  const stored = { ...desk.stored(), blob: old };
  await assert.rejects(Vault.open(stored, handle, "passphrase", passphrase, now), { code: "vault_altered" });
});

test("two sessions at once: both keep what either put, and what either removed stays removed", async () => {
  const { made: first, desk, passphrase } = await enrolled();
  const shared = first.records.put("note", { text: "shared" });
  await first.save(desk, false);
  const second = await Vault.open(desk.stored(), handle, "passphrase", passphrase, now);
  first.records.put("note", { text: "of the first" });
  first.records.remove(shared.id);
  await first.save(desk, false);
  second.records.put("note", { text: "of the second" });
  await second.save(desk, false);
  await first.save(desk, true);
  for (const copy of [first, second]) {
    const texts = copy.records.all("note").map(({ body }) => body.text);
    assert.deepEqual(texts.sort(), ["of the first", "of the second"]);
  }
});

test("a full vault folds what the intake no longer holds, and career counts stay", async () => {
  const { made } = await enrolled();
  const contribution = (i, at) => ({
    id: bytes.hex(bytes.random(16)),
    at,
    type: "structure_fire",
    role: "primary",
    minutes: 30 + (i % 50),
    revision: 1,
    gone: false,
  });
  for (let i = 0; i < 6000; i++) made.records.put("exposure", contribution(i, "2024-05-06T07:08:09Z"));
  made.records.put("exposure", contribution(1, "2026-11-01T00:00:00Z"));
  compact.compact(made.records, now());
  assert.equal(made.records.all("exposure").length, 1);
  assert.deepEqual(
    made.records.all("exposure-month").map(({ body }) => body),
    [{ month: "2024-05", counts: { structure_fire: 6000 } }],
  );
});

test("a call set aside is left out of the sums until undone, in both sessions, and is not folded into the career", async () => {
  const { made, desk, passphrase } = await enrolled();
  const call = (id, at = "2026-11-01T00:00:00Z") => ({
    id,
    at,
    type: "suicide",
    role: "primary",
    minutes: null,
    revision: 1,
    gone: false,
  });
  deliveries.mergeContributions(made.records, [
    call("a"),
    call("b"),
    call("old", "2024-05-06T00:00:00Z"),
    call("older", "2024-05-05T00:00:00Z"),
  ]);
  await made.save(desk, false);
  const other = await Vault.open(desk.stored(), handle, "passphrase", passphrase, now);
  adjustments.setAside(made.records, "a");
  adjustments.setAside(made.records, "older");
  adjustments.setAside(other.records, "a");
  const ids = (vault) =>
    adjustments
      .attended(vault.records)
      .map(({ id }) => id)
      .sort();
  assert.deepEqual(ids(made), ["b", "old"]);
  assert.equal(deliveries.contributions(made.records).length, 4);
  await made.save(desk, false);
  await other.save(desk, false);
  assert.deepEqual(ids(other), ["b", "old"]);
  adjustments.countAgain(other.records, "a");
  assert.deepEqual(ids(other), ["a", "b", "old"]);
  // A newer version of the call does not bring it back.
  deliveries.mergeContributions(other.records, [{ ...call("older", "2024-05-05T00:00:00Z"), revision: 2 }]);
  assert.deepEqual(ids(other), ["a", "b", "old"]);
  deliveries.mergeContributions(other.records, [{ ...call("left", "2024-05-07T00:00:00Z"), gone: true }]);
  compact.compact(other.records, now());
  assert.deepEqual(
    other.records.all("exposure-month").map(({ body }) => body.counts),
    [{ suicide: 1 }],
  );
  assert.deepEqual(ids(other), ["a", "b"]);
  assert.equal(other.records.all("not-there").length, 0);
});

test("a vault that cannot be made to fit says so and saves nothing", async () => {
  const { made, desk } = await enrolled();
  for (let i = 0; i < 300; i++) made.records.put("note", { text: bytes.hex(bytes.random(1000)) });
  await assert.rejects(made.save(desk, false), { code: "vault_full" });
  assert.equal(desk.version, 1);
});

test("old tombstones are forgotten, young ones are kept", () => {
  let day = new Date("2026-01-01T00:00:00Z");
  const store = new records.RecordStore(() => day);
  store.remove(store.put("note", {}).id);
  day = new Date("2026-02-20T00:00:00Z");
  store.remove(store.put("note", {}).id);
  store.dropOldTombstones();
  assert.equal(store.snapshot().tombstones.length, 1);
});

test("contributions: a higher revision replaces, a late lower one does not, gone withdraws", () => {
  const store = new records.RecordStore(now);
  const first = {
    id: "1",
    at: "2026-11-01T00:00:00Z",
    type: "a",
    role: "primary",
    minutes: 1,
    revision: 2,
    gone: false,
  };
  deliveries.mergeContributions(store, [first]);
  deliveries.mergeContributions(store, [{ ...first, revision: 1, type: "late" }]);
  assert.deepEqual(
    deliveries.contributions(store).map(({ type }) => type),
    ["a"],
  );
  deliveries.mergeContributions(store, [{ ...first, revision: 3, gone: true }]);
  deliveries.mergeContributions(store, [{ ...first, revision: 2 }]);
  assert.deepEqual(deliveries.contributions(store), []);
});

test("a vault that is closed while it is sealed is not sent: its content is gone and its key is zeros", async () => {
  for (const save of [
    (vault, desk) => vault.save(desk, false),
    (vault, desk) => vault.changeSecrets(desk, secrets.joined(secrets.newWords()), "A".repeat(32)),
  ]) {
    const { made, desk } = await enrolled();
    made.records.put("note", { text: "kept" });
    await save(made, desk); // control: open, it is sent
    assert.equal(desk.saves.length, 1);
    const saving = save(made, desk);
    made.close();
    await assert.rejects(saving, (error) => error instanceof net.Problem && error.code === "locked");
    assert.equal(desk.saves.length, 1);
  }
});
