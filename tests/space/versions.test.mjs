// Earlier versions: what comes back, what stays, and that nothing comes back twice.

import assert from "node:assert/strict";
import { test } from "node:test";

const { bytes, records, vault, versions } = await import(process.env.WARDWELL_LIBRARY);
const now = () => new Date("2026-11-23T12:00:00Z");
const handle = "ab".repeat(16);
const words = (store) =>
  store
    .all("check-in")
    .map(({ body }) => body.words)
    .sort();

function written() {
  const store = new records.RecordStore(now);
  const [kept, gone] = [store.put("check-in", { words: "kept" }), store.put("check-in", { words: "gone" })];
  store.put("screener", { id: "phq-2" });
  const conversation = store.put("post-thread", { thread: "ended" });
  const key = store.put("supporter-key", { secret: "old" });
  const earlier = store.snapshot();
  for (const { id } of [gone, conversation, key]) store.remove(id);
  store.put("check-in", { words: "newer" });
  return { store, earlier, kept, gone };
}

test("what was removed comes back with its own time; what is newer stays; keys and ended conversations stay gone", () => {
  const { store, earlier, gone } = written();
  const { back, newer } = versions.compare(store, earlier);
  assert.deepEqual([back.map(({ id }) => id), newer.map(({ body }) => body.words)], [[gone.id], ["newer"]]);
  versions.takeBack(store, earlier, now(), false);
  assert.deepEqual(words(store), ["gone", "kept", "newer"]);
  assert.equal(store.all("check-in").find(({ body }) => body.words === "gone").at, gone.at);
  assert.deepEqual([store.all("post-thread"), store.all("supporter-key")], [[], []]);
  // Control: both were in the earlier version.
  assert.equal(earlier.records.filter(({ type }) => ["post-thread", "supporter-key"].includes(type)).length, 2);
});

test("only when the officer says so does what is newer go", () => {
  const { store, earlier } = written();
  versions.takeBack(store, earlier, now(), true);
  assert.deepEqual(words(store), ["gone", "kept"]);
  assert.deepEqual(versions.compare(store, earlier), { back: [], newer: [] });
});

test("twice, in two sessions, removed again and taken back again: one copy each time", () => {
  const { store, earlier } = written();
  const other = store.copy();
  for (const one of [store, store, other]) versions.takeBack(one, earlier, now(), false);
  store.merge(other.snapshot());
  assert.deepEqual(words(store), ["gone", "kept", "newer"]);
  store.remove(store.all("check-in").find(({ body }) => body.words === "gone").id);
  assert.deepEqual(words(store), ["kept", "newer"]);
  // The other session still has it; the removal holds in the merge.
  store.merge(other.snapshot());
  assert.deepEqual(words(store), ["kept", "newer"]);
  versions.takeBack(store, earlier, now(), false);
  assert.deepEqual(words(store), ["gone", "kept", "newer"]);
});

test("calls that are missing come back; revised, withdrawn and folded ones stay as they are", () => {
  const call = (id, at, more = {}) => ({
    id,
    at,
    type: "suicide",
    role: "primary",
    minutes: 1,
    revision: 1,
    gone: false,
    ...more,
  });
  const old = new records.RecordStore(now);
  for (const one of [
    call("a", "2026-11-01T00:00:00Z"),
    call("b", "2026-11-02T00:00:00Z"),
    call("f", "2024-01-01T00:00:00Z"),
  ]) {
    old.put("exposure", one);
  }
  const store = new records.RecordStore(now);
  store.put("exposure", call("b", "2026-11-02T00:00:00Z", { revision: 2, gone: true }));
  store.put("exposure-month", { month: "2024-01", counts: { suicide: 1 } });
  for (const times of [1, 2]) {
    versions.takeBack(store, old.snapshot(), now(), false);
    assert.deepEqual(
      store
        .all("exposure")
        .map(({ body }) => body.id)
        .sort(),
      ["a", "b"],
      `time ${times}`,
    );
  }
  assert.equal(store.all("exposure").find(({ body }) => body.id === "b").body.gone, true);
});

test("an earlier version opens under its own number only", async () => {
  const made = vault.Vault.create(handle, now);
  made.records.put("check-in", { words: "first" });
  const blob = await made.nextBlob();
  made.stored(1);
  const { records: found } = await made.read(1, blob);
  assert.equal(found[0].body.words, "first");
  assert.equal(await made.read(2, blob), null, "another version's number");
  const flipped = bytes.unbase64(blob);
  flipped[5000] ^= 1;
  assert.equal(await made.read(1, bytes.base64(flipped)), null, "altered");
  assert.equal(await vault.Vault.create(handle, now).read(1, blob), null, "another key's");
});
