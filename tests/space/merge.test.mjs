// Whatever two or three sessions do at once, their vault ends as the union of what they put, less what they removed.
//
// Random schedules (fast-check) of real vaults against a desk in memory: put, remove, change, deliveries, saves that race
// for one version, kept saves, lost pages, folding of a vault that is full. After each save the session shows exactly
// what was saved by all of them until then. Controls: three stores that merge wrongly are caught by the same property.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

const require = createRequire(new URL("../../webapp/space/package.json", import.meta.url));
const fc = require("fast-check");
const { bytes, compact, constants, deliveries, exposure, format, net, records, vault } = await import(
  process.env.WARDWELL_LIBRARY
);
const { RecordStore } = records;
const { Vault } = vault;

const handle = "ab".repeat(16);
const now = () => new Date("2026-11-23T12:00:00Z");
const RUNS = { numRuns: 120, seed: 20_261_124, endOnFailure: true };
// Small, so that schedules reach a full vault: about two deliveries.
constants.constants.vault_base_bytes = 5120;

// What an officer's own hand puts, removes and changes; and what the intake delivers.
const texts = (store) =>
  store
    .all("note")
    .map(({ body }) => body.text)
    .sort();
const career = (store) => {
  const folded = store.all("exposure-month").map(({ body }) => body);
  return exposure.summarize(deliveries.contributions(store), now(), "America/Chicago", folded).counts.career;
};

/** Desk: the newest copy, compare-and-swap, and deliveries until they are taken. */
class Desk {
  version = 0;
  blob = "";
  waiting = [];
  conflicts = 0;
  kept = 0;
  async saveVault(expected, blob, keep) {
    if (expected !== this.version) {
      this.conflicts += 1;
      throw new net.Conflict(this.version, this.blob);
    }
    this.blob = blob;
    this.kept += keep ? 1 : 0;
    return { version: ++this.version };
  }
}

let numbers = 0;
function contribution(day, gone = false) {
  const [id, at] = [bytes.hex(bytes.random(16)), `${day}T0${numbers++ % 10}:00:00Z`];
  // Bulky, so that a fold makes room although each folded call leaves a tombstone.
  const bulk = bytes.hex(bytes.random(100));
  return { id, at, type: "suicide", role: "primary", minutes: null, revision: 1, gone, bulk };
}

/** One unlock-to-lock. `pending` is what it did since its last save. */
class OpenSession {
  static async open(world) {
    const { master, desk } = world;
    const opened = new OpenSession();
    // Past the wrap, which costs a second each time and has its own tests.
    opened.vault = new world.Vault(master.slice(), handle, new world.Store(now), "2026-11-23", desk.version, now);
    if (desk.version > 0) {
      const { records, tombstones } = await format.openVault(master, handle, desk.version, bytes.unbase64(desk.blob));
      opened.vault.records.merge({ records, tombstones });
    }
    opened.pending = { put: new Set(), removed: new Set() };
    return opened;
  }
  get store() {
    return this.vault.records;
  }
  put(text) {
    this.store.put("note", { text });
    this.pending.put.add(text);
  }
  #some(at) {
    const notes = this.store.all("note");
    return notes[at % notes.length];
  }
  remove(at) {
    const note = this.#some(at);
    if (!note) return;
    this.store.remove(note.id);
    this.pending.removed.add(note.body.text);
  }
  change(at, text) {
    const note = this.#some(at);
    if (!note) return;
    this.store.replace(note.id, { text });
    this.pending.removed.add(note.body.text);
    this.pending.put.add(text);
  }
}

/** A schedule played from its first step to three sessions that all locked. */
class World {
  sessions = [null, null, null];
  put = new Set();
  removed = new Set();
  delivered = 0;
  folds = 0;
  constructor({ Store = RecordStore, Opened = Vault } = {}) {
    Object.assign(this, { Store, Vault: Opened, master: bytes.random(32), desk: new Desk() });
  }

