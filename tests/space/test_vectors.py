"""Published and newly made test vectors: the browser's code under Node and in Chromium, and the appliance's, agree.

Published ones, all in hex, stand in `vectors.json`. `gcm`: The Galois/Counter Mode of Operation (McGrew, Viega, 2004),
appendix B, cases 13 to 16. `hkdf`: RFC 5869, appendix A, cases 1 to 3. `xwing`: draft-connolly-cfrg-xwing-kem-10,
appendix C. `rfc9180`: RFC 9180, appendix A.2.1, sequence number 0. Made here with OpenSSL: AES-GCM of the kinds that
Project Wycheproof has (sizes around the block, tags of zeros and of ones, altered and shortened tags), and a vault's
blob as the decision describes it.
"""

from __future__ import annotations

import hmac
import json
import secrets
import zlib
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from appliance.crypto.canonical import canonical
from appliance.crypto.sealing import key_pair
from appliance.custody.keys import compartment_key
from tests.demonstration.browser import CHROMIUM, flags
from tests.space.conftest import Call

HERE = Path(__file__).parent
KEY, IV, MESSAGE = bytes(range(32)), bytes(range(0x50, 0x5C)), bytes(range(0x20, 0x30))
PUBLISHED: dict[str, Any] = json.loads((HERE / "vectors.json").read_bytes())


