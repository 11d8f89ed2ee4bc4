"""Reading a backup: into a scratch folder to check it, or into an empty home to live on.

Owns: believing a backup (made with this root secret, nothing altered, not by a later version), putting its files
together, and the order of a real restore: everything lies complete and proven beside its place, then is moved there.
Must never see: a person's record. A backup's paths are taken only when they stay inside the target.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

import msgspec
import pyrage

from appliance import durable
from appliance.backup import proof, replay
from appliance.backup.create import name_of
from appliance.backup.cut import SETTINGS
from appliance.backup.format import Entry, Index, Manifest
from appliance.backup.keys import Keys, keys_from_root, recipient_of
from appliance.backup.repository import Repository, Stored, naming_full_disk
from appliance.custody.keys import PRODUCTION_MARK, backup_identity, backup_recipient
from appliance.database import revisions
from appliance.errors import Refused, WardwellError
from appliance.settings import COMPARTMENTS, Home
from appliance.storage import Store, migrate

_RESTORING = ".restoring"
_RESERVE = 64 << 20
# What an unsealed, empty appliance has already: nothing that a restore would overwrite lies in these.
_HARMLESS = frozenset(
    {PRODUCTION_MARK, ".backup", _RESTORING, "lost+found", "health", "log", "run", "drop", "settings-from-backup"}
)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Opened:
    """A backup that is believed: its index, and where each piece is."""

    repository: Repository
    manifest: Manifest
    index: Index
    pieces: dict[str, Stored]
    known: dict[str, set[Stored]]
    keys: Keys
    identity: pyrage.x25519.Identity

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.index.entries)


def find(source: Path) -> tuple[Repository, str]:
    """The repository and the backup that `source` names: a folder of backups (its newest), or one backup in it.

    Raises Refused when there is none.
    """
    source = source.absolute()
    if source.is_file():
        source = source.parent
    if source.parent.name == "backups" and (source / "manifest.json").exists():
        return Repository(source.parent.parent), source.name
    repository = Repository(source)
    ids = repository.ids()
    if not ids:
        raise Refused(f"There is no complete backup in {source}.", "Name the folder that `backup create` wrote to.")
    return repository, ids[-1]


def expected_recipient(home: Home) -> str:
    """The recipient that this machine's system disk names, "" when it names none (a fresh machine)."""
    try:
        return recipient_of(home) if (home.settings_file.parent / "backup.pub").exists() else ""
    except WardwellError as error:
        raise Refused(error.message, error.fix) from None


def check_pieces(backup: Opened) -> None:
    """See that every piece is there and is what was written. Raises Refused."""
    for name, stored in backup.pieces.items():
        if backup.repository.unharmed(name, backup.known.get(name, set()) | {stored}) is None:
            raise Refused(f"Piece {name[:12]} is missing or altered.", "Take another copy of that folder.")


def open_backup(repository: Repository, backup: str, root: bytes, expected_recipient: str = "") -> Opened:
    """Believe a backup, or raise Refused saying why not.

    `expected_recipient` is the one this appliance publishes, "" when it publishes none.
    """
    manifest = repository.manifest(backup)
    if expected_recipient and manifest.recipient != expected_recipient:
        raise Refused(
            f"That is another appliance's backup: it was made for {manifest.recipient[:16]}...",
            f"Take one that was made for {expected_recipient[:16]}...",
        )
    if manifest.recipient != backup_recipient(root):
        raise Refused(
            "These shares do not open that backup: it was made under another root secret.",
            "Combine the shares of the ceremony that was in force when it was made.",
        )
    keys = keys_from_root(root)
    if not manifest.holds(keys.seal):
        raise Refused("That backup's manifest was altered.", "Take another copy of it.")
    _require_known_schemas(manifest)
    identity = pyrage.x25519.Identity.from_str(backup_identity(root))
    pieces = repository.pieces(manifest)
    try:
        index = msgspec.json.decode(pyrage.decrypt(repository.index(manifest), [identity]), type=Index)
    except (pyrage.DecryptError, msgspec.DecodeError, msgspec.ValidationError):
        raise Refused("That backup's index was altered.", "Take another copy of it.") from None
    if index.id != manifest.id:
        raise Refused("That backup holds the index of another backup.", "Take another copy of it.")
    known = repository.known(keys.seal)
    return Opened(repository, manifest, index, pieces, known, keys, identity)


def _require_known_schemas(manifest: Manifest) -> None:
    for name in COMPARTMENTS:
        if manifest.schemas.get(name) not in revisions(name):
            raise Refused(
                f"That backup was made by a later Wardwell ({manifest.wardwell}): "
                f"this one does not know {name}'s schema {manifest.schemas.get(name) or 'at all'}.",
                f"Update Wardwell to {manifest.wardwell} or later, then restore.",
            )


