// What the Node tests call: the modules without DOM, under one roof. Nothing of this reaches the browser.

export * as bytes from "../bytes.js";
export * as canonical from "../crypto/canonical.js";
export * as constants from "../constants.js";
export * as deliveries from "../deliveries.js";
export * as entries from "../entries.js";
export * as exposure from "../exposure.js";
export * as format from "../vault/format.js";
export * as ledger from "../ledger.js";
export * as merkle from "../crypto/merkle.js";
export * as net from "../net.js";
export * as note from "../crypto/note.js";
export * as records from "../vault/records.js";
export * as sealing from "../crypto/sealing.js";
export * as screeners from "../screeners.js";
export * as secrets from "../vault/secrets.js";
export * as session from "../session.js";
export * as site from "../site.js";
export * as sshsig from "../crypto/sshsig.js";
export * as checkins from "../checkins.js";
export * as compact from "../vault/compact.js";
export * as vault from "../vault/vault.js";
export * as wraps from "../vault/wraps.js";
