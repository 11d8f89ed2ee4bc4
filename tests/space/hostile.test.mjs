// A hostile server against the vault: whatever it serves, nothing opens and the officer reads what happened.
//
// Each attack has its honest control: the same path with what the server should have served works.

import assert from "node:assert/strict";
import { before, test } from "node:test";

const { bytes, format, ledger, net, session, vault, wraps } = await import(process.env.WARDWELL_LIBRARY);
const { Vault } = vault;
const now = () => new Date("2026-11-23T12:00:00Z");

async function officer(handle, text) {
  const made = Vault.create(handle, now);
  made.records.put("note", { text });
  const { passphrase, recovery } = await session.newSecrets();
  const stored = {
    version: 1,
    blob: await made.nextBlob(),
    wraps: await made.wraps(passphrase, recovery),
    enrolled_on: "2026-11-23",
  };
  made.stored(1);
  return { handle, made, passphrase, recovery, stored };
}

const texts = (opened) => opened.records.all("note").map(({ body }) => body.text);
const open = (one, stored = one.stored, which = "passphrase", secret = one.passphrase) =>
  Vault.open(stored, one.handle, which, secret, now);

/** The attack fails with `code` and a sentence that `says` something; the message never names what was in the vault. */
async function fails(attack, code, says) {
  await assert.rejects(attack, (error) => {
    assert.ok(error instanceof net.Problem, `not a sentence for a person: ${error}`);
    assert.equal(error.code, code);
    assert.match(error.message, says);
    assert.ok(error.fix.length > 0);
    return true;
  });
}

let alex, sam;
before(async () => {
  alex = await officer("ab".repeat(16), "alex's");
  sam = await officer("cd".repeat(16), "sam's");
});

const change = (wrapped, edit) => bytes.base64(edit(Buffer.from(wrapped, "base64")));
const withWrap = (one, passphrase) => ({ ...one.stored, wraps: { ...one.stored.wraps, passphrase } });

test("control: what an honest server serves opens, by the words and by the recovery code", async () => {
  assert.deepEqual(texts(await open(alex)), ["alex's"]);
  assert.deepEqual(texts(await open(alex, alex.stored, "recovery", alex.recovery)), ["alex's"]);
});

test("weaker parameters are refused before the words are used", async () => {
  const header = (logN) => (file) => {
    const edited = file.toString("latin1").replace(/(-> scrypt \S+ )\d+\n/, `$1${logN}\n`);
    assert.notEqual(edited, file.toString("latin1"));
    return Buffer.from(edited, "latin1");
  };
  for (const logN of [1, 10, wraps.LEAST_LOG_N - 1]) {
    const begun = performance.now();
    await fails(
      open(alex, withWrap(alex, change(alex.stored.wraps.passphrase, header(logN)))),
      "weak_key_file",
      /too low/,
    );
    assert.ok(performance.now() - begun < 500, "no key was derived");
  }
  // Stronger ones than age allows would only keep the computer busy; zero, signs and other forms are no number at all.
  await fails(open(alex, withWrap(alex, change(alex.stored.wraps.passphrase, header(63)))), "wrap_altered", /altered/);
  for (const form of ["0", "018", "+18", "18 18", "1e2"]) {
    await fails(
      open(alex, withWrap(alex, change(alex.stored.wraps.passphrase, header(form)))),
      "wrap_altered",
      /altered/,
    );
  }
});

test("a key file of another kind, truncated, altered or empty is told from wrong words", async () => {
  const wrapped = alex.stored.wraps.passphrase;
  const cut = (length) => change(wrapped, (file) => file.subarray(0, length));
  const flipped = change(wrapped, (file) => file.with(-1, file.at(-1) ^ 1));
  const other = bytes.base64(bytes.utf8("age-encryption.org/v1\n-> X25519 AAAA\nAAAA\n--- AAAA\n"));
  const length = Buffer.from(wrapped, "base64").length;
  for (const served of [cut(0), cut(40), cut(length - 1), flipped, other, "not base64!"]) {
    await fails(open(alex, withWrap(alex, served)), "wrap_altered", /damaged or was altered/);
  }
  // Control: wrong words are wrong words.
  assert.equal(await open(alex, alex.stored, "passphrase", sam.passphrase), null);
});

test("another officer's key file does not open with one's own words, nor another's whole vault", async () => {
  assert.equal(await open(alex, withWrap(alex, sam.stored.wraps.passphrase)), null);
  assert.equal(await open(alex, sam.stored), null);
  // Nor when the words are known: the blob belongs to its owner's handle.
  await fails(open(alex, sam.stored, "passphrase", sam.passphrase), "vault_altered", /altered or is not the newest/);
  // A key file made for these words by somebody who knows them, around another key.
  const planted = await wraps.wrap(bytes.random(32), alex.passphrase);
  await fails(open(alex, withWrap(alex, planted)), "vault_altered", /altered or is not the newest/);
  assert.deepEqual(texts(await open(sam)), ["sam's"]);
});

test("a swapped, truncated, altered or renumbered blob is refused", async () => {
  const blob = bytes.unbase64(alex.stored.blob);
  const flip = (at) => {
    const edited = blob.slice();
    edited[at] ^= 1;
    return edited;
  };
  const served = [
    bytes.unbase64(sam.stored.blob),
    blob.slice(0, blob.length - 1),
    new Uint8Array(0),
    flip(0),
    flip(40),
    flip(blob.length - 1),
  ];
  for (const one of served) {
    await fails(open(alex, { ...alex.stored, blob: bytes.base64(one) }), "vault_altered", /altered/);
  }
  for (const version of [0, 2]) {
    await fails(open(alex, { ...alex.stored, version }), "vault_altered", /not the newest/);
  }
});

