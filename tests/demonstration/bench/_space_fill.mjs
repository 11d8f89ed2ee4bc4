// Puts records into a stored vault, for the measurements: `node _space_fill.mjs LIBRARY`, JSON in and out.
//
// In: {handle, words, stored, records}. Out: the blob of the next version, base64.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { secrets, vault } = await import(pathToFileURL(process.argv[2]).href);
const { handle, words, stored, records } = JSON.parse(readFileSync(0, "utf8"));
const opened = await vault.Vault.open(stored, handle, "passphrase", secrets.readPassphrase(words), () => new Date());
opened.records.merge({ records, tombstones: [] });
process.stdout.write(await opened.nextBlob());
