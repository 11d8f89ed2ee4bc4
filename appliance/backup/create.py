"""`wardwell backup create`: cut, write what is new, read it back, and only then let the backup appear.

Owns: the order of these steps. Pieces are encrypted to custody's key and to one made for this run alone, whose private
half never leaves memory: with it every new piece is decrypted again from the disk, the files are put together from what
came back, and the databases among them are opened. A piece that an earlier backup wrote was read back then; now its age
file must still have the same SHA-256. Must never see: the root secret. Memory: a
few pieces of 1 MiB, and the index.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
import pyrage

from appliance import clock, durable
from appliance.backup import cut as cuts
from appliance.backup import proof, replay
from appliance.backup.format import PIECE_BYTES, Entry, Index, Manifest
from appliance.backup.keys import Keys
from appliance.backup.repository import MORE_ROOM, Repository, Stored, naming_full_disk, write_list
from appliance.errors import Refused, WardwellError
from appliance.settings import Home

# Left free on the destination, and the most that an age file is longer than what it holds, per piece.
_RESERVE = 16 << 20
_OVERHEAD = 1024
_AT_ONCE = 8

Say = Callable[[str], None]


@dataclass(frozen=True)
class _Plan:
    """Entries with the names of their pieces; names that have to be written; bytes of these."""

    entries: list[Entry]
    kept: dict[str, Stored]
    new: set[str]
    new_bytes: int


def appliance_id(home: Home) -> str:
    """Which appliance this is: the SHA-256 of its access log's verifier key, 32 hex digits. Raises Refused."""
    try:
        vkey = (home.public / "ledger" / "vkey").read_bytes()
    except OSError:
        raise Refused("This appliance is not founded: it has no access log.", "Found it first.") from None
    return hashlib.sha256(vkey.strip()).hexdigest()[:32]


def version() -> str:
    """The version of the program, as `pyproject.toml` of the tree says it."""
    tree = Path(__file__).resolve().parents[2]
    return str(tomllib.loads((tree / "pyproject.toml").read_text())["project"]["version"])


def create(home: Home, folder: Path, keys: Keys, recipient: str, say: Say) -> Manifest:
    """Make one backup in `folder`. Raises WardwellError; then what was there before is unharmed."""
    appliance = appliance_id(home)
    if not folder.is_dir():
        raise Refused(f"{folder} is not there.", "Plug in or mount the disk, or make the folder.")
    if folder.resolve().is_relative_to(home.root.resolve()):
        raise Refused("Backups may not lie on the volume that they are to outlive.", "Give another folder.")
    repository = Repository(folder)
    with naming_full_disk(folder), repository.locked():
        # Before the cut: what is erased while it is made counts as erased after this backup.
        at = clock.now()
        repository.claim(appliance)
        repository.sweep()
        with cuts.taken(home, keys) as cut:
            say(f"cut taken; writers waited {cut.locked_ms} ms")
            plan = _plan(repository, cut, keys)
            _require_room(repository, plan)
            say(f"{len(plan.new)} new pieces, {plan.new_bytes / 1e6:.1f} MB; {len(plan.kept)} unchanged")
            made = _write(repository, cut, plan, keys, recipient, appliance, at, say)
        replay.copy_list(home, repository)
        return made


