// Choices: off at first, ended by themselves, applied here; a message is queued when all that was chosen holds, else never.

import assert from "node:assert/strict";
import { before, test } from "node:test";

const { bytes, cells, choices, records, threads } = await import(process.env.WARDWELL_LIBRARY);
const DAY = 86_400_000;
const START = Date.parse("2026-11-23T12:00:00Z");
const PEER = { number: 7, name: "Pat Peer", role: "peer" };
const OTHER = { number: 8, name: "Ollie Peer", role: "peer" };
const CLINICIAN = { number: 9, name: "Cleo Clinician", role: "clinician" };
let keys;
before(async () => {
  const { xwing, x25519 } = (await cells.newKeys()).public;
  keys = { xwing: bytes.base64(xwing), x25519: bytes.base64(x25519), languages: [], phone: "", about: "" };
});

/** An officer's open space on day `day`; with six heavy calls of one kind in the last week unless `calm`. */
function space({ calm = false, listed = [PEER, OTHER, CLINICIAN] } = {}) {
  const ctx = { day: 0, site: { time_zone: "America/Chicago" }, name: "Officer, The" };
  ctx.now = () => new Date(START + ctx.day * DAY);
  ctx.vault = new records.RecordStore(ctx.now);
  ctx.keylist = { version: 1, supporters: listed.map((one) => ({ ...one, ...keys })) };
  ctx.heavy = (day) => {
    for (let i = 0; i < 6; i++) {
      const at = new Date(START + (day - i - 1) * DAY).toISOString();
      ctx.vault.put("exposure", {
        id: `${day}-${i}`,
        at,
        type: "suicide",
        role: "primary",
        minutes: 60,
        revision: 1,
        gone: false,
      });
    }
  };
  if (!calm) ctx.heavy(0);
  return ctx;
}
const on = (ctx, more = {}) =>
  choices.allowReachOut(ctx.vault, ctx.now(), {
    until: choices.monthsLater(ctx.now(), 6),
    number: 7,
    alias: "Red Heron 12",
    text: "Please get in touch.",
    ...more,
  });
const written = async (ctx) => {
  await choices.reachOut(ctx);
  return threads.threads(ctx).map(({ name, alias, messages }) => [name, alias, ...messages.map(({ text }) => text)]);
};
const LETTER = ["Pat Peer", "Red Heron 12", "Please get in touch."];

test("off until it is switched on; then one message, exactly as it was shown, waits in the queue like any other", async () => {
  const ctx = space();
  assert.equal(choices.reachOutChoice(ctx.vault, ctx.now()), null);
  assert.deepEqual(await written(ctx), []);
  on(ctx);
  assert.deepEqual(await written(ctx), [LETTER]);
  // The same records as a message that the officer writes.
  const own = space();
  await threads.startThread(own, own.keylist.supporters[0], "Red Heron 12", "Please get in touch.");
  const types = ({ vault }) =>
    vault
      .snapshot()
      .records.map(({ type }) => type)
      .filter((type) => type.startsWith("post-"))
      .sort();
  assert.deepEqual(types(ctx), types(own));
  assert.equal(threads.waitingParts(ctx, "requests").length, 1);
});

test("not without a pattern: the same sums and thresholds as on the exposure page", async () => {
  const ctx = space({ calm: true });
  on(ctx);
  assert.deepEqual(await written(ctx), []);
  ctx.heavy(0);
  assert.equal(choices.isHeavy(ctx), true);
  assert.deepEqual(await written(ctx), [LETTER]);
});

test("once in thirty days at most, and never after its end", async () => {
  const ctx = space();
  on(ctx, { until: choices.monthsLater(ctx.now(), 3) });
  for (const [day, times] of [
    [0, 1],
    [0, 1],
    [29, 1],
    [30.1, 2],
    [59, 2],
    [61, 3],
    [90, 3],
    [92.1, 3],
    [95, 3],
  ]) {
    ctx.day = day;
    ctx.heavy(day);
    assert.equal((await written(ctx)).length, times, `day ${day}`);
  }
  assert.equal(choices.reachOutChoice(ctx.vault, ctx.now()), null);
});

test("an end that is too far, past, or a message that is empty or too long is refused", () => {
  const ctx = space();
  for (const more of [
    { until: choices.monthsLater(ctx.now(), 7) },
    { until: ctx.now().toISOString() },
    { text: " " },
    { text: "x".repeat(choices.MOST_LETTERS + 1) },
  ]) {
    assert.throws(() => on(ctx, more), RangeError);
  }
  assert.equal(ctx.vault.all("choice-reach-out").length, 0);
});

test("who is never to be involved is not shown and not written to, until the officer says so", async () => {
  const ctx = space();
  on(ctx);
  choices.setNever(ctx.vault, 7, true);
  assert.deepEqual(
    choices.shownSupporters(ctx).map(({ number }) => number),
    [8, 9],
  );
  assert.deepEqual(await written(ctx), []);
  choices.setNever(ctx.vault, 7, false);
  assert.deepEqual(
    choices.shownSupporters(ctx).map(({ number }) => number),
    [7, 8, 9],
  );
  assert.deepEqual(await written(ctx), [LETTER]);
});

test("nobody is written to who is no peer, or no longer in the signed list", async () => {
  for (const [listed, number] of [
    [[PEER, CLINICIAN], 9],
    [[OTHER], 7],
  ]) {
    const ctx = space({ listed });
    on(ctx, { number });
    assert.deepEqual(await written(ctx), []);
  }
  const ctx = space();
  ctx.keylist = null;
  on(ctx);
  assert.deepEqual(await written(ctx), []);
});

test("quiet: nothing is written until the day comes, or the officer ends it", async () => {
  const ctx = space();
  on(ctx);
  choices.setQuiet(ctx.vault, new Date(START + 7 * DAY).toISOString());
  assert.deepEqual(await written(ctx), []);
  ctx.day = 6.9;
  assert.deepEqual(await written(ctx), []);
  const ended = space();
  ended.vault.merge(ctx.vault.snapshot());
  choices.setQuiet(ended.vault, null);
  assert.deepEqual(await written(ended), [LETTER]);
  ctx.day = 7.1;
  ctx.heavy(7);
  assert.deepEqual(await written(ctx), [LETTER]);
});

test("switched off in one session while another changes it: what was decided last holds", async () => {
  const ctx = space();
  on(ctx);
  const other = space({ calm: true });
  other.vault.merge(ctx.vault.snapshot());
  ctx.day = 0.01;
  on(ctx, { text: "Changed." });
  other.day = 0.02;
  choices.endReachOut(other.vault);
  choices.setNever(other.vault, 8, true);
  ctx.vault.merge(other.vault.snapshot());
  ctx.day = 0.03;
  assert.equal(choices.reachOutChoice(ctx.vault, ctx.now()), null);
  assert.deepEqual(await written(ctx), []);
  // Control: the change alone would have held.
  on(ctx, { text: "Changed." });
  assert.equal((await written(ctx))[0][2], "Changed.");
});