  async session(at) {
    this.sessions[at] ??= await OpenSession.open(this);
    return this.sessions[at];
  }

  /** Save; a race of two is between the same two waits of each. What was saved counts, whatever becomes of the page. */
  async save(session, keep = false) {
    const before = session.store.all("exposure-month").length;
    await session.vault.save(this.desk, keep);
    for (const text of session.pending.put) this.put.add(text);
    for (const text of session.pending.removed) this.removed.add(text);
    session.pending = { put: new Set(), removed: new Set() };
    this.folds += session.store.all("exposure-month").length > before ? 1 : 0;
  }

  /** `lost`: the page goes away before the save, or after it but before desk hears that the deliveries were taken. */
  async refresh(at, lost) {
    const session = await this.session(at);
    const arrived = [...this.desk.waiting];
    for (const delivery of arrived) deliveries.mergeContributions(session.store, delivery);
    if (lost !== "before") await this.save(session);
    if (lost !== "no") {
      this.sessions[at] = null;
      return;
    }
    this.desk.waiting = this.desk.waiting.filter((delivery) => !arrived.includes(delivery));
  }

  check(store) {
    assert.deepEqual(texts(store), [...this.put].filter((text) => !this.removed.has(text)).sort());
  }

  async play(steps) {
    for (const { kind, who, number, lost } of steps) {
      const session = await this.session(who);
      if (kind === "put") session.put(`${numbers++}`);
      if (kind === "remove") session.remove(number);
      if (kind === "change") session.change(number, `${numbers++}`);
      if (kind === "lost page") this.sessions[who] = null;
      if (kind === "refresh") await this.refresh(who, lost);
      if (kind === "delivery") {
        // Two that the intake may still revise, one of them withdrawn, and old ones that a full vault folds.
        const old = Array.from({ length: 12 }, () => contribution("2024-05-06"));
        this.desk.waiting.push([...old, contribution("2026-11-01"), contribution("2026-11-02", true)]);
        this.delivered += 13;
      }
      if (kind === "race") {
        const other = await this.session((who + 1) % 3);
        await Promise.all([this.save(session), this.save(other)]);
      }
      if (kind === "save" || kind === "lock") {
        await this.save(session, kind === "lock");
        this.check(session.store);
        if (kind === "lock") this.sessions[who] = null;
      }
    }
    for (const at of [0, 1, 2]) await this.refresh(at, "no");
    for (const at of [0, 1, 2]) await this.save(this.sessions[at], true);
    const { store } = await OpenSession.open(this);
    this.check(store);
    assert.equal(career(store), this.delivered, "a call was lost or counted twice");
    assert.equal(this.desk.blob.length, 4 * Math.ceil(constants.constants.vault_base_bytes / 3));
  }
}

const step = fc.record({
  kind: fc.oneof(
    ...[
      ["put", 5],
      ["remove", 3],
      ["change", 3],
      ["save", 4],
      ["race", 2],
      ["refresh", 4],
      ["delivery", 2],
      ["lock", 2],
      ["lost page", 1],
    ].map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind) })),
  ),
  who: fc.nat(2),
  number: fc.nat(50),
  lost: fc.constantFrom("no", "no", "no", "before", "after"),
});
const schedules = fc.array(step, { minLength: 5, maxLength: 40, size: "max" });

const holds = (broken, seen = { folds: 0, conflicts: 0 }) =>
  fc.asyncProperty(schedules, async (steps) => {
    const world = new World(broken);
    try {
      await world.play(steps);
    } catch (error) {
      // Too much even when folded: such a schedule says nothing here; it has a test of its own.
      fc.pre(error.code !== "vault_full");
      throw error;
    }
    seen.folds += world.folds;
    seen.conflicts += world.desk.conflicts;
  });

test("any schedule of three sessions ends in the union less removals; every call counts once", async () => {
  const seen = { folds: 0, conflicts: 0 };
  await fc.assert(holds({}, seen), RUNS);
  // The schedules did reach what they are for.
  assert.ok(seen.conflicts > 100 && seen.folds > 20, JSON.stringify(seen));
});

