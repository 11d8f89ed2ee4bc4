"""Cells offline: the form that `webapp/space/src/post/cells.ts` makes, for carrying boards to a clinician on a stick.

Owns: sealing, opening, and going through a whole board. Form: `id (16) || outer`; outer is HPKE with X25519 over inner,
HPKE with X-Wing; the plaintext is `length (4) || JSON || zeros`, always of the same size. Must never see: a network.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from appliance.crypto import sealing
from appliance.errors import WardwellError

CONSTANTS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "rules" / "constants.json").read_bytes())
CELL_BYTES: int = CONSTANTS["cell_bytes"]
ID_BYTES: int = CONSTANTS["cell_id_bytes"]
OUTER_OVERHEAD = 32 + 16
PLAINTEXT_BYTES = CELL_BYTES - ID_BYTES - OUTER_OVERHEAD - sealing.OVERHEAD_BYTES
_OUTER = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_OUTER_INFO = f"{CONSTANTS['info_prefix']}/{CONSTANTS['kinds']['cell_outer']}".encode()
_INNER_INFO = f"{CONSTANTS['info_prefix']}/{CONSTANTS['kinds']['cell_inner']}".encode()


@dataclass(frozen=True)
class PublicKeys:
    """A recipient's public keys: X-Wing (1216 bytes) and X25519 (32)."""

    xwing: bytes
    x25519: bytes


@dataclass(frozen=True)
class SecretKeys:
    """Their secret halves: X-Wing seed (32 bytes) and X25519 secret (32)."""

    xwing: bytes
    x25519: bytes

    def __repr__(self) -> str:
        return "SecretKeys(<secret>)"

    @property
    def public(self) -> PublicKeys:
        outer = X25519PrivateKey.from_private_bytes(self.x25519).public_key().public_bytes_raw()
        return PublicKeys(sealing.key_pair(self.xwing).public, outer)


def new_keys() -> SecretKeys:
    """Fresh keys."""
    return SecretKeys(secrets.token_bytes(sealing.SEED_BYTES), X25519PrivateKey.generate().private_bytes_raw())


def seal(to: PublicKeys, content: dict[str, Any]) -> bytes:
    """One cell (8192 bytes) with a fresh random id. Raises WardwellError when the content does not fit."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    if len(text) > PLAINTEXT_BYTES - 4:
        raise WardwellError("That does not fit into one cell.", "Write a shorter message.")
    plaintext = len(text).to_bytes(4) + text + bytes(PLAINTEXT_BYTES - 4 - len(text))
    inner = sealing.seal(to.xwing, plaintext, info=_INNER_INFO)
    outer = bytes(_OUTER.encrypt(inner, X25519PublicKey.from_public_bytes(to.x25519), _OUTER_INFO))
    return secrets.token_bytes(ID_BYTES) + outer


def open_cell(keys: SecretKeys, cell: bytes) -> dict[str, Any] | None:
    """The content of `cell`, or None when it is for somebody else, a dummy, or malformed."""
    try:
        private = X25519PrivateKey.from_private_bytes(keys.x25519)
        inner = bytes(_OUTER.decrypt(cell[ID_BYTES:], private, _OUTER_INFO))
        plaintext = sealing.open_sealed(keys.xwing, inner, info=_INNER_INFO)
        length = int.from_bytes(plaintext[:4])
        content = json.loads(plaintext[4 : 4 + length])
    except (InvalidTag, ValueError, WardwellError):
        return None
    return content if isinstance(content, dict) else None


def open_board(keys: SecretKeys, board: bytes) -> Iterator[dict[str, Any]]:
    """Every content on a whole board that these keys open. Raises WardwellError when it is no board."""
    if len(board) % CELL_BYTES:
        raise WardwellError("That is not a board.", "Copy the file again, whole.")
    for at in range(0, len(board), CELL_BYTES):
        content = open_cell(keys, board[at : at + CELL_BYTES])
        if content is not None:
            yield content
