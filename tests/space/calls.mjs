// Calls one function of the built library for a Python test: `node calls.mjs LIBRARY NAME`, arguments as JSON on stdin.

import { text } from "node:stream/consumers";

const [library, name] = process.argv.slice(2);
const wardwell = await import(library);
const {
  blindrsa,
  bytes,
  canonical,
  exposure,
  ledger,
  net,
  note,
  screeners,
  sealing,
  site: sites,
  sshsig,
  wraps,
} = wardwell;
const { base64, unbase64, utf8 } = bytes;

const ticketKey = (spki) =>
  crypto.subtle.importKey("spki", unbase64(spki), { name: "RSA-PSS", hash: "SHA-384" }, true, ["verify"]);

const calls = {
  async key_pair({ seed }) {
    return base64((await sealing.keyPair(unbase64(seed))).public);
  },
  // The public keys of a supporter of whom a test needs nothing else.
  async supporter_keys() {
    const { xwing, x25519 } = (await wardwell.cells.newKeys()).public;
    return { xwing: base64(xwing), x25519: base64(x25519) };
  },
  async seal({ key, plaintext, info }) {
    return base64(await sealing.seal(unbase64(key), unbase64(plaintext), utf8(info)));
  },
  async open({ seed, sealed, info }) {
    try {
      return base64(await sealing.open(unbase64(seed), unbase64(sealed), utf8(info)));
    } catch (error) {
      if (error instanceof sealing.NotSealedForUs) return null;
      throw error;
    }
  },
  // `salt` and `inverse` (decimal) only for the RFC's vector.
  async blind({ spki, prepared, salt, inverse }) {
    const given = salt ? { salt: unbase64(salt), inverse: BigInt(inverse) } : {};
    const made = await blindrsa.blind(await ticketKey(spki), unbase64(prepared), given);
    return { message: base64(made.message), inverse: String(made.inverse) };
  },
  async finalize({ spki, prepared, signature, inverse }) {
    return base64(
      await blindrsa.finalize(await ticketKey(spki), unbase64(prepared), unbase64(signature), BigInt(inverse)),
    );
  },
  canonical({ values }) {
    return values.map((value) => base64(canonical.canonical(value)));
  },
  async sshsig({ line, namespace, message, signature }) {
    const key = sshsig.readPublicKey(line);
    return {
      fingerprint: await sshsig.fingerprint(key),
      good: await sshsig.verify(key, namespace, unbase64(message), signature),
    };
  },
  async wrap({ master, secret }) {
    return wraps.wrap(unbase64(master), secret);
  },
  async unwrap({ wrapped, secret }) {
    const master = await wraps.unwrap(wrapped, secret);
    return master && base64(master);
  },
  async checkpoint({ text, vkey, witness }) {
    const bytes = utf8(text);
    const checkpoint = await note.openCheckpoint(bytes, await note.readVerifier(vkey));
    const cosigned = witness ? await note.cosignedAt(bytes, await note.readVerifier(witness)) : null;
    return { size: checkpoint.size, root: base64(checkpoint.root), cosigned };
  },
  // `files`: name below "ledger/" or "witness/" -> base64; `leaves`: [index, base64]; `earlier`: {size, root} or null.
  async ledger({ files, site, leaves, earlier }) {
    const fetch = async (url) => {
      const found = files[new URL(url).pathname.slice(1)];
      return found === undefined ? new Response("", { status: 404 }) : new Response(unbase64(found));
    };
    const reader = await ledger.LedgerReader.open(fetch, "https://space", site);
    const holds = [];
    for (const [index, leaf] of leaves) holds.push(await reader.holds(unbase64(leaf), index));
    const first = leaves.length > 0 ? await reader.leaf(leaves[0][0]) : null;
    const prefix = earlier && (await reader.extends({ size: earlier.size, root: unbase64(earlier.root) }));
    return {
      head: { size: reader.head.checkpoint.size, witnessed: reader.head.witnessed },
      holds,
      first: first && base64(first),
      prefix,
    };
  },
  // One vault that looks at each of `looks` in turn ({now, files, entries: desk's answer}): what each look finds, and what
  // the vault holds at the end.
  async looks({ handle, mailbox, site, looks }) {
    let look = looks[0];
    const store = new wardwell.records.RecordStore(() => new Date(look.now));
    store.put("trustee", {});
    store.put("mailbox-key", mailbox);
    const found = [];
    for (look of looks) {
      const fetch = async (url) => {
        const file = look.files[new URL(url).pathname.slice(1)];
        return file === undefined ? new Response("", { status: 404 }) : new Response(unbase64(file));
      };
      const ctx = {
        handle,
        site,
        fetch,
        vault: store,
        spaceBase: "https://space",
        now: () => new Date(look.now),
        api: {
          entries: async (after) => ({
            ...look.entries,
            entries: look.entries.entries.filter(({ sequence }) => sequence > after),
          }),
        },
      };
      found.push(await wardwell.entries.checkEntries(ctx, { version: 1, at: look.now }));
    }
    const bodies = (type) => store.all(type).map(({ body }) => body);
    return {
      found,
      entries: bodies("entry"),
      restored: bodies("restored"),
      looks: wardwell.entries.foldLooks(bodies("entry"), (at) => at.slice(0, 10)),
    };
  },
  // `put`: [type, body] in order.
  async export({ put, now }) {
    const store = new wardwell.records.RecordStore(() => new Date(now));
    for (const [type, body] of put) store.put(type, body);
    const { identity, file } = await wardwell.exports.sealCopy(
      store,
      new Date(now),
      wardwell.formats.formats("America/Denver"),
    );
    return { identity, file: base64(file) };
  },
  // A copy put into a vault that holds `put`: what is in it then, or the code of the problem.
  async bring_back({ file, identity, put, now }) {
    const store = new wardwell.records.RecordStore(() => new Date(now));
    for (const [type, body] of put) store.put(type, body);
    try {
      const brought = await wardwell.bringBack.openCopy(unbase64(file), identity);
      const added = wardwell.bringBack.bringBack(store, brought, new Date(now));
      return { added, records: store.snapshot().records };
    } catch (error) {
      if (!(error instanceof net.Problem)) throw error;
      return { code: error.code };
    }
  },
  // An archive as a copy has it, of any content.
  zip({ files }) {
    return base64(wardwell.zip.zip(files.map(([name, content]) => [name, utf8(content)])));
  },
  export_types() {
    const { TAKEN, CONVERSATION, LEFT_BEHIND } = wardwell.exports;
    return { taken: TAKEN, conversation: CONVERSATION, left: LEFT_BEHIND };
  },
  // What the browser takes of a file that the trustee signs, or the sentence that it shows. `files`: name -> base64.
  async signed({ kind, files, trustee, agency = null, newest = 0 }) {
    const fetch = async (url) => {
      const found = files[new URL(url).pathname.slice(1)];
      return found === undefined ? new Response("", { status: 404 }) : new Response(unbase64(found));
    };
    try {
      if (kind === "keylist") return { content: await sites.readKeyList(fetch, "https://space", trustee, newest) };
      const read = await sites.readSite(fetch, "https://space", trustee, agency, newest);
      return { content: read.site, agency: read.agency };
    } catch (error) {
      if (!(error instanceof net.Problem)) throw error;
      return { code: error.code, message: error.message, fix: error.fix };
    }
  },
  async vectors(asked) {
    return (await import("./vectors.mjs")).run(wardwell, asked);
  },
  screeners({ screener, sheets }) {
    return sheets.map((answers) => screeners.score(screeners.screenerOf(screener), answers));
  },
  model() {
    return exposure.modelDigest();
  },
  exposure_months({ histories }) {
    return histories.map(({ contributions, at, time_zone, not_there }) =>
      exposure.lastYear(exposure.without(contributions, new Set(not_there)), new Date(at), time_zone),
    );
  },
  exposure({ histories }) {
    return histories.map(({ contributions, at, time_zone, not_there }) =>
      exposure.summarize(exposure.without(contributions, new Set(not_there)), new Date(at), time_zone),
    );
  },
};

process.stdout.write(JSON.stringify((await calls[name](JSON.parse(await text(process.stdin)))) ?? null));
