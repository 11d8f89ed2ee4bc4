// Calls one function of the built library for a Python test: `node calls.mjs LIBRARY NAME`, arguments as JSON on stdin.

import { text } from "node:stream/consumers";

const [library, name] = process.argv.slice(2);
const wardwell = await import(library);
const { bytes, canonical, exposure, ledger, merkle, note, screeners, sealing, sshsig, vault, wraps } = wardwell;
const { base64, unbase64, utf8 } = bytes;

const calls = {
  async key_pair({ seed }) {
    return base64((await sealing.keyPair(unbase64(seed))).public);
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
    return { head: { size: reader.head.checkpoint.size, witnessed: reader.head.witnessed }, holds, first: first && base64(first), prefix };
  },
  screeners({ screener, sheets }) {
    return sheets.map((answers) => screeners.score(screeners.screenerOf(screener), answers));
  },
  exposure({ histories }) {
    return histories.map(({ contributions, at, time_zone }) => exposure.summarize(contributions, new Date(at), time_zone));
  },
};

process.stdout.write(JSON.stringify((await calls[name](JSON.parse(await text(process.stdin)))) ?? null));
