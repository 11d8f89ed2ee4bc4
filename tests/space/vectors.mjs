// What Python asks of the browser's code about test vectors; runs in Node and in Chromium alike. Bytes travel as hex.

export async function run({ bytes, format, hpke, symmetric }, { gcm, altered, hkdf, xwing, rfc9180, vaults, sealed }) {
  const { hex, unhex } = bytes;
  const keyOf = (raw) => crypto.subtle.importKey("raw", unhex(raw), "AES-GCM", false, ["encrypt", "decrypt"]);
  const opens = async (promise) => promise.then(hex, () => null);
  const decrypt = async ({ key, iv, aad, sealed }) =>
    opens(symmetric.decrypt(await keyOf(key), unhex(iv), unhex(sealed), unhex(aad)));
  return {
    encrypted: await each(gcm, async ({ key, iv, aad, message }) =>
      hex(await symmetric.encrypt(await keyOf(key), unhex(iv), unhex(message), unhex(aad))),
    ),
    decrypted: await each(gcm, decrypt),
    altered: await each(altered, decrypt),
    // A derived key never leaves WebCrypto: what it seals tells which one it is.
    subkeys: await each(hkdf, async ({ secret, salt, info }) =>
      hex(
        await symmetric.encrypt(
          await symmetric.subkey(unhex(secret), unhex(salt), info),
          new Uint8Array(12),
          unhex(""),
          unhex(""),
        ),
      ),
    ),
    xwing: await each(xwing, async ({ seed, randomness }) => {
      const key = await hpke.XWing.publicKey(unhex(seed));
      const { enc, shared } = await hpke.XWing.encapsulate(key, unhex(randomness));
      return {
        key: hex(key),
        enc: hex(enc),
        shared: hex(shared),
        again: hex(await hpke.XWing.decapsulate(unhex(seed), enc)),
      };
    }),
    rfc9180: await opens(
      hpke.openBase(hpke.X25519, unhex(rfc9180.secret), unhex(rfc9180.sealed), unhex(rfc9180.info), unhex(rfc9180.aad)),
    ),
    rfc9180_anew: hex(
      await hpke.sealBase(
        hpke.X25519,
        unhex(rfc9180.public),
        unhex(rfc9180.text),
        unhex(rfc9180.info),
        unhex(""),
        unhex(rfc9180.ephemeral),
      ),
    ),
    vaults: await each(vaults, async ({ master, handle, version, snapshot, size }) =>
      hex(await format.sealVault(unhex(master), handle, version, snapshot, size)),
    ),
    opened: await each(sealed, ({ master, handle, version, blob }) =>
      format.openVault(unhex(master), handle, version, unhex(blob)).catch(() => null),
    ),
  };
}

async function each(list, work) {
  const done = [];
  for (const one of list) done.push(await work(one));
  return done;
}
