// Putting a copy back into a vault, as after starting over: opened with its key, read strictly, merged.
//
// Owns: what a copy may bring (check-ins, questionnaires, calls and what was said about them) and what it may not:
// nothing that was not checked piece by piece, no conversation (their keys never left), no choice (it would take effect
// unseen), no entry of who looked (desk sends those again). Must never see: the network, the page.

import { Decrypter } from "age-encryption";
import { type Bytes, copy as copied, text } from "../bytes.js";
import { MOST_LETTERS, SLIDERS, STEPS } from "../checkins.js";
import type { Records, VaultRecord } from "../context.js";
import { mergeContributions } from "../deliveries.js";
import type { Contribution } from "../exposure.js";
import { Problem } from "../net.js";
import { score, screenerOf, type Taken } from "../screeners.js";
import { foldsBefore } from "../vault/compact.js";
import { FORMAT, NAMES, VERSION } from "./format.js";
import { first } from "./zip.js";

/** More than any vault holds. */
const MOST_BYTES = 64 * 1024 * 1024;
const ID = /^[0-9a-f]{32}(~[0-9]{1,4})?$/;
const NAME = /^[a-z0-9_-]{1,64}$/;

type Body = Readonly<Record<string, unknown>>;

const whole = (value: unknown, most: number) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most;
const orNull = (value: unknown, most: number) => value === null || whole(value, most);
const named = (value: unknown, pattern: RegExp): value is string => typeof value === "string" && pattern.test(value);
const moment = (value: unknown): value is string =>
  named(value, /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}Z$/) && !Number.isNaN(Date.parse(value));
const object = (value: unknown): value is Body => typeof value === "object" && value !== null && !Array.isArray(value);

function isScreener(body: Body): boolean {
  if (!named(body.screener, NAME) || !whole(body.version, 1000) || !object(body.answers)) return false;
  const { gate, items } = body.answers;
  if (![true, false, null].includes(gate as null) || !Array.isArray(items) || !items.every((item) => orNull(item, 100)))
    return false;
  const screener = screenerOf(body.screener);
  try {
    if (screener) score(screener, (body as unknown as Taken).answers);
    return true;
  } catch {
    return false;
  }
}

/** What each type of record must look like; types that are not listed here are not brought back. */
const CHECKS: Readonly<Record<string, (body: Body) => boolean>> = {
  "check-in": ({ values, words }) =>
    object(values) &&
    SLIDERS.every(({ id }) => orNull(values[id], STEPS)) &&
    typeof words === "string" &&
    words.length <= MOST_LETTERS,
  screener: isScreener,
  exposure: (body) =>
    named(body.id, /^[0-9a-f]{8,64}$/) &&
    moment(body.at) &&
    named(body.type, NAME) &&
    named(body.role, NAME) &&
    orNull(body.minutes, 100_000) &&
    whole(body.revision, 1_000_000) &&
    typeof body.gone === "boolean" &&
    (body.hour === undefined || orNull(body.hour, 23)) &&
    (body.shift_day === undefined || body.shift_day === null || named(body.shift_day, /^[0-9-]{10}$/)),
  "exposure-month": ({ month, counts }) =>
    named(month, /^[0-9]{4}-[0-9]{2}$/) &&
    object(counts) &&
    Object.entries(counts).every(([type, n]) => NAME.test(type) && whole(n, 1_000_000)),
  "not-there": ({ contribution }) => named(contribution, /^[0-9a-f]{8,64}$/),
};

const notACopy = () =>
  new Problem(
    "not_a_copy",
    "This file opened, but it is not a copy of a private space.",
    "Choose the file that you saved here.",
  );

/** The records of the copy in `file` that may come back. Throws Problem when the key or the file is wrong. */
export async function openCopy(file: Bytes, identity: string): Promise<VaultRecord[]> {
  if (file.length > MOST_BYTES) throw notACopy();
  let archive: Bytes;
  try {
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity.trim().toUpperCase());
    archive = copied(await decrypter.decrypt(file));
  } catch {
    throw new Problem(
      "copy_closed",
      "The key does not open this file.",
      "Check the key: it begins with AGE-SECRET-KEY-1. Each copy has its own key, and an altered file opens with none.",
    );
  }
  const content = first(archive, NAMES.records);
  if (!content) throw notACopy();
  let contents: { format: unknown; version: unknown; records: unknown };
  try {
    contents = JSON.parse(text(content));
  } catch {
    throw notACopy();
  }
  if (!object(contents) || contents.format !== FORMAT || !Array.isArray(contents.records)) throw notACopy();
  if (contents.version !== VERSION) {
    throw new Problem(
      "copy_newer",
      "This copy was made by another version of these pages.",
      "Ask agency IT for an update.",
    );
  }
  return contents.records.filter(comesBack);
}

function comesBack(record: unknown): record is VaultRecord {
  if (!object(record) || typeof record.type !== "string" || !moment(record.at) || !object(record.body)) return false;
  // A call's id is made of its contribution and revision, which are checked in its body.
  const known = record.type === "exposure" || named(record.id, ID);
  return known && Object.hasOwn(CHECKS, record.type) && (CHECKS[record.type]?.(record.body) ?? false);
}

/** Put `brought` back; existing records stay. Returns how many records were new. */
export function bringBack(records: Records, brought: readonly VaultRecord[], now: Date): number {
  const count = () => Object.keys(CHECKS).reduce((sum, type) => sum + records.all(type).length, 0);
  const before = count();
  // Calls that this vault has folded into months would count twice.
  const folded = records.all("exposure-month").length > 0;
  const limit = folded ? foldsBefore(now) : "";
  const calls = brought.filter(({ type }) => type === "exposure").map(({ body }) => body as Contribution);
  mergeContributions(
    records,
    calls.filter(({ at }) => at >= limit),
  );
  for (const record of brought) {
    if (record.type === "exposure" || (record.type === "exposure-month" && folded)) continue;
    records.restore(record);
  }
  return count() - before;
}
