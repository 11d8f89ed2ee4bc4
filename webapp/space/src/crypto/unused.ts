// Stands in the browser's bundle for primitives of age's that nothing here uses: its post-quantum and tag recipients.
//
// The vault's wraps are passphrase files (scrypt). A kind of recipient that needs one of these throws when it is made.

export const MLKEM768P256 = undefined;
export const MLKEM768X25519 = undefined;
export const p256 = undefined;
