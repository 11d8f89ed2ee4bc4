"""Signed notes, checkpoints and cosignatures, as specified by C2SP (signed-note, tlog-checkpoint, tlog-cosignature).

Owns: the text forms and their Ed25519 signatures. Must never see: a leaf, or where keys are kept.

A note is a text of whole lines, an empty line, and signature lines `— NAME BASE64(key id (4) || signature)`. The key
id is the first 4 bytes of SHA-256(name || 0x0A || type || public key); a verifier key reads
`NAME+HEX(key id)+BASE64(type || public key)`. Type 1 signs the text; type 4 is a witness's cosignature/v1: it signs
the time too, and its signature bytes are `seconds (8, big-endian) || Ed25519 (64)`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.crypto.merkle import HASH_BYTES
from appliance.errors import WardwellError

ED25519 = 1
COSIGNATURE = 4
_SIGNATURE_LINE = re.compile(r"— ([^ +]+) ([A-Za-z0-9+/=]+)")
_NAME = re.compile(r"[^\s+]+")


def _key_id(name: str, kind: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def _decode(text: str) -> bytes:
    # Only the canonical encoding: otherwise a note could be altered without its signature noticing.
    value = base64.b64decode(text, validate=True)
    if base64.b64encode(value).decode() != text:
        raise ValueError("not canonical base64")
    return value


@dataclass(frozen=True)
class Verifier:
    """A public key of notes: its name, kind (ED25519 or COSIGNATURE) and 32 bytes."""

    name: str
    kind: int
    public: bytes

    @classmethod
    def parse(cls, vkey: str) -> Verifier:
        """Read the verifier-key form. Raises WardwellError when it is not one, or its id does not fit."""
        try:
            name, key_id, encoded = vkey.strip().split("+", 2)
            raw = _decode(encoded)
            verifier = cls(name, raw[0], raw[1:])
            fits = key_id == _key_id(name, raw[0], raw[1:]).hex() and _NAME.fullmatch(name) is not None
            if not fits or len(raw) != 33 or raw[0] not in (ED25519, COSIGNATURE):
                raise ValueError
        except (ValueError, binascii.Error, IndexError):
            raise WardwellError("That is not a verifier key.", "Copy the whole line, NAME+ID+KEY.") from None
        return verifier

    @property
    def key_id(self) -> bytes:
        return _key_id(self.name, self.kind, self.public)

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


@dataclass(frozen=True)
class Signer:
    """A private key of notes. `text()` is its secret form, `PRIVATE+KEY+NAME+ID+BASE64(type || seed)`."""

    name: str
    kind: int
    private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"Signer({self.name!r}, <secret>)"

    @classmethod
    def generate(cls, name: str, kind: int = ED25519) -> Signer:
        """A fresh key. `name` holds no space and no plus sign."""
        if _NAME.fullmatch(name) is None:
            raise ValueError("a key name holds neither space nor plus")
        return cls(name, kind, Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> Signer:
        """Read the secret form. Raises WardwellError when it is not one."""
        try:
            word, key, name, key_id, encoded = text.strip().split("+", 4)
            raw = _decode(encoded)
            signer = cls(name, raw[0], Ed25519PrivateKey.from_private_bytes(raw[1:]))
            if (word, key) != ("PRIVATE", "KEY") or signer.verifier.key_id.hex() != key_id:
                raise ValueError
        except (ValueError, binascii.Error, IndexError):
            raise WardwellError("The signing key file is damaged.", "Restore it from custody.") from None
        return signer

    def text(self) -> str:
        encoded = base64.b64encode(bytes([self.kind]) + self.private.private_bytes_raw()).decode()
        return f"PRIVATE+KEY+{self.name}+{self.verifier.key_id.hex()}+{encoded}"

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self.kind, self.private.public_key().public_bytes_raw())

    def _line(self, signature: bytes) -> bytes:
        return f"— {self.name} {base64.b64encode(self.verifier.key_id + signature).decode()}\n".encode()

    def sign(self, text: str) -> bytes:
        """The note over `text` (whole lines) with this key's signature (type 1)."""
        if self.kind != ED25519 or not text.endswith("\n"):
            raise ValueError("a note is signed by an ED25519 key over whole lines")
        return text.encode() + b"\n" + self._line(self.private.sign(text.encode()))

    def cosign(self, note: bytes, at: datetime) -> bytes:
        """`note` with this witness's cosignature/v1 of time `at` added."""
        if self.kind != COSIGNATURE:
            raise ValueError("a cosignature is made by a COSIGNATURE key")
        text, _ = split(note)
        seconds = int(at.timestamp())
        signature = self.private.sign(_cosigned(text, seconds))
        return note + self._line(struct.pack(">Q", seconds) + signature)


@dataclass(frozen=True)
class Checkpoint:
    """The head of a log: origin, number of leaves, root hash (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read a checkpoint's text; extension lines are ignored. Raises WardwellError."""
        lines = text.split("\n")
        try:
            checkpoint = cls(lines[0], int(lines[1]), _decode(lines[2]))
            if not checkpoint.origin or str(checkpoint.size) != lines[1] or len(checkpoint.root) != HASH_BYTES:
                raise ValueError
        except (ValueError, binascii.Error, IndexError):
            raise WardwellError("That is not a checkpoint.", "Fetch the log's files again.") from None
        return checkpoint


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def split(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """A note's text and its signature lines (name, key id || signature). Raises WardwellError for malformed ones."""
    try:
        text, mark, tail = note.decode().rpartition("\n\n")
        if not mark or not tail.endswith("\n"):
            raise ValueError
        lines = []
        for line in tail[:-1].split("\n"):
            match = _SIGNATURE_LINE.fullmatch(line)
            if match is None:
                raise ValueError
            lines.append((match[1], _decode(match[2])))
    except (ValueError, binascii.Error):
        raise WardwellError("That is not a signed note.", "Fetch the log's files again.") from None
    return text + "\n", lines


def open_note(note: bytes, verifier: Verifier) -> str:
    """The text of `note`, signed by `verifier` (type 1). Raises WardwellError when it did not sign it."""
    text, lines = split(note)
    for signature in _signatures(lines, verifier):
        try:
            Ed25519PublicKey.from_public_bytes(verifier.public).verify(signature, text.encode())
        except InvalidSignature:
            raise WardwellError(f"The signature of {verifier.name} does not fit.", "The note was altered.") from None
        return text
    raise WardwellError(f"The note is not signed by {verifier.name}.", "Compare the log's verifier key.")


def cosigned_at(note: bytes, witness: Verifier) -> datetime:
    """When `witness` last cosigned `note` (UTC). Raises WardwellError when it did not."""
    text, lines = split(note)
    times = []
    for signature in _signatures(lines, witness):
        if len(signature) != 72:
            raise WardwellError(f"The cosignature of {witness.name} is damaged.", "Fetch the witness's file again.")
        (seconds,) = struct.unpack(">Q", signature[:8])
        try:
            Ed25519PublicKey.from_public_bytes(witness.public).verify(signature[8:], _cosigned(text, seconds))
        except InvalidSignature:
            raise WardwellError(
                f"The cosignature of {witness.name} does not fit.", "The witness's file was altered."
            ) from None
        times.append(seconds)
    if not times:
        raise WardwellError(f"The note is not cosigned by {witness.name}.", "Ask the officers' trustee for theirs.")
    return datetime.fromtimestamp(max(times), UTC)


def _signatures(lines: list[tuple[str, bytes]], verifier: Verifier) -> list[bytes]:
    return [raw[4:] for name, raw in lines if name == verifier.name and raw[:4] == verifier.key_id]
