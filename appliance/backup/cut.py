"""One consistent cut of the data volume, in a staging folder on that same volume.

Owns: what a backup holds and what it leaves out, and the time for which nobody may write. Databases are copied; every
other file is linked, since the appliance replaces files and never changes them in place. Published files and messages
may be newer than the databases' cut by what was committed before it, never by more: each is written after its commit,
and a receiver knows a message that it has seen. Must never see: what a file says.

Left out: keys and the root secret; sockets and logs; raw exports (`drop/`, `intake/quarantine/`), which hold what the
appliance promises not to keep and which CAD can send again; the front and the demonstration's own things.
"""

from __future__ import annotations

import contextlib
import fcntl
import grp
import os
import pwd
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance import durable
from appliance.backup.format import Entry
from appliance.backup.keys import Keys
from appliance.errors import Refused
from appliance.settings import COMPARTMENTS, Home
from appliance.storage import snapshot

STAGING = ".backup"
# Names at the top of the data volume, then paths below it.
LEFT_OUT = frozenset({STAGING, ".restoring", "run", "log", "drop", "nginx", "demo", "health", "root", "lost+found"})
LEFT_OUT_BELOW = frozenset({"intake/quarantine", *(f"{name}/key" for name in COMPARTMENTS)})
SETTINGS = "settings"
_RESERVE = 64 << 20
_FICLONE = 0x40049409


@dataclass(frozen=True)
class Cut:
    """`folder` holds the files; `entries` lists them without pieces; `locked_ms` is how long nobody could write."""

    folder: Path
    entries: list[Entry]
    locked_ms: int


@contextlib.contextmanager
def taken(home: Home, keys: Keys) -> Iterator[Cut]:
    """The cut; its folder is removed at the end. Raises Refused when there is no room, WardwellError."""
    staging = home.root / STAGING
    staging.mkdir(mode=0o700, exist_ok=True)
    busy = Refused("Another backup of this appliance is being made.", "Wait until it is done.")
    with durable.locked(staging / "lock", refusal=busy):
        cut = staging / "cut"
        shutil.rmtree(cut, ignore_errors=True)  # what a killed run left
        _require_room(home)
        cut.mkdir(mode=0o700)
        try:
            databases = {home.database(name): keys.databases[name] for name in COMPARTMENTS}
            _require_all(databases.keys())
            with snapshot.held_still(databases):
                begun = time.monotonic()
                entries = list(_gather(home.root, cut))
                milliseconds = round((time.monotonic() - begun) * 1000)
            for name in COMPARTMENTS:
                snapshot.fold(Home(cut).database(name), keys.databases[name])
            entries = [_measured(cut, entry) for entry in entries if not entry.path.endswith("database.db-wal")]
            if home.production:
                entries += _settings(home.settings_file.parent, cut)
            yield Cut(cut, entries, milliseconds)
        finally:
            shutil.rmtree(cut, ignore_errors=True)


def _require_all(paths: Iterable[Path]) -> None:
    missing = [path.parent.name for path in paths if not path.exists()]
    if missing:
        raise Refused(f"There is no database of {', '.join(missing)}.", "Found the appliance first.")


def _require_room(home: Home) -> None:
    """Room for the copies, and for the largest of them once more: it is read back beside its copy."""
    sizes = [
        path.stat().st_size
        for name in COMPARTMENTS
        for path in home.folder(name).glob("database.db*")
        if path.is_file()
    ]
    needed = sum(sizes) + max(sizes, default=0) + _RESERVE
    durable.require_free(
        home.root, needed, "For a while, a backup", "Free space there or enlarge it (`wardwell disk`)."
    )


def _gather(root: Path, cut: Path) -> Iterator[Entry]:
    """Every folder, file and link that belongs into the backup, copied or linked into `cut`."""
    waiting = [Path()]
    while waiting:
        below = waiting.pop()
        for item in sorted(os.scandir(root / below), key=lambda path: path.name):
            relative = (below / item.name).as_posix()
            if _left_out(relative):
                continue
            try:
                state = item.stat(follow_symlinks=False)
                entry = _entry(relative, state)
                if stat.S_ISDIR(state.st_mode):
                    (cut / relative).mkdir(mode=0o700)
                    waiting.append(Path(relative))
                elif stat.S_ISLNK(state.st_mode):
                    entry = _entry(relative, state, target=os.readlink(item.path))  # noqa: PTH115
                elif not stat.S_ISREG(state.st_mode):
                    continue
                elif item.name.startswith("database.db"):
                    _copy(Path(item.path), cut / relative)
                else:
                    _link(Path(item.path), cut / relative)
            except FileNotFoundError:
                continue  # a message was taken, a board ran out: the databases of this cut know
            yield entry


def _left_out(relative: str) -> bool:
    name = relative.rpartition("/")[2]
    # The last two are what a restore put aside for people to look at.
    return (
        relative in LEFT_OUT
        or relative in LEFT_OUT_BELOW
        or name.endswith((".part", "-shm"))
        or relative == "settings-from-backup"
        or relative.startswith("set-aside-")
    )


def _entry(relative: str, state: os.stat_result, target: str = "") -> Entry:
    kind = "folder" if stat.S_ISDIR(state.st_mode) else "link" if stat.S_ISLNK(state.st_mode) else "file"
    return Entry(
        path=relative,
        kind=kind,  # type: ignore[arg-type]
        mode=stat.S_IMODE(state.st_mode),
        owner=_name(state.st_uid, False),
        group=_name(state.st_gid, True),
        mtime=state.st_mtime_ns,
        size=state.st_size if kind == "file" else 0,
        target=target,
    )


def _name(number: int, group: bool) -> str:
    try:
        return grp.getgrgid(number).gr_name if group else pwd.getpwuid(number).pw_name
    except KeyError:
        return ""


def _measured(cut: Path, entry: Entry) -> Entry:
    """The entry with the size that its file has in the cut (folding changed the databases')."""
    if entry.kind != "file":
        return entry
    size = (cut / entry.path).stat().st_size
    return Entry(entry.path, entry.kind, entry.mode, entry.owner, entry.group, entry.mtime, size)


def _settings(folder: Path, cut: Path) -> Iterator[Entry]:
    """A copy of the system disk's settings, for comparison after a restore; private TLS keys stay where they are."""
    waiting = [Path()]
    (cut / SETTINGS).mkdir(mode=0o700)
    yield _entry(SETTINGS, folder.stat())
    while waiting:
        below = waiting.pop()
        for path in sorted((folder / below).iterdir()):
            state, relative = path.lstat(), path.relative_to(folder)
            if stat.S_ISDIR(state.st_mode):
                (cut / SETTINGS / relative).mkdir(mode=0o700)
                waiting.append(relative)
            elif not stat.S_ISREG(state.st_mode) or path.suffix == ".key":
                continue
            else:
                shutil.copyfile(path, cut / SETTINGS / relative)
            yield _entry(f"{SETTINGS}/{relative.as_posix()}", state)


def _copy(source: Path, target: Path) -> None:
    """A copy; a shared one where the file system can do that (XFS, btrfs), which takes no time."""
    with open(source, "rb") as reading, open(target, "xb") as writing:
        try:
            fcntl.ioctl(writing.fileno(), _FICLONE, reading.fileno())
        except OSError:
            shutil.copyfileobj(reading, writing, 1 << 20)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except FileNotFoundError:
        raise
    except OSError:  # another file system below the volume, or links to others' files are not allowed
        _copy(source, target)