def pieces_of(path: Path, key: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of each piece of a file, in order."""
    with open(path, "rb") as file:
        while data := file.read(PIECE_BYTES):
            yield name_of(data, key), data


def name_of(data: bytes, key: bytes) -> str:
    """A piece's name: nobody without the key can tell whether known content is in a backup."""
    return hmac.new(key, data, "sha256").hexdigest()


def _plan(repository: Repository, cut: cuts.Cut, keys: Keys) -> _Plan:
    known, kept = repository.known(keys.seal), {}
    new: set[str] = set()
    size, entries, key = 0, [], keys.names
    for entry in cut.entries:
        if entry.kind == "file":
            names = []
            for name, data in pieces_of(cut.folder / entry.path, key):
                names.append(name)
                if name in new or name in kept:
                    continue
                # A damaged one is written again.
                unharmed = repository.unharmed(name, known.get(name, set()))
                if unharmed is None:
                    new.add(name)
                    size += len(data) + _OVERHEAD
                else:
                    kept[name] = unharmed
            entry = msgspec.structs.replace(entry, pieces=names)
        entries.append(entry)
    return _Plan(entries, kept, new, size)


def _require_room(repository: Repository, plan: _Plan) -> None:
    needed = plan.new_bytes + len(plan.entries) * 256 + _RESERVE
    durable.require_free(repository.folder, needed, "This backup", MORE_ROOM)


def _write(
    repository: Repository,
    cut: cuts.Cut,
    plan: _Plan,
    keys: Keys,
    recipient: str,
    appliance: str,
    at: datetime,
    say: Say,
) -> Manifest:
    own = pyrage.x25519.Identity.generate()
    readers = [pyrage.x25519.Recipient.from_str(recipient), own.to_public()]
    written = _write_new(repository, cut, plan, keys, readers, say)
    repository.sync(set(written))
    _read_back(repository, cut, plan, keys, own, written)
    proven = proof.examine(cut.folder, keys)
    say("read back: every database opens, the access log's head fits")
    name = repository.next_id(at)
    index = pyrage.encrypt(msgspec.json.encode(Index(name, plan.entries, proven.counts)), [readers[0]])
    every = {**plan.kept, **written}
    manifest = Manifest(
        id=name,
        made_at=at.isoformat(timespec="seconds"),
        wardwell=version(),
        appliance=appliance,
        recipient=recipient,
        schemas=proven.schemas,
        ledger_size=proven.ledger_size,
        ledger_root=proven.ledger_root,
        files=sum(1 for entry in plan.entries if entry.kind == "file"),
        plain_bytes=sum(entry.size for entry in plan.entries),
        pieces=len(every),
        new_pieces=len(written),
        new_bytes=sum(piece.size for piece in written.values()),
        locked_ms=cut.locked_ms,
        index=hashlib.sha256(index).hexdigest(),
        total=hashlib.sha256(write_list(every)).hexdigest(),
        verified="read back",
    ).sealed(keys.seal)
    repository.publish(manifest, index, every)
    return manifest


def _write_new(
    repository: Repository,
    cut: cuts.Cut,
    plan: _Plan,
    keys: Keys,
    readers: list[pyrage.x25519.Recipient],
    say: Say,
) -> dict[str, Stored]:
    """Encrypt and write the plan's new pieces. Raises WardwellError when a file is not what was planned."""
    written: dict[str, Stored] = {}
    waiting: dict[str, bytes] = {}
    tenths = 0

    def write(piece: tuple[str, bytes]) -> Stored:
        return repository.write(piece[0], pyrage.encrypt(piece[1], readers))

    # A few at once: each waits for the disk, and the disk takes several waiting ones in one go.
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for entry in plan.entries:
            if entry.kind != "file":
                continue
            seen = []
            for name, data in pieces_of(cut.folder / entry.path, keys.names):
                seen.append(name)
                if name in plan.new and name not in written:
                    waiting[name] = data
                if len(waiting) == _AT_ONCE:
                    written |= dict(zip(waiting, pool.map(write, waiting.items()), strict=True))
                    waiting.clear()
                    if len(written) * 10 // len(plan.new) > tenths:
                        tenths = len(written) * 10 // len(plan.new)
                        say(f"written {tenths * 10} %")
            if seen != entry.pieces:
                raise WardwellError(f"{entry.path} changed while it was read.", "Run the backup again.")
        return written | dict(zip(waiting, pool.map(write, waiting.items()), strict=True))


def _read_back(
    repository: Repository, cut: cuts.Cut, plan: _Plan, keys: Keys, own: pyrage.x25519.Identity, new: dict[str, Stored]
) -> None:
    """Replace each file of the cut by what the backup gives back for it."""
    for entry in plan.entries:
        if entry.kind != "file" or not any(name in new for name in entry.pieces):
            continue
        path = cut.folder / entry.path
        back = path.with_name(f".{path.name}.back")
        with open(path, "rb") as before, open(back, "xb") as file:
            for name in entry.pieces:
                data = before.read(PIECE_BYTES)
                if name in new:
                    data = pyrage.decrypt(repository.read(name, {new[name]}), [own])
                if name_of(data, keys.names) != name:
                    raise WardwellError(
                        f"Piece {name[:12]} was not read back as it was written.", "Use another disk for backups."
                    )
                file.write(data)
        # Never written through the old name: that file may be linked to the appliance's own.
        os.replace(back, path)  # noqa: PTH105