// The controls: each is wrong in one way, and the property above must find it.
class Resurrecting extends RecordStore {
  merge(other) {
    super.merge({ records: other.records, tombstones: [] });
  }
}
class Losing extends RecordStore {
  merge(other) {
    const own = new Set(this.snapshot().records.map(({ id }) => id));
    super.merge({ ...other, records: other.records.filter(({ id }) => own.size === 0 || own.has(id)) });
  }
}
class FoldingEarly extends Vault {
  async nextBlob() {
    compact.compact(this.records, now());
    return super.nextBlob();
  }
}
class Naming extends RecordStore {
  put(type, body) {
    return super.put(type, body);
  }
}

for (const [name, broken] of [
  ["that forgets removals", { Store: Resurrecting }],
  ["that takes nothing new over", { Store: Losing }],
  ["that folds before it knows that the fold is stored", { Opened: FoldingEarly }],
  ["that holds two copies of one delivery apart", { Store: Naming }],
]) {
  test(`control: a vault ${name} is caught`, async () => {
    const { failed, errorInstance } = await fc.check(holds(broken), RUNS);
    assert.ok(failed && errorInstance instanceof assert.AssertionError, errorInstance?.message);
  });
}

// The same for the merge alone, without a vault around it.
const KEYS = ["a", "b", "c", "d", "e", "f"];
const at = (n) => `2026-11-${String(10 + n)}T00:00:00.000Z`;
const copies = fc.record({
  // A record is immutable: its body belongs to its id. When two put it under one name, only the time differs.
  records: fc.uniqueArray(fc.tuple(fc.constantFrom(...KEYS), fc.nat(9)), { selector: ([id]) => id }),
  tombstones: fc.uniqueArray(fc.tuple(fc.constantFrom(...KEYS), fc.nat(9)), { selector: ([id]) => id }),
});
const snapshot = ({ records, tombstones }) => ({
  records: records.map(([id, n]) => ({ id, type: "note", at: at(n), body: { text: id } })),
  tombstones: tombstones.map(([id, n]) => ({ id, at: at(n) })),
});
const merged = (Store, ...some) => {
  const store = new Store(now);
  for (const one of some) store.merge(one);
  return store.snapshot();
};
const algebra = (Store) =>
  fc.property(copies, copies, copies, (...three) => {
    const [a, b, c] = three.map(snapshot);
    const both = merged(Store, a, b);
    assert.deepEqual(both, merged(Store, b, a), "commutative");
    assert.deepEqual(merged(Store, both, c), merged(Store, a, merged(Store, b, c)), "associative");
    assert.deepEqual(merged(Store, both, both), both, "idempotent");
    assert.deepEqual(merged(Store, both, a, b), both, "what was taken over already changes nothing");
    const removed = new Set([...a.tombstones, ...b.tombstones].map(({ id }) => id));
    const put = new Set([...a.records, ...b.records].map(({ id }) => id));
    assert.deepEqual(
      both.records.map(({ id }) => id),
      [...put].filter((id) => !removed.has(id)).sort(),
    );
  });

test("the merge is commutative, associative and idempotent, and is the union less removals", () => {
  fc.assert(algebra(RecordStore), { ...RUNS, numRuns: 2000 });
});

class FirstCome extends RecordStore {
  merge(other) {
    const own = new Set(this.snapshot().tombstones.map(({ id }) => id));
    super.merge({ ...other, tombstones: other.tombstones.filter(({ id }) => !own.has(id)) });
  }
}

for (const [name, Store] of [
  ["forgets removals", Resurrecting],
  ["keeps whichever removal it met first", FirstCome],
]) {
  test(`control: a merge that ${name} is caught`, () => {
    assert.ok(fc.check(algebra(Store), { ...RUNS, numRuns: 2000 }).failed);
  });
}
