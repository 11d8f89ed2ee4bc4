"""A dropped file opened once, and the files inside it when it is a .gz or .zip.

Owns: the look at what lies in a drop folder before anything reads it, and the limits on what unpacks. Runs inside the
parsing child; nothing is ever unpacked onto a disk.

    with Source(path) as source:                      # raises Unusable: a link, a FIFO, a device, a hidden name
        for name, stream in source.members(profile.format):
            ...                                       # reading may raise Unusable: a bomb, damage
        source.check()                                # raises Unusable if somebody wrote to it meanwhile
        source.digest()                               # SHA-256 of the file as it lies there
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from appliance.intake.read.formats.tables import Unusable

# What one dropped file may unpack to, and how many files. The day of the largest agency is 20 MB of text; a million
# calls are 250 MB.
UNPACKED_BYTES = 4 * 1024**3
MEMBERS = 1000
# Text of calls compresses 5 to 30 times. Judged once this much came out, because a short file may repeat itself.
RATIO = 200
_RATIO_FROM = 4 * 1024 * 1024
# A workbook is read back and forth, so one that lies inside an archive is held in memory.
WORKBOOK_BYTES = 64 * 1024 * 1024
_CHUNK = 256 * 1024
_ARCHIVES = {
    b"PK\x03\x04": "a zip file",
    b"PK\x05\x06": "a zip file",
    b"\x1f\x8b": "a gzip file",
    b"BZh9": "a bzip2 file",
    b"\xfd7zXZ\0": "an xz file",
    b"7z\xbc\xaf": "a 7z file",
    b"Rar!": "a rar file",
    b"\x28\xb5\x2f\xfd": "a zstandard file",
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls), which must be saved as .xlsx",
}
_WORKBOOK_PART = "[Content_Types].xml"
_DAMAGED = "it is damaged: it does not unpack"
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def name_problem(name: str) -> str:
    """Why `name` cannot be the name of a dropped file, or of one inside an archive; "" if it can."""
    parts = name.replace("\\", "/").split("/")
    if any(part in ("", ".", "..") for part in parts) or any(not character.isprintable() for character in name):
        return "a name with path parts or control characters"
    return "a hidden name" if parts[-1].startswith(".") else ""


class _Bounded(io.RawIOBase):
    """An unpacked stream that says what is wrong with it instead of raising what its library raises."""

    def __init__(self, inner: BinaryIO, source: Source, packed: int) -> None:
        super().__init__()
        self._inner, self._source, self._packed, self._here, self._furthest = inner, source, packed, 0, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._here = self._inner.seek(offset, whence)
        return self._here

    def tell(self) -> int:
        return self._here

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        try:
            chunk = self._inner.read(min(len(target), _CHUNK))
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError):
            raise Unusable(0, "", _DAMAGED) from None
        target[: len(chunk)] = chunk
        self._here += len(chunk)
        if self._here > self._furthest:
            self._source.unpacked += self._here - self._furthest
            self._furthest = self._here
            if self._source.unpacked > UNPACKED_BYTES:
                raise Unusable(0, "", f"it unpacks to more than {UNPACKED_BYTES // 1024**3} GB")
            if self._furthest > _RATIO_FROM and self._furthest > RATIO * max(self._packed, 1):
                raise Unusable(0, "", f"it unpacks to more than {RATIO} times its size: a compression bomb")
        return len(chunk)


class Source:
    """One dropped file. Opened without following a link and without waiting for a FIFO's other end."""

    def __init__(self, path: Path) -> None:
        """Raises Unusable for what is no ordinary file with a plain name."""
        problem = name_problem(path.name)
        if problem:
            raise Unusable(0, "", problem)
        self.unpacked = 0
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            raise Unusable(0, "", "a symbolic link" if path.is_symlink() else "it cannot be read") from None
        self._file = os.fdopen(descriptor, "rb", buffering=_CHUNK)
        self._before = os.fstat(descriptor)
        if not stat.S_ISREG(self._before.st_mode):
            self._file.close()
            raise Unusable(0, "", "not an ordinary file")
        self._name = path.name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    @property
    def size(self) -> int:
        """Bytes of the file as it lay there when it was opened."""
        return self._before.st_size

    def digest(self) -> str:
        """SHA-256 of the file in hexadecimal."""
        self._file.seek(0)
        digest = hashlib.sha256()
        while chunk := self._file.read(_CHUNK):
            digest.update(chunk)
        self._file.seek(0)
        return digest.hexdigest()

    def check(self) -> None:
        """Raise Unusable if the file was written to since it was opened."""
        now = os.fstat(self._file.fileno())
        if (now.st_size, now.st_mtime_ns) != (self._before.st_size, self._before.st_mtime_ns):
            raise Unusable(0, "", "it was written to while it was read")

    def members(self, form: str) -> Iterator[tuple[str, BinaryIO]]:
        """(name, stream that can seek) per file to be read: the file itself, or what is in its archive.

        `form` is the profile's format: only a workbook is a zip file itself. The name is "" for a file that is not
        packed. Raises Unusable, then or when a stream is read.
        """
        self._file.seek(0)
        head = self._file.read(8)
        self._file.seek(0)
        if head.startswith(b"\x1f\x8b"):
            yield self._gzip(form)
        elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            yield from self._zip(form)
        else:
            _refuse_packed(head)
            yield "", self._file

    def _gzip(self, form: str) -> tuple[str, BinaryIO]:
        name = self._name.removesuffix(".gz")
        return name, self._plain(gzip.GzipFile(fileobj=self._file), self.size, form)  # type: ignore[arg-type]

    def _zip(self, form: str) -> Iterator[tuple[str, BinaryIO]]:
        try:
            archive = zipfile.ZipFile(self._file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            raise Unusable(0, "", _DAMAGED) from None
        with archive:
            parts = archive.infolist()
            if any(part.filename == _WORKBOOK_PART for part in parts):
                if form != "xlsx":
                    raise Unusable(0, "", 'a workbook; set format = "xlsx" in the feed profile')
                check_workbook(archive)
                self._file.seek(0)
                yield "", self._file
                return
            for part in check_archive(archive):
                try:
                    inner = archive.open(part)
                except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
                    raise Unusable(0, "", _DAMAGED) from None
                with inner:
                    yield part.filename, self._plain(inner, part.compress_size, form)  # type: ignore[arg-type]

    def _plain(self, inner: BinaryIO, packed: int, form: str) -> BinaryIO:
        """`inner` with its limits. Raises Unusable for an archive inside the archive."""
        bounded = io.BufferedReader(_Bounded(inner, self, packed), _CHUNK)
        head = bounded.read(8)
        bounded.seek(0)
        if form != "xlsx" or not head.startswith(b"PK\x03\x04"):
            _refuse_packed(head, inside=True)
            return bounded
        held = io.BytesIO(bounded.read(WORKBOOK_BYTES + 1))
        if held.getbuffer().nbytes > WORKBOOK_BYTES:
            raise Unusable(0, "", f"a workbook of more than {WORKBOOK_BYTES // 1024**2} MB inside an archive")
        return held


def check_archive(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of `archive` that are to be read. Raises Unusable, from its directory alone, for what is not wanted."""
    parts = _check_parts(archive)
    for part in parts:
        problem = name_problem(part.filename)
        if problem:
            raise Unusable(0, "", f"it holds a file with {problem}")
    return parts


def _check_parts(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    if not all(part.filename for part in archive.infolist()):
        raise Unusable(0, "", _DAMAGED)
    parts = [part for part in archive.infolist() if not part.is_dir()]
    if len(parts) > MEMBERS:
        raise Unusable(0, "", f"it holds more than {MEMBERS} files")
    if sum(part.file_size for part in parts) > UNPACKED_BYTES:
        raise Unusable(0, "", f"it unpacks to more than {UNPACKED_BYTES // 1024**3} GB")
    for part in parts:
        if stat.S_ISLNK(part.external_attr >> 16):
            raise Unusable(0, "", "it holds a symbolic link")
        if part.flag_bits & 0x1:
            raise Unusable(0, "", "it is encrypted")
        if part.compress_type not in _METHODS:
            raise Unusable(0, "", "it is packed by another method than deflate")
    return parts


def check_workbook(archive: zipfile.ZipFile) -> None:
    """Raise Unusable for a workbook whose parts unpack to far more than it holds."""
    for part in _check_parts(archive):
        if part.file_size > _RATIO_FROM and part.file_size > RATIO * max(part.compress_size, 1):
            raise Unusable(0, "", f"a part of it unpacks to more than {RATIO} times its size: a compression bomb")


def _refuse_packed(head: bytes, *, inside: bool = False) -> None:
    for magic, what in _ARCHIVES.items():
        if head.startswith(magic):
            where = " inside an archive" if inside else ""
            raise Unusable(0, "", f"{what}{where}; drop plain files, or one .gz or .zip of them")
