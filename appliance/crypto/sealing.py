"""The one sealing primitive: HPKE base mode with X-Wing, HKDF-SHA256 and ChaCha20-Poly1305 (RFC 9180).

Owns: key pairs from a 32-byte X-Wing seed, and seal/open. Sealed form: `enc (1120 bytes) || ciphertext`, as
RFC 9180's single-shot `Seal` joined. `info` names version, kind and recipient, so that a blob sealed for one purpose
or person opens for no other. The browser's half is `webapp/space/src/crypto/sealing.ts`.

Seed expansion: SHAKE-256(seed, 96 bytes): the first 64 are the ML-KEM-768 seed (d || z), the last 32 the X25519
secret (draft-connolly-cfrg-xwing-kem, section 5.2).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from appliance.errors import WardwellError

SEED_BYTES = 32
PUBLIC_KEY_BYTES = 1184 + 32
ENC_BYTES = 1120
TAG_BYTES = 16
OVERHEAD_BYTES = ENC_BYTES + TAG_BYTES

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def info(kind: str, recipient: str) -> bytes:
    """The HPKE `info` for `kind` ("exposure", "ledger", ...) and recipient id."""
    return f"wardwell/v1/{kind}/{recipient}".encode()


@dataclass(frozen=True)
class KeyPair:
    """An X-Wing key pair. `seed` is 32 bytes and secret; `public` is 1216 bytes."""

    seed: bytes
    public: bytes

    def __repr__(self) -> str:
        return "KeyPair(seed=<secret>)"


def _private(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    if len(seed) != SEED_BYTES:
        raise ValueError("an X-Wing seed is 32 bytes")
    expanded = hashlib.shake_256(seed).digest(96)
    return MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), X25519PrivateKey.from_private_bytes(expanded[64:])


def key_pair(seed: bytes | None = None) -> KeyPair:
    """A key pair from `seed` (32 bytes), or a fresh one."""
    seed = secrets.token_bytes(SEED_BYTES) if seed is None else seed
    mlkem, x25519 = _private(seed)
    return KeyPair(seed, mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw())


def seal(public: bytes, plaintext: bytes, *, info: bytes) -> bytes:
    """Seal `plaintext` to the 1216-byte `public` key: OVERHEAD_BYTES longer than the plaintext."""
    if len(public) != PUBLIC_KEY_BYTES:
        raise WardwellError("That is not an X-Wing public key (1216 bytes).", "Make the key again in the browser.")
    key = MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[:1184]), X25519PublicKey.from_public_bytes(public[1184:])
    )
    return bytes(_SUITE.encrypt(plaintext, key, info))


def open_sealed(seed: bytes, sealed: bytes, *, info: bytes) -> bytes:
    """Open what `seal` made. Raises WardwellError when it was altered or sealed for something else."""
    try:
        return bytes(_SUITE.decrypt(sealed, MLKEM768X25519PrivateKey(*_private(seed)), info))
    except (InvalidTag, ValueError):
        raise WardwellError("This was not sealed to that key, or it was altered.", "Fetch it again.") from None
