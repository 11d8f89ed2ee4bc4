// A copy of the vault to take away: an age file for one fresh X25519 identity, which the stock `age` tool opens. In it
// is a ZIP file with the records (JSON, which `bring_back.ts` reads), pages to read (HTML) and the questionnaires for a
// clinician (FHIR). All three are sealed together, so that nothing readable is ever saved on an agency's computer.
//
// Owns: which records leave. Keys never leave: a lost copy must not open what arrives here later, nor write in the
// officer's name. Nor do the words of people who wrote to a supporter: they are not the supporter's to take.
// Must never see: the network, the page. The identity is given to its reader once and not kept.

import { Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { type Bytes, copy, utf8 } from "../bytes.js";
import type { Records, VaultRecord } from "../context.js";
import type { Formats } from "../formats.js";
import { questionnaireResponses } from "./fhir.js";
import { type Copy, FORMAT, NAMES, VERSION } from "./format.js";
import { pages } from "./readable.js";
import { zip } from "./zip.js";

const CHOSEN = ["choice-reach-out", "choice-never", "choice-quiet", "reached-out"] as const;

/** Record types that a copy holds unchanged. */
export const TAKEN = ["check-in", "screener", "exposure", "exposure-month", "not-there", "entry", ...CHOSEN] as const;

/** Own conversations: taken without their reply keys, a supporter's with other people left out. */
export const CONVERSATION = ["post-thread", "post-message"] as const;

/** Keys, what is bound to this one vault, and pieces of messages on their way. */
export const LEFT_BEHIND = [
  "mailbox-key",
  "provisional-key",
  "supporter-key",
  "trustee",
  "agency",
  "checkpoint",
  "version-leaf",
  "seen",
  "restored",
  "history",
  "post-seen",
  "post-part",
  "post-piece",
] as const;

interface Thread {
  readonly thread: string;
  readonly side: string;
  readonly secret: unknown;
}

/** Everything in `records` that leaves, ordered by time. */
export function copyOf(records: Records, now: Date): Copy {
  const threads = records.all<Thread>("post-thread").filter(({ body }) => body.side === "officer");
  const own = new Set(threads.map(({ body }) => body.thread));
  const taken: VaultRecord[] = [
    ...TAKEN.flatMap((type) => records.all(type)),
    ...threads.map((record) => ({ ...record, body: { ...record.body, secret: null } })),
    ...records.all<{ thread: string }>("post-message").filter(({ body }) => own.has(body.thread)),
  ];
  taken.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.id < b.id ? -1 : 1));
  return { format: FORMAT, version: VERSION, exported_at: now.toISOString(), records: taken };
}

/** A sealed copy: the identity ("AGE-SECRET-KEY-1…") that opens it, and the age v1 file. */
export interface SealedCopy {
  readonly identity: string;
  readonly file: Bytes;
}

/** Seal a copy of `records` for a fresh identity. `formats`: how the pages say times. */
export async function sealCopy(records: Records, now: Date, formats: Formats): Promise<SealedCopy> {
  const made = copyOf(records, now);
  const json = (value: unknown) => utf8(`${JSON.stringify(value, null, 1)}\n`);
  const files = zip([
    [NAMES.records, json(made)],
    [NAMES.pages, utf8(pages(made, formats))],
    [NAMES.fhir, json(questionnaireResponses(made))],
  ]);
  const identity = await generateX25519Identity();
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(identity));
  return { identity, file: copy(await encrypter.encrypt(files)) };
}
