// Blind tickets: desk signs that somebody is entitled to send, without seeing what it signs (RFC 9474).
//
// Owns: the choice of the key and the drawing. A key is used only when its leaf is in a checkpoint that the witness has
// cosigned: a key made for one person would be seen there. Must never see: what a ticket is spent on.

import { type Bytes, base64, concat, copy, random, unbase64, utf8 } from "../bytes.js";
import { constants } from "../constants.js";
import type { Context } from "../context.js";
import { blind, finalize, prepare } from "../crypto/blindrsa.js";
import { type LedgerReader, readLeaf } from "../ledger.js";
import { Problem, type TicketKey } from "../net.js";

const PREFIX_BYTES = 32;

/** Post's answer to `GET /state`: the open epoch, and the months whose tickets it takes, this one first. */
export interface PostState {
  readonly epoch: number;
  readonly periods: readonly string[];
}

export type Purpose = "request" | "reply";

async function readKey(spki: string): Promise<CryptoKey> {
  const algorithm = { name: "RSA-PSS", hash: "SHA-384" };
  const key = await crypto.subtle.importKey("spki", unbase64(spki), algorithm, true, ["verify"]);
  const { modulusLength, publicExponent } = key.algorithm as RsaHashedKeyAlgorithm;
  const exponent = publicExponent.reduce((value, byte) => value * 256 + byte, 0);
  if (modulusLength !== constants.ticket_key_bits || exponent !== 65537) throw new Error("not a ticket key");
  return key;
}

/** The key for `purpose` and `period` that everybody sees in the access log. Throws Problem when there is none yet. */
export async function trustedKey(
  reader: LedgerReader,
  keys: readonly TicketKey[],
  purpose: Purpose,
  period: string,
): Promise<CryptoKey> {
  const offered = keys.find((key) => key.purpose === purpose && key.period === period);
  const size = reader.head.witnessed?.size ?? 0;
  if (!offered || offered.leaf_index >= size) {
    throw new Problem(
      "no_ticket_key",
      "The witness has not seen this month's key yet, so nothing is sent in this session.",
      "Nothing is lost: what you wrote leaves in a later session.",
    );
  }
  const leaf = readLeaf(await reader.leaf(offered.leaf_index), "ticket-key");
  if (!leaf || leaf.purpose !== purpose || leaf.period !== period || leaf.spki !== offered.spki) {
    throw new Problem(
      "other_ticket_key",
      "You were offered another key than the one in the access log, so nothing is sent.",
      "Tell the officers' trustee.",
    );
  }
  return readKey(offered.spki);
}

/**
 * Draw `count` tickets for the open epoch. Throws Problem when desk does not sign, Error when it signs something else.
 */
export async function drawTickets(
  ctx: Context,
  key: CryptoKey,
  purpose: Purpose,
  period: string,
  epoch: number,
  count: number,
): Promise<Bytes[]> {
  const drafts = [];
  for (let i = 0; i < count; i++) {
    const secret = random(constants.ticket_random_bytes);
    const name = utf8(`${constants.info_prefix}/ticket/${purpose}/${period}/${epoch}/`);
    const prepared = prepare(concat(name, secret));
    drafts.push({ secret, prepared, ...(await blind(key, prepared)) });
  }
  const { signatures } = await ctx.api.tickets(
    purpose,
    period,
    drafts.map(({ message }) => base64(message)),
  );
  if (signatures.length !== count) throw new Error("desk signed another number of tickets");
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, epoch);
  const tickets = [];
  for (const [i, { secret, prepared, inverse }] of drafts.entries()) {
    const signature = await finalize(key, prepared, unbase64(signatures[i] ?? ""), inverse);
    tickets.push(concat(head, copy(prepared.subarray(0, PREFIX_BYTES)), secret, signature));
  }
  return tickets;
}