/** A desk in memory; `serve` decides what a save that lost the race is answered with. */
class Desk {
  #copies = [];
  constructor(stored) {
    this.#copies = [stored];
  }
  get newest() {
    return this.#copies.at(-1);
  }
  copy(version) {
    return this.#copies.find((one) => one.version === version);
  }
  async saveVault(expected, blob) {
    if (expected !== this.newest.version) throw new net.Conflict(this.newest.version, this.newest.blob);
    this.#copies.push({ ...this.newest, version: expected + 1, blob });
    return { version: expected + 1 };
  }
}

test("an old copy served while one saves is refused by its number, and nothing on the page is lost", async () => {
  const one = await officer("ef".repeat(16), "first");
  const desk = new Desk(one.stored);
  one.made.records.put("note", { text: "second" });
  await one.made.save(desk, false);
  one.made.records.put("note", { text: "third" });
  for (const [version, blob] of [
    [1, desk.copy(1).blob],
    [2, desk.copy(2).blob],
    [0, desk.copy(1).blob],
  ]) {
    const replaying = { saveVault: async () => Promise.reject(new net.Conflict(version, blob)) };
    await fails(one.made.save(replaying, false), "old_copy", /older copy .* was served/);
  }
  // An old copy under a new number.
  const renumbering = { saveVault: async () => Promise.reject(new net.Conflict(3, desk.copy(1).blob)) };
  await fails(one.made.save(renumbering, false), "new_secrets", /or the copy was altered/);
  assert.deepEqual(texts(one.made).sort(), ["first", "second", "third"]);
  // Control: the honest desk takes the save, and another session's newer copy is merged.
  const other = await Vault.open(desk.newest, one.handle, "passphrase", one.passphrase, now);
  other.records.put("note", { text: "fourth" });
  await other.save(desk, false);
  await one.made.save(desk, false);
  assert.deepEqual(texts(one.made).sort(), ["first", "fourth", "second", "third"]);
});

test("two tabs that write the same number never use a key and nonce twice", async () => {
  const one = await officer("12".repeat(16), "both tabs");
  const twin = await open(one);
  const salts = new Set();
  const bodies = new Set();
  for (let write = 0; write < 50; write++) {
    for (const tab of [one.made, twin]) {
      const blob = bytes.unbase64(await tab.nextBlob());
      salts.add(bytes.hex(blob.slice(1, 33)));
      bodies.add(bytes.hex(blob.slice(33, 65)));
    }
  }
  assert.equal(salts.size, 100);
  // The same plaintext under the same number: equal bytes would mean one keystream used twice.
  assert.equal(bodies.size, 100);
  // Control: with salts that repeat, as from a broken source of randomness, the same counting shows it.
  const { getRandomValues } = crypto;
  crypto.getRandomValues = (array) => array.fill(7);
  try {
    assert.equal(await one.made.nextBlob(), await twin.nextBlob());
  } finally {
    crypto.getRandomValues = getRandomValues;
  }
  assert.notEqual(await one.made.nextBlob(), await twin.nextBlob());
});

test("the two key files of one vault put in each other's place do not open, and a weaker one of either is refused", async () => {
  const { passphrase, recovery } = alex.stored.wraps;
  const swapped = { ...alex.stored, wraps: { passphrase: recovery, recovery: passphrase } };
  assert.equal(await open(alex, swapped), null);
  const weak = change(recovery, (file) =>
    Buffer.from(
      file.toString("latin1").replace(/(-> scrypt \S+ )\d+\n/, (_, begins) => `${begins}12\n`),
      "latin1",
    ),
  );
  const served = { ...alex.stored, wraps: { passphrase, recovery: weak } };
  await fails(open(alex, served, "recovery", alex.recovery), "weak_key_file", /too low/);
});

test("a blob of a later format says that these pages are too old, one of no format that it was altered", async () => {
  const master = bytes.random(32);
  const blob = await format.sealVault(master, alex.handle, 1, { records: [], tombstones: [] }, 4096);
  const served = (first) => format.openVault(master, alex.handle, 1, Uint8Array.of(first, ...blob.slice(1)));
  for (const later of [blob[0] + 1, 255]) await fails(served(later), "vault_newer", /later version of these pages/);
  await assert.rejects(served(0), /unknown vault format/);
  await served(blob[0]);
});

test("a file that is cut off, and a leaf that is no JSON", async () => {
  const serve = (end) => async () =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(bytes.utf8("begun"));
          end(controller);
        },
      }),
    );
  await fails(
    net.readFile(
      serve((c) => c.error(new TypeError("terminated"))),
      "https://space/x",
    ),
    "unreachable",
    /does not answer/,
  );
  assert.equal(
    bytes.text(
      await net.readFile(
        serve((c) => c.close()),
        "https://space/x",
      ),
    ),
    "begun",
  );
  for (const leaf of ["begun", "null", '{"kind":"other"}', "\xff"])
    assert.equal(ledger.readLeaf(bytes.utf8(leaf), "heads"), null);
  assert.deepEqual(ledger.readLeaf(bytes.utf8('{"kind":"heads"}'), "heads"), { kind: "heads" });
});
