"""A folder of backups: pieces that several backups share, and one folder per complete backup.

Owns: writing a piece durably, reading it back, the list of complete backups, the lock of the folder. A backup is there
or it is not: its folder gets its name by one rename, after everything in it is on the disk.
Must never see: a key, or a piece in plain.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from appliance import durable
from appliance.backup.format import FORMAT, Manifest, parse_manifest
from appliance.errors import Refused, WardwellError

_NAME = re.compile(r"[0-9a-f]{64}")
MORE_ROOM = "Free space there, give a larger disk, or lower backup.keep_days."


class Marker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose backups lie in a folder."""

    v: int
    appliance: str


@dataclass(frozen=True)
class Stored:
    """One piece as it lies on the disk: SHA-256 (hex) and size of the age file."""

    digest: str
    size: int


class Repository:
    """The backups in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # --- whose it is -------------------------------------------------------------------------------------------------

    def claim(self, appliance: str) -> None:
        """Make `folder` one of `appliance`'s backups, or see that it is. Raises Refused when it is another's."""
        marker = self.folder / "wardwell-backups.json"
        if not marker.exists():
            with naming_full_disk(self.folder):
                durable.replace(marker, msgspec.json.encode(Marker(FORMAT, appliance)))
        try:
            owner = msgspec.json.decode(marker.read_bytes(), type=Marker)
        except (msgspec.DecodeError, msgspec.ValidationError):
            raise Refused(f"{marker} is damaged.", "Give an empty folder, or put that file back.") from None
        if owner.appliance != appliance or owner.v != FORMAT:
            raise Refused(f"{self.folder} holds another appliance's backups.", "Give it a folder of its own.")
        for name in ("pieces", "backups"):
            (self.folder / name).mkdir(exist_ok=True)

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """One writer at a time. Raises Refused when another is at work."""
        busy = Refused("Another backup is being made or pruned there.", "Wait until it is done.")
        return durable.locked(self.folder / ".lock", refusal=busy, mode=0o640)

    # --- backups -----------------------------------------------------------------------------------------------------

    def ids(self) -> list[str]:
        """Complete backups, oldest first."""
        folder = self.folder / "backups"
        names = (path.name for path in folder.iterdir()) if folder.is_dir() else iter(())
        return sorted(name for name in names if not name.startswith("."))

    def next_id(self, at: datetime) -> str:
        """The id of the next backup: a number, so that order needs no clock, and the time `at` (UTC) for people."""
        numbers = [int(name[:6]) for name in self.ids() if name[:6].isdigit()]
        return f"{max(numbers, default=0) + 1:06d}-{at:%Y%m%dT%H%M%SZ}"

    def manifest(self, backup: str) -> Manifest:
        """The manifest of a complete backup. Raises WardwellError when it is damaged."""
        manifest = parse_manifest(self._read(backup, "manifest.json"))
        if manifest.id != backup:
            raise WardwellError(f"Backup {backup} holds the manifest of another backup.", "Take another copy of it.")
        return manifest

    def index(self, manifest: Manifest) -> bytes:
        """The encrypted index. Raises WardwellError when it is not the one the manifest names."""
        raw = self._read(manifest.id, "index.age")
        if hashlib.sha256(raw).hexdigest() != manifest.index:
            raise WardwellError(f"The index of backup {manifest.id} was altered.", "Take another copy of it.")
        return raw

    def pieces(self, manifest: Manifest) -> dict[str, Stored]:
        """Every piece of a backup. Raises WardwellError when the list is not the one the manifest names."""
        raw = self._read(manifest.id, "pieces.txt")
        if hashlib.sha256(raw).hexdigest() != manifest.total:
            raise WardwellError(f"The list of pieces of backup {manifest.id} was altered.", "Take another copy of it.")
        return parse_list(raw)

    def referenced(self) -> set[str]:
        """Names of all pieces that any backup's list names, believed or not. Raises WardwellError."""
        return {name for backup in self.ids() for name in parse_list(self._read(backup, "pieces.txt"))}

    def known(self, seal: bytes) -> dict[str, set[Stored]]:
        """Name -> the age files that backups made under `seal` say it has; a mended piece has two."""
        pieces: dict[str, set[Stored]] = {}
        for backup in self.ids():
            with contextlib.suppress(WardwellError):
                manifest = self.manifest(backup)
                if manifest.holds(seal):
                    for name, stored in self.pieces(manifest).items():
                        pieces.setdefault(name, set()).add(stored)
        return pieces

    def _read(self, backup: str, name: str) -> bytes:
        try:
            return (self.folder / "backups" / backup / name).read_bytes()
        except OSError:
            raise WardwellError(f"{name} of backup {backup} is missing.", "Take another copy of it.") from None

    def publish(self, manifest: Manifest, index: bytes, pieces: Mapping[str, Stored]) -> None:
        """Make the backup appear: its folder under a temporary name, synced, then renamed."""
        final = self.folder / "backups" / manifest.id
        part = final.with_name(f".{manifest.id}.part")
        with naming_full_disk(self.folder):
            part.mkdir()
            files = {
                "index.age": index,
                "pieces.txt": write_list(pieces),
                "manifest.json": msgspec.json.format(msgspec.json.encode(manifest)) + b"\n",
            }
            for name, data in files.items():
                durable.replace(part / name, data, folder_synced=False)
            durable.sync(part)
            part.rename(final)
            durable.sync(final.parent)

    def forget(self, backup: str) -> None:
        """Remove a backup; its pieces stay until `sweep`."""
        folder = self.folder / "backups" / backup
        doomed = folder.with_name(f".{backup}.part")
        folder.rename(doomed)
        durable.sync(folder.parent)
        shutil.rmtree(doomed)

    def sweep(self) -> int:
        """Remove what an interrupted run left and pieces that no backup names; how many pieces. Call it locked."""
        for path in (self.folder / "backups").glob(".*.part"):
            shutil.rmtree(path)
        wanted, gone = self.referenced(), 0
        for path in (self.folder / "pieces").glob("*/*"):
            if path.name.removesuffix(".age") not in wanted:
                path.unlink()
                gone += 1
        return gone

    # --- pieces ------------------------------------------------------------------------------------------------------

    def path(self, name: str) -> Path:
        """Where a piece lies. Raises WardwellError on anything that is no piece's name."""
        if not _NAME.fullmatch(name):
            raise WardwellError("A backup names a piece that cannot be one.", "Take another copy of it.")
        return self.folder / "pieces" / name[:2] / f"{name}.age"

    def write(self, name: str, data: bytes) -> Stored:
        """Write one piece (an age file) under its name; `sync` makes the name durable too."""
        with naming_full_disk(self.folder):
            self.path(name).parent.mkdir(exist_ok=True)
            durable.replace(self.path(name), data, folder_synced=False)
        return _stored(data)

    def read(self, name: str, expected: set[Stored]) -> bytes:
        """One piece, one of those `expected`. Raises WardwellError when it is missing or altered."""
        try:
            data = self.path(name).read_bytes()
        except OSError:
            raise WardwellError(f"Piece {name[:12]} is missing.", "Take another copy of that folder.") from None
        if _stored(data) not in expected:
            raise WardwellError(f"Piece {name[:12]} was altered.", "Take another copy of that folder.")
        return data

    def unharmed(self, name: str, expected: set[Stored]) -> Stored | None:
        """How a piece lies there, when that is one of the ways `expected`; None when it is missing or altered."""
        try:
            return _stored(self.read(name, expected)) if expected else None
        except WardwellError:
            return None

    def sync(self, names: set[str]) -> None:
        """Have the folders of freshly written pieces on the disk."""
        for prefix in sorted({name[:2] for name in names}):
            durable.sync(self.folder / "pieces" / prefix)
        durable.sync(self.folder / "pieces")


def _stored(data: bytes) -> Stored:
    return Stored(hashlib.sha256(data).hexdigest(), len(data))


def parse_list(raw: bytes) -> dict[str, Stored]:
    """`pieces.txt`: name -> what lies on the disk. Raises WardwellError."""
    pieces = {}
    try:
        for line in raw.decode("ascii").splitlines():
            name, digest, size = line.split(" ")
            pieces[name] = Stored(digest, int(size))
    except ValueError:
        raise WardwellError("A backup's list of pieces is damaged.", "Take another copy of it.") from None
    return pieces


def write_list(pieces: Mapping[str, Stored]) -> bytes:
    """The bytes of `pieces.txt`, in order of name."""
    return "".join(f"{name} {stored.digest} {stored.size}\n" for name, stored in sorted(pieces.items())).encode()


def naming_full_disk(folder: Path) -> contextlib.AbstractContextManager[None]:
    """Say what to do when there is no room, or the disk does not take what is written."""
    return durable.naming_full_disk(folder, "the backups before are unharmed", MORE_ROOM)