def into(backup: Opened, folder: Path, say: Say) -> proof.Proven:
    """Put every file together in the empty `folder`, then prove it. Raises WardwellError at the first wrong thing."""
    done, tenths = 0, 0
    key = backup.keys.names
    with naming_full_disk(folder):
        for entry in sorted(backup.index.entries, key=lambda item: (item.kind == "link", item.path)):
            path = folder / _inside(entry)
            if entry.kind == "folder":
                path.mkdir(mode=0o700)
            elif entry.kind == "link":
                path.symlink_to(entry.target)
            else:
                with durable.new_file(path) as file:
                    for name in entry.pieces:
                        file.write(_piece(backup, name, key))
                if path.stat().st_size != entry.size:
                    raise WardwellError(f"{entry.path} was restored with a different size.", "Take an earlier backup.")
                done += entry.size
                if backup.size and done * 10 // backup.size > tenths:
                    tenths = done * 10 // backup.size
                    say(f"read {tenths * 10} %")
    proven = proof.examine(folder, backup.keys)
    stated = (backup.manifest.schemas, backup.manifest.ledger_size, backup.manifest.ledger_root, backup.index.counts)
    if stated != (proven.schemas, proven.ledger_size, proven.ledger_root, proven.counts):
        raise WardwellError(
            "What was restored does not match what the backup says of itself.", "Take an earlier backup."
        )
    return proven


def _piece(backup: Opened, name: str, key: bytes) -> bytes:
    if name not in backup.pieces:
        raise WardwellError(f"Piece {name[:12]} is not on the backup's own list.", "Take another copy of it.")
    raw = backup.repository.read(name, backup.known.get(name, set()) | {backup.pieces[name]})
    try:
        data: bytes = pyrage.decrypt(raw, [backup.identity])
    except pyrage.DecryptError:
        raise WardwellError(f"Piece {name[:12]} does not open.", "Take an earlier backup.") from None
    if name_of(data, key) != name:
        raise WardwellError(f"Piece {name[:12]} holds something else.", "Take another copy of that folder.")
    return data


def _inside(entry: Entry) -> PurePosixPath:
    path = PurePosixPath(entry.path)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise WardwellError("The backup names a file outside of its target.", "Do not use it.")
    return path


# --- a real restore --------------------------------------------------------------------------------------------------


def check_target(home: Home, size: int) -> None:
    """See that a restore of `size` bytes may go to `home`. Raises Refused; changes nothing."""
    if home.root.exists():
        if not home.root.is_dir():
            raise Refused(f"{home.root} is not a folder.", "Give a folder that is empty or not there yet.")
        present = sorted(path.name for path in home.root.iterdir() if _matters(path))
        if present:
            raise Refused(
                f"{home.root} is not empty: {', '.join(present[:3])}{' ...' if len(present) > 3 else ''}.",
                "Give an empty folder, or use --set-aside, which moves what is there to a folder beside it.",
            )
    above = next(path for path in (home.root, *home.root.parents) if path.exists())
    durable.require_free(above, size + _RESERVE, "A restore", "Free space.")


def _matters(path: Path) -> bool:
    """Whether a restore would have to overwrite it: an appliance's own file, at the top of the home."""
    return path.name not in _HARMLESS and not path.name.startswith("set-aside-") and not _bare(path)


def _bare(path: Path) -> bool:
    """Whether there is no file anywhere below: the folders that an empty appliance is given."""
    return path.is_dir() and not path.is_symlink() and all(_bare(below) for below in path.iterdir())


def set_aside(home: Home, label: str) -> Path | None:
    """Move what lies in `home` to one folder in it, by renaming alone; that folder, None when there was nothing."""
    aside = home.root / f"set-aside-{label}"
    present = [path for path in (sorted(home.root.iterdir()) if home.root.is_dir() else []) if _matters(path)]
    if not present:
        return None
    aside.mkdir(mode=0o700)
    for path in present:
        path.rename(aside / path.name)
    durable.sync(home.root)
    return aside


def restore(backup: Opened, home: Home, say: Say) -> proof.Proven:
    """Restore into `home`: put together beside its place, proven, brought to this version's schemas, then moved."""
    scratch = home.root / _RESTORING
    home.root.mkdir(mode=0o755, parents=True, exist_ok=True)
    shutil.rmtree(scratch, ignore_errors=True)  # what an interrupted restore left
    scratch.mkdir(mode=0o700)
    erasures = replay.gather(backup.repository, home)
    try:
        proven = into(backup, scratch, say)
        for name in COMPARTMENTS:
            with contextlib.closing(Store(Home(scratch), name, backup.keys.databases[name])) as store:
                migrate.upgrade(store)
                store.scrub()
        made = datetime.fromisoformat(backup.manifest.made_at)
        replay.replay(scratch, dict(backup.keys.databases), made, erasures, say)
        _dress(backup, scratch)
        replay.dress(scratch)
        for path in sorted(scratch.iterdir()):
            target = home.root / path.name
            if path.name == SETTINGS:
                target = home.root / "settings-from-backup"
                shutil.rmtree(target, ignore_errors=True)
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)  # bare, as check_target saw
            path.rename(target)
        durable.sync(home.root)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return proven


def _dress(backup: Opened, folder: Path) -> None:
    """Give everything its owner, mode and time; owners only as root and where this machine has them."""
    for entry in sorted(backup.index.entries, key=lambda item: item.path, reverse=True):
        path = folder / _inside(entry)
        if not os.path.lexists(path):
            continue  # a message about somebody who left
        if os.geteuid() == 0:
            user, group = _number(entry.owner, False), _number(entry.group, True)
            os.chown(path, user, group, follow_symlinks=False)
        if entry.kind != "link":
            path.chmod(entry.mode)
            os.utime(path, ns=(entry.mtime, entry.mtime))


def _number(name: str, group: bool) -> int:
    try:
        return grp.getgrnam(name).gr_gid if group else pwd.getpwnam(name).pw_uid
    except KeyError:
        return -1
