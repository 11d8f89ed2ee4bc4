// Words and recovery codes: how they are drawn and read, what they open, and what a change of them does to a vault.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { enrolled, handle, now, Vault } from "./memory_desk.mjs";

const { bytes, net, secrets, session, wordlist: list, wraps } = await import(process.env.WARDWELL_LIBRARY);
const { wordlist } = list;

test("both secrets open the vault; another passphrase does not", async () => {
  const { made, desk, passphrase, recovery } = await enrolled();
  made.records.put("note", { text: "kept" });
  await made.save(desk, false);
  for (const [which, secret] of [
    ["passphrase", passphrase],
    ["recovery", recovery],
  ]) {
    const opened = await Vault.open(desk.stored(), handle, which, secret, now);
    assert.equal(opened.records.all("note")[0].body.text, "kept");
  }
  assert.equal(await Vault.open(desk.stored(), handle, "passphrase", secrets.joined(secrets.newWords()), now), null);
});

test("new secrets: the old ones open nothing, and a session under the old key cannot save", async () => {
  const { made, desk, passphrase } = await enrolled();
  const other = await Vault.open(desk.stored(), handle, "passphrase", passphrase, now);
  const fresh = await session.newSecrets();
  await made.changeSecrets(desk, fresh.passphrase, fresh.recovery);
  assert.equal(await Vault.open(desk.stored(), handle, "passphrase", passphrase, now), null);
  assert.ok(await Vault.open(desk.stored(), handle, "passphrase", fresh.passphrase, now));
  await assert.rejects(other.save(desk, false), { code: "new_secrets" });
});

for (const stored of [true, false]) {
  test(`new secrets whose answer is lost (${stored ? "stored" : "not stored"}): the next save finds the key that holds`, async () => {
    const { made, desk, passphrase } = await enrolled();
    const fresh = await session.newSecrets();
    const saveWraps = desk.saveWraps;
    desk.saveWraps = async (...asked) => {
      if (stored) await saveWraps.apply(desk, asked);
      throw new net.Problem("unreachable", "no answer", "wait");
    };
    await assert.rejects(made.changeSecrets(desk, fresh.passphrase, fresh.recovery), { code: "unreachable" });
    made.records.put("note", { text: "written meanwhile" });
    await made.save(desk, false);
    const [holds, other] = stored ? [fresh.passphrase, passphrase] : [passphrase, fresh.passphrase];
    assert.equal(await Vault.open(desk.stored(), handle, "passphrase", other, now), null);
    const opened = await Vault.open(desk.stored(), handle, "passphrase", holds, now);
    assert.equal(opened.records.all("note")[0].body.text, "written meanwhile");
    // Tried again on the same page: the new ones open it, the old ones do not.
    desk.saveWraps = saveWraps;
    await made.changeSecrets(desk, fresh.passphrase, fresh.recovery);
    assert.equal(await Vault.open(desk.stored(), handle, "passphrase", passphrase, now), null);
    assert.ok(await Vault.open(desk.stored(), handle, "recovery", fresh.recovery, now));
  });
}

test("words: six of the list, completed from their beginning, read with any separators", () => {
  const words = secrets.newWords();
  assert.equal(words.length, 6);
  assert.equal(secrets.readPassphrase(` ${words.join("  ").toUpperCase()} `), secrets.joined(words));
  assert.equal(secrets.readPassphrase(words.slice(1).join(" ").replaceAll("-", "")), null);
  assert.deepEqual(secrets.complete("zebr"), ["zebra"]);
  assert.deepEqual(secrets.complete("z"), []);
  assert.deepEqual(secrets.unknownWords("zebra yo-yo Drop-Down zebar t-shirt-zoom abandon"), ["zebar", "abandon"]);
});

test("words with a hyphen are read back as they were drawn", () => {
  const words = ["drop-down", "zebra", "yo-yo", "t-shirt", "felt-tip", "zoom"];
  for (const typed of [words.join(" "), words.join("-"), words.join(" - "), words.join(" ").replaceAll("-", " ")]) {
    assert.equal(secrets.readPassphrase(typed), secrets.joined(words));
  }
});

test("the list is the EFF's long one, whole and unaltered", () => {
  // As its file numbers them: five throws of a die, a tab, the word.
  const list = wordlist.map(
    (word, index) => `${[1296, 216, 36, 6, 1].map((of) => 1 + (Math.floor(index / of) % 6)).join("")}\t${word}\n`,
  );
  assert.equal(list.length, 7776);
  const digest = createHash("sha256").update(list.join("")).digest("hex");
  assert.equal(digest, "addd35536511597a02fa0a9ff1e5284677b8883b83e986e43f15a3db996b903e");
  // What completing relies on: sorted, and none the beginning of another.
  assert.ok(
    wordlist.every(
      (word, index) => index === 0 || (wordlist[index - 1] < word && !word.startsWith(wordlist[index - 1])),
    ),
  );
});

test("a space whose words come from another list opens, and a recovery code is never taken for words", async () => {
  const older = "abandon-ability-absurd-zoo-zone-acid";
  const wrapped = await wraps.wrap(bytes.random(32), older);
  assert.equal(
    (await wraps.unwrap(wrapped, secrets.readPassphrase("abandon ability absurd zoo zone acid"))).length,
    32,
  );
  const code = await secrets.newRecoveryCode();
  assert.equal(secrets.readPassphrase(code), null);
  assert.match(code, /[2-9]/);
});

test("recovery code: typing mistakes are told from wrong codes, look-alikes are read", async () => {
  const code = await secrets.newRecoveryCode();
  assert.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){7}[0-9A-HJKMNP-TV-Z]{4}$/);
  assert.equal(await secrets.readRecoveryCode(code.toLowerCase().replaceAll("0", "o").replaceAll("-", " ")), code);
  const other = code[0] === "A" ? "B" : "A";
  assert.equal(await secrets.readRecoveryCode(other + code.slice(1)), null);
});

test("the least work factor is the browser's own", async () => {
  const master = bytes.random(32);
  const wrapped = await wraps.wrap(master, "one-two-three");
  const header = Buffer.from(wrapped, "base64").toString("latin1").split("\n")[1];
  assert.ok(Number(header.split(" ").at(-1)) >= wraps.LEAST_LOG_N);
  const weak = bytes.base64(bytes.utf8("age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 10\nAAAA\n--- AAAA\n"));
  await assert.rejects(wraps.unwrap(weak, "one-two-three"), /too low/);
});
