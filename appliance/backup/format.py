"""What a backup says about itself, and what it lists; version 1.

Owns: the manifest (plain, authenticated by HMAC-SHA256 under the seal key) and the index (an age file). A folder of
backups holds:

    wardwell-backups.json             {"v": 1, "appliance": ID}
    pieces/<2 digits>/<name>.age      at most 1 MiB of one file; name = HMAC-SHA256 of the plaintext under the names key
    backups/<id>/manifest.json        Manifest
    backups/<id>/pieces.txt           one line per piece: name, SHA-256 of the age file, its size in bytes
    backups/<id>/index.age            Index

Must never see: a file's content.
"""

from __future__ import annotations

import hmac
from typing import Literal

import msgspec

from appliance.errors import Refused, WardwellError

FORMAT = 1
PIECE_BYTES = 1 << 20


class Entry(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One file, folder or link. `path` is relative to the data volume; `settings/...` is a copy of the system disk's.

    `owner` and `group` are names (numbers differ between machines); `mode` holds permission bits, `mtime` is in ns.
    """

    path: str
    kind: Literal["file", "folder", "link"]
    mode: int
    owner: str
    group: str
    mtime: int
    size: int = 0
    pieces: list[str] = []
    target: str = ""


class Index(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything in a backup; `counts` is compartment -> table -> rows, which is nobody's business but custody's."""

    id: str
    entries: list[Entry]
    counts: dict[str, dict[str, int]]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be known of a backup without custody's keys. Sizes in bytes, `made_at` ISO 8601 UTC.

    `ledger_size` and `ledger_root` (hex) are the access log's published head in it. `total` is the SHA-256 of
    `pieces.txt`, which carries the SHA-256 of every piece. `verified`: "read back" when every new piece was decrypted
    again after writing and the databases were opened from what came back.
    """

    v: int = FORMAT
    id: str
    made_at: str
    wardwell: str
    appliance: str
    recipient: str
    schemas: dict[str, str]
    ledger_size: int
    ledger_root: str
    files: int
    plain_bytes: int
    pieces: int
    new_pieces: int
    new_bytes: int
    locked_ms: int
    index: str
    total: str
    verified: str
    mac: str = ""

    def sealed(self, key: bytes) -> Manifest:
        """This manifest with its `mac`."""
        return msgspec.structs.replace(self, mac=self._mac(key))

    def holds(self, key: bytes) -> bool:
        """Whether the holder of `key` made exactly this manifest."""
        return hmac.compare_digest(self.mac, self._mac(key))

    def _mac(self, key: bytes) -> str:
        plain = msgspec.json.encode(msgspec.structs.replace(self, mac=""), order="sorted")
        return hmac.new(key, plain, "sha256").hexdigest()


class _Version(msgspec.Struct):
    v: int


def parse_manifest(raw: bytes) -> Manifest:
    """The manifest in `raw`. Raises WardwellError when it is damaged, or of a later format than this version knows."""
    try:
        if msgspec.json.decode(raw, type=_Version).v > FORMAT:
            raise Refused("That backup has a later format.", "Update Wardwell, then restore.")
        return msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise WardwellError("A backup's manifest is damaged.", "Take another backup, or another copy of it.") from None
