// What ships: the work behind a secret is scrypt at 2^18, and nothing weaker is opened. Runs on the library as built.

import assert from "node:assert/strict";
import { test } from "node:test";

const { bytes, wraps } = await import(process.env.WARDWELL_LIBRARY);
const SHIPPED = 18;

test("a key file is made at 2^18, opens, and is refused one step below", async () => {
  assert.equal(wraps.LEAST_LOG_N, SHIPPED);
  const master = bytes.random(32);
  const wrapped = await wraps.wrap(master, "one-two-three");
  const file = Buffer.from(wrapped, "base64").toString("latin1");
  assert.match(file, new RegExp(`^age-encryption\\.org/v1\n-> scrypt \\S+ ${SHIPPED}\n`));
  assert.deepEqual(await wraps.unwrap(wrapped, "one-two-three"), master);
  const weaker = Buffer.from(file.replace(/(-> scrypt \S+ )\d+\n/, `$1${SHIPPED - 1}\n`), "latin1");
  await assert.rejects(wraps.unwrap(bytes.base64(weaker), "one-two-three"), { code: "weak_key_file" });
});
