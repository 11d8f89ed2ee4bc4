"""Writing so that a kill, a power cut or a full disk leaves the old file or the new one, and never a part of one.

Owns: the order of the steps (write under a temporary name, sync, rename, sync the folder), the temporary names, and
locks between processes. Must never see: what a file says.

A temporary file lies beside its target as `.<name>.<8 hex digits>.part`. It is removed when writing fails; what a
killed process left is removed by a later one that writes to the same folder. Backups and readers of the log leave out
whatever ends in `.part`.
Unless a function says otherwise, its work is on disk when it returns, missing folders included. `mode` is exact,
whatever the umask; None leaves it to the umask. `owner` is (uid, gid), which root alone can give.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from appliance.errors import Refused, WardwellError

Owner = tuple[int, int]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# Files synced at the same time: the file system puts them into one commit, instead of one commit each.
_AT_ONCE = 16
_PARTS = ".*." + "[0-9a-f]" * 8 + ".part"
# A temporary file that is older was left by a process that was killed.
_LEFT_SECONDS = 3600


# --- files -----------------------------------------------------------------------------------------------------------


def replace(
    path: Path, data: bytes, *, mode: int | None = None, owner: Owner | None = None, folder_synced: bool = True
) -> None:
    """Write `path` whole, in place of what was there. With `folder_synced=False` the caller syncs the folder."""
    with _part(path, data, mode, owner) as part:
        part.rename(path)
    if folder_synced:
        sync(path.parent)


def create(path: Path, data: bytes, *, mode: int | None = None, owner: Owner | None = None) -> None:
    """Write `path`, which nobody else has written; it is whole from the moment it has its name.

    Raises FileExistsError when it is there, however close the race. The file system must have hard links.
    """
    with _part(path, data, mode, owner) as part:
        # A link, unlike a rename, is refused when the name is taken.
        path.hardlink_to(part)
    sync(path.parent)


def write_group(folder: Path, files: Sequence[tuple[str, bytes]]) -> None:
    """Write several files (name, content): none has its name before all are on disk, then they get them in order."""
    _prepare(folder)
    parts: list[tuple[Path, Path]] = []
    try:
        for name, data in files:
            path = folder / name
            parts.append((_part_name(path), path))
            with new_file(parts[-1][0], synced=False) as file:
                file.write(data)
        with ThreadPoolExecutor(min(_AT_ONCE, max(1, len(parts)))) as pool:
            list(pool.map(sync, (part for part, _ in parts)))
        for part, path in parts:
            part.rename(path)
    except BaseException:
        for part, _ in parts:
            part.unlink(missing_ok=True)
        raise
    sync(folder)


def replace_link(path: Path, target: str | Path) -> None:
    """Have the symbolic link `path` lead to `target`. The caller syncs the folder."""
    part = _part_name(path)
    try:
        part.symlink_to(target)
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def new_file(
    path: Path, *, mode: int | None = None, owner: Owner | None = None, synced: bool = True
) -> Iterator[BinaryIO]:
    """A file to be filled under its own name, at once visible; removed when the block fails.

    For a scratch folder, and with `synced=False` for one in memory. The caller syncs the folder. Raises FileExistsError
    when the name is taken.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode)
    try:
        with open(descriptor, "wb") as file:
            if mode is not None:
                os.fchmod(descriptor, mode)
            if owner is not None:
                os.fchown(descriptor, *owner)
            yield file
            file.flush()
            if synced:
                os.fsync(descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _part(path: Path, data: bytes, mode: int | None, owner: Owner | None) -> Iterator[Path]:
    """`data` on disk under a temporary name beside `path`; nothing has that name afterwards."""
    _prepare(path.parent)
    part = _part_name(path)
    with new_file(part, mode=mode, owner=owner) as file:
        file.write(data)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


@functools.lru_cache(maxsize=1024)  # once for each folder in the life of a process
def _sweep(folder: Path) -> None:
    """Remove the temporary files in `folder` that killed processes left."""
    for part in folder.glob(_PARTS):
        # Another process may be giving it its name just now, or it belongs to another account.
        with contextlib.suppress(OSError):
            if part.lstat().st_mtime < time.time() - _LEFT_SECONDS:
                part.unlink()


def _part_name(path: Path) -> Path:
    # Two processes may write the same file at once: each has a name of its own, and the last rename stays.
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


def owner_of(path: Path) -> Owner | None:
    """The owner of `path`, to be given to what replaces it or lies in it; None when this is not root, or it is not
    there."""
    if os.geteuid() != 0 or not path.exists():
        return None
    state = path.stat()
    return state.st_uid, state.st_gid


# --- folders ---------------------------------------------------------------------------------------------------------


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make `folder` and the folders above it that are missing. `mode`, less the umask, is for `folder` itself."""
    missing = [level for level in (folder, *folder.parents) if not level.is_dir()]
    for level in reversed(missing):
        level.mkdir(mode if level == folder else 0o777, exist_ok=True)
        sync(level.parent)


def _prepare(folder: Path) -> None:
    if not folder.is_dir():
        make_folder(folder)
    _sweep(folder)


def sync(path: Path) -> None:
    """Return when the content of a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- locks -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(
    path: Path, *, refusal: WardwellError | None = None, shared: bool = False, mode: int = 0o600
) -> Iterator[None]:
    """Hold the lock at `path` against other processes; those with `shared` hold it together.

    Waits until it is free, or raises `refusal` at once. The file stays: whoever removed it would let two in. The lock
    itself ends with the process, however that ends.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, mode)
    try:
        try:
            wait = 0 if refusal is None else fcntl.LOCK_NB
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | wait)
        except BlockingIOError:
            assert refusal is not None
            raise refusal from None
        yield
    finally:
        os.close(descriptor)


# --- room ------------------------------------------------------------------------------------------------------------


def require_free(folder: Path, needed: int, what: str, fix: str) -> None:
    """Raises Refused when the volume of `folder` has fewer than `needed` bytes left for `what`, such as "A backup"."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Refused(f"{what} needs {_size(needed)} in {folder}; {_size(free)} are free.", fix)


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


@contextlib.contextmanager
def naming_full_disk(folder: Path, unharmed: str, fix: str) -> Iterator[None]:
    """Turn an OSError of writing to `folder` into a WardwellError; `unharmed` says what a full disk did no harm to."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise WardwellError(f"There is no room left in {folder}; {unharmed}.", fix) from None
        raise WardwellError(
            f"{folder} cannot be written to: {error.strerror}.", "Look at that disk, and who may write there."
        ) from None
