// HPKE as the browser has it, against the vectors that were published, and what it must refuse.

import assert from "node:assert/strict";
import { test } from "node:test";

const { bytes, hpke } = await import(process.env.WARDWELL_LIBRARY);
const { hex, unhex, utf8 } = bytes;

// RFC 9180, appendix A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode, sequence number 0.
const RFC = {
  info: unhex("4f6465206f6e2061204772656369616e2055726e"),
  ephemeral: unhex("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600"),
  enc: "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a",
  secret: unhex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb"),
  public: "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a",
  shared: "0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7",
  plaintext: "Beauty is truth, truth beauty",
  associated: utf8("Count-0"),
  ciphertext: "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
};

test("RFC 9180, A.2.1", async () => {
  const { X25519, sealBase, openBase } = hpke;
  assert.equal(hex(await X25519.publicKey(RFC.secret)), RFC.public);
  const { enc, shared } = await X25519.encapsulate(unhex(RFC.public), RFC.ephemeral);
  assert.equal(hex(enc), RFC.enc);
  assert.equal(hex(shared), RFC.shared);
  assert.equal(hex(await X25519.decapsulate(RFC.secret, enc)), RFC.shared);
  const sealed = await sealBase(
    X25519,
    unhex(RFC.public),
    utf8(RFC.plaintext),
    RFC.info,
    RFC.associated,
    RFC.ephemeral,
  );
  assert.equal(hex(sealed), RFC.enc + RFC.ciphertext);
  assert.equal(bytes.text(await openBase(X25519, RFC.secret, sealed, RFC.info, RFC.associated)), RFC.plaintext);
});

for (const name of ["X25519", "XWing"]) {
  test(`${name}: another key, purpose, associated data or byte does not open, and the same does`, async () => {
    const kem = hpke[name];
    const [own, other] = [bytes.random(32), bytes.random(32)];
    const [info, associated] = [utf8("for one"), utf8("beside")];
    const sealed = await hpke.sealBase(kem, await kem.publicKey(own), utf8("content"), info, associated);
    assert.equal(sealed.length, kem.encBytes + "content".length + 16);
    assert.equal(bytes.text(await hpke.openBase(kem, own, sealed, info, associated)), "content");
    const altered = (at) => sealed.map((byte, place) => (place === at ? byte ^ 1 : byte));
    const attempts = [
      [other, sealed, info, associated],
      [own, sealed, utf8("for another"), associated],
      [own, sealed, info, utf8("elsewhere")],
      [own, sealed.slice(0, -1), info, associated],
      [own, sealed.slice(0, 20), info, associated],
      ...[0, kem.encBytes - 2, kem.encBytes, sealed.length - 1].map((at) => [own, altered(at), info, associated]),
    ];
    for (const attempt of attempts) await assert.rejects(hpke.openBase(kem, ...attempt));
  });

  test(`${name}: a public key of another length is none`, async () => {
    const kem = hpke[name];
    for (const length of [0, kem.publicBytes - 1, kem.publicBytes + 1]) {
      await assert.rejects(hpke.sealBase(kem, new Uint8Array(length), utf8("x"), utf8("")), /public key/);
    }
  });
}

test("a point of small order gives no shared secret", async () => {
  for (const point of [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31))]) {
    await assert.rejects(hpke.X25519.encapsulate(point));
    await assert.rejects(hpke.X25519.decapsulate(bytes.random(32), point));
    const key = await hpke.XWing.publicKey(bytes.random(32));
    key.set(point, key.length - 32);
    await assert.rejects(hpke.XWing.encapsulate(key));
  }
});