def rfc5869(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA256 as RFC 5869, section 2, has it."""
    key = hmac.digest(salt or bytes(32), secret, "sha256")
    made = block = b""
    for number in range(1, 256):
        if len(made) >= length:
            break
        block = hmac.digest(key, block + info + bytes([number]), "sha256")
        made += block
    return made[:length]


def _times(a: int, b: int) -> int:
    """The product in GCM's field: bits are counted from the left (NIST SP 800-38D, section 6.3)."""
    product = 0
    for bit in range(127, -1, -1):
        if a >> bit & 1:
            product ^= b
        b = b >> 1 ^ (0xE1 << 120 if b & 1 else 0)
    return product


def _with_tag(tag: int, iv: bytes) -> bytes:
    """The message of one block whose tag is `tag` under KEY."""
    block = Cipher(algorithms.AES(KEY), modes.ECB()).encryptor()
    unit, first, mask = (int.from_bytes(block.update(part)) for part in (bytes(16), iv + b"\0\0\0\2", iv + b"\0\0\0\1"))
    inverse = unit
    for _ in range(126):  # its power of 2^128 - 2
        inverse = _times(_times(inverse, inverse), unit)
    inverse = _times(inverse, inverse)
    sealed = _times(_times(tag ^ mask, inverse) ^ 128, inverse)
    return (sealed ^ first).to_bytes(16)


_NAMES = ("key", "iv", "aad", "message")


def _gcm() -> list[dict[str, str]]:
    """Vectors that open."""
    made = [(*(bytes.fromhex(one[name]) for name in _NAMES),) for one in PUBLISHED["gcm"]]
    for size in (0, 1, 8, 15, 16, 17, 31, 32, 33, 127, 128, 129, 4096):
        for length in (0, 1, 16, 24):
            made.append((secrets.token_bytes(32), secrets.token_bytes(12), bytes(length), secrets.token_bytes(size)))
    for edge in (bytes(12), b"\xff" * 12):
        made += [(KEY, edge, b"", _with_tag(tag, edge)) for tag in (0, 2**128 - 1)]
    found = [dict(zip(_NAMES, (part.hex() for part in one), strict=True)) for one in made]
    for one, (key, iv, aad, message) in zip(found, made, strict=True):
        one["sealed"] = AESGCM(key).encrypt(iv, message, aad).hex()
    return found


def _altered() -> list[dict[str, str]]:
    """What must not open."""
    sealed = AESGCM(KEY).encrypt(IV, MESSAGE, b"")
    text, tag = sealed[:-16], int.from_bytes(sealed[-16:])
    flips = [1 << bit for bit in range(128)] + [
        1 << 127 | 1 << 63,
        1 << 96 | 1 << 64,
        2**128 - 1,
        tag,
        tag ^ 2**128 - 1,
    ]
    flips += [int.from_bytes(bytes([value]) * 16) for value in (0x80, 0x01)]
    wrong = [text + (tag ^ flip).to_bytes(16) for flip in flips]
    wrong += [sealed[:length] for length in range(len(sealed))] + [sealed + b"\0", b"\0" + sealed, sealed[-16:]]
    base = {"key": KEY.hex(), "iv": IV.hex(), "aad": ""}
    return [
        *({**base, "sealed": one.hex()} for one in wrong),
        {**base, "sealed": sealed.hex(), "aad": "00"},
        {**base, "sealed": sealed.hex(), "iv": bytes(12).hex()},
        {**base, "sealed": sealed.hex(), "key": bytes(32).hex()},
        {**base, "sealed": AESGCM(KEY).encrypt(IV, MESSAGE, b"x").hex()},
    ]


MASTER, HANDLE, VERSION = bytes(range(64, 96)), "ab" * 16, 7
SNAPSHOT = {
    "records": [{"id": "1", "type": "note", "at": "2026-11-23T12:00:00.000Z", "body": "é\u2028"}],
    "tombstones": [],
}
VAULT_SIZE = 4096


def _vault_key(salt: bytes) -> AESGCM:
    return AESGCM(rfc5869(MASTER, salt, b"wardwell/v1/vault", 32))


def _vault_about(version: int = VERSION) -> bytes:
    return canonical({"handle": HANDLE, "format": 1, "version": version})


def _seal_vault(salt: bytes = b"s" * 32, version: int = VERSION) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    content = packer.compress(json.dumps(SNAPSHOT).encode()) + packer.flush()
    plain = (len(content).to_bytes(4) + content).ljust(VAULT_SIZE - 1 - 32 - 16, b"\0")
    return b"\1" + salt + _vault_key(salt).encrypt(bytes(12), plain, _vault_about(version))


def _open_vault(blob: bytes) -> Any:
    plain = _vault_key(blob[1:33]).decrypt(bytes(12), blob[33:], _vault_about())
    length = int.from_bytes(plain[:4])
    assert not any(plain[4 + length :])
    return json.loads(zlib.decompress(plain[4 : 4 + length], wbits=-15))


@pytest.fixture(scope="module")
def asked() -> dict[str, Any]:
    vault = {"master": MASTER.hex(), "handle": HANDLE, "version": VERSION}
    own = _seal_vault()
    return {
        "gcm": _gcm(),
        "altered": _altered(),
        "hkdf": [
            {**PUBLISHED["hkdf"][2], "info": ""},
            *(
                {"secret": secrets.token_hex(32), "salt": secrets.token_hex(32), "info": "wardwell/v1/é"}
                for _ in range(9)
            ),
        ],
        "xwing": PUBLISHED["xwing"],
        "rfc9180": PUBLISHED["rfc9180"],
        "vaults": [{**vault, "snapshot": SNAPSHOT, "size": VAULT_SIZE}] * 2,
        "sealed": [
            {**vault, "blob": own.hex()},
            {**vault, "blob": _seal_vault(version=8).hex()},
            {**vault, "blob": own.hex(), "version": 8},
            {**vault, "blob": own[:-1].hex()},
        ],
    }


def _in_chromium(library: Path, asked: dict[str, Any]) -> Any:
    from playwright.sync_api import sync_playwright

    # The first line of the library is for Node alone.
    served = {"library.mjs": library.read_text().split("\n", 1)[1], "vectors.mjs": (HERE / "vectors.mjs").read_text()}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--headless=new", *flags()])
        page = browser.new_page()

        def serve(route: Any) -> None:
            name = route.request.url.rpartition("/")[2]
            kind = "text/javascript" if name else "text/html"
            route.fulfill(body=served.get(name, "<!doctype html>"), content_type=kind)

        page.route("https://vectors.localhost/**", serve)
        page.goto("https://vectors.localhost/")
        run = "async (asked) => (await import('/vectors.mjs')).run(await import('/library.mjs'), asked)"
        answered = page.evaluate(run, asked)
        browser.close()
    return answered


@pytest.fixture(scope="module", params=["node", pytest.param("chromium", marks=pytest.mark.browser)])
def answered(request: pytest.FixtureRequest, call: Call, library: Path, asked: dict[str, Any]) -> Any:
    return call("vectors", **asked) if request.param == "node" else _in_chromium(library, asked)


def test_aes_gcm(asked: dict[str, Any], answered: Any) -> None:
    assert [one["sealed"] for one in asked["gcm"][:4]] == [one["sealed"] for one in PUBLISHED["gcm"]]
    assert [one["sealed"][-32:] for one in asked["gcm"][-4:]] == ["00" * 16, "ff" * 16] * 2
    assert answered["encrypted"] == [one["sealed"] for one in asked["gcm"]]
    assert answered["decrypted"] == [one["message"] for one in asked["gcm"]]


def test_what_was_altered_does_not_open(asked: dict[str, Any], answered: Any) -> None:
    assert answered["altered"] == [None] * len(asked["altered"])
    assert len(asked["altered"]) > 160


def test_hkdf(asked: dict[str, Any], answered: Any) -> None:
    for one in PUBLISHED["hkdf"]:
        secret, salt, info, key = (bytes.fromhex(one[name]) for name in ("secret", "salt", "info", "key"))
        assert rfc5869(secret, salt, info, len(key)) == key
    wanted = []
    for one in asked["hkdf"]:
        key = rfc5869(bytes.fromhex(one["secret"]), bytes.fromhex(one["salt"]), one["info"].encode(), 32)
        wanted.append(AESGCM(key).encrypt(bytes(12), b"", b"").hex())
    assert answered["subkeys"] == wanted
    assert len(set(wanted)) == len(wanted)


def test_hkdf_of_the_appliance() -> None:
    root = secrets.token_bytes(32)
    assert compartment_key(root, "desk") == rfc5869(root, b"", b"wardwell/v1/db/desk", 32).hex()


def test_xwing(answered: Any) -> None:
    for one, made in zip(PUBLISHED["xwing"], answered["xwing"], strict=True):
        assert made["key"].startswith(one["key_begins"])
        assert made["enc"].startswith(one["enc_begins"]) and made["enc"].endswith(one["enc_ends"])
        assert made["shared"] == made["again"] == one["shared"]


def test_xwing_keys_of_the_appliance(answered: Any) -> None:
    made = [key_pair(bytes.fromhex(one["seed"])).public.hex() for one in PUBLISHED["xwing"]]
    assert made == [one["key"] for one in answered["xwing"]]


def test_rfc_9180(answered: Any) -> None:
    published = PUBLISHED["rfc9180"]
    assert answered["rfc9180"] == published["text"]
    # Python's library takes no associated data: it opens the same vector, sealed by the browser's code without any.
    key, anew, info = (bytes.fromhex(one) for one in (published["secret"], answered["rfc9180_anew"], published["info"]))
    assert anew[:32].hex() == published["sealed"][:64]
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    assert suite.decrypt(anew, X25519PrivateKey.from_private_bytes(key), info).hex() == published["text"]


def test_a_vault_that_either_side_sealed(answered: Any) -> None:
    first, second = (bytes.fromhex(blob) for blob in answered["vaults"])
    assert len(first) == VAULT_SIZE
    assert _open_vault(first) == _open_vault(second) == SNAPSHOT
    # The same content under the same number: nothing of the two is alike, or a keystream would have been used twice.
    assert first[1:33] != second[1:33]
    alike = sum(a == b for a, b in zip(first[33:], second[33:], strict=True))
    assert alike < len(first) // 32
    assert answered["opened"] == [SNAPSHOT, None, None, None]
