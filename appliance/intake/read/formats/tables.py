"""What every reader shares: a table of text cells, the refusal of a file, limits on memory, and rules for names.

Owns: `Table`, `Unusable`, the metering of what is read, and the check of a feed's columns against its profile.
Runs only inside the parsing child, because the cells it passes on hold narratives. No reason may quote a cell.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

import msgspec

from appliance.intake.profile.feed_profile import Profile, about_conduct

# One record of any format: a call with a very long narrative takes kilobytes, so this is quotation marks or brackets
# that do not close, or an attack. What one record may hold bounds the memory of the parsing child.
RECORD_BYTES = 4 * 1024 * 1024
# Elements or objects within each other. New World, EIDO and NIEM stay below 12.
DEPTH = 64
_CHUNK = 256 * 1024
_SAFE_NAME = re.compile(r"[A-Za-z0-9_ ./#:@$-]{1,80}")
_BETWEEN_WORDS = re.compile(r"[\s_-]+")

TOO_LONG = f"a record longer than {RECORD_BYTES // 1024 // 1024} MB: quotation marks or brackets that do not close"
TOO_DEEP = f"more than {DEPTH} levels within each other"
UNKNOWN = "unknown column; name it in the feed profile, under columns or dropped"
ABOUT_CONDUCT = "a column about conduct; Wardwell takes none, drop it in the export or the profile"
MISSING = "this column is missing"


class Unusable(Exception):
    """The file as a whole cannot be read: line (counted from 1; 0 unknown), column ("" unknown), reason."""

    def __init__(self, line: int, column: str, reason: str) -> None:
        super().__init__(reason)
        self.line, self.column, self.reason = line, column, reason


class Table(msgspec.Struct):
    """One table as text.

    `rows` yields (line or record number as an editor or spreadsheet shows it, cells); a row may have more or fewer
    cells than `header`, which the mapping refuses. Reading it may raise Unusable at any row. `chosen` says in plain
    sentences which encoding, delimiter, sheet or path was used and why.
    """

    header: list[str]
    rows: Iterator[tuple[int, list[str]]]
    chosen: list[str]


class Oversized(Exception):
    """More than RECORD_BYTES were read without a whole record in them."""


class Metered(io.RawIOBase):
    """A stream that refuses to go on when one record takes more than RECORD_BYTES; `whole()` after each record.

    `limit` is in bytes. `zeros=False` raises `ZeroBytes` on the first zero byte: no 8-bit text has one.
    """

    def __init__(self, stream: BinaryIO, *, zeros: bool = True, limit: int = RECORD_BYTES) -> None:
        super().__init__()
        self._stream, self._zeros, self._limit = stream, zeros, limit
        self._read = self._whole = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        """Fill `target`. Raises Oversized or ZeroBytes."""
        if self._read - self._whole > self._limit:
            raise Oversized
        chunk = self._stream.read(min(len(target), _CHUNK))
        if not self._zeros and b"\0" in chunk:
            raise ZeroBytes
        target[: len(chunk)] = chunk
        self._read += len(chunk)
        return len(chunk)

    def whole(self) -> None:
        """A record ended within what has been read so far."""
        self._whole = self._read


class ZeroBytes(Exception):
    """A zero byte in text of an 8-bit encoding."""


def safe(name: str) -> str:
    """A column's name as it may be shown: nothing that could be somebody's text."""
    return name if _SAFE_NAME.fullmatch(name) else "(unreadable name)"


def alike(name: str) -> str:
    """A column's name as it is compared: exports of one vendor differ in case, spaces and underscores."""
    return _BETWEEN_WORDS.sub(" ", name.strip()).casefold()


def own_spelling(names: Iterable[str], profile: Profile) -> list[str]:
    """The feed's column names in the profile's spelling, where the two differ in case and spacing only."""
    exact = {*profile.taken, *profile.dropped}
    known = {alike(name): name for name in (*profile.dropped, *profile.taken)}
    stripped = [name.strip() for name in names]
    return [name if name in exact else known.get(alike(name), name) for name in stripped]


def within(name: str, dropped: Sequence[str]) -> bool:
    """Whether `name` is under a dropped path: dropping `caller` drops `caller.name` and `caller/name` too."""
    return any(name.startswith((f"{path}.", f"{path}/")) for path in dropped)


def refuse_unknown(name: str, profile: Profile, line: int) -> None:
    """Raise Unusable unless the profile takes or drops the column `name`."""
    if name in profile.taken or name in profile.dropped or within(name, profile.dropped):
        return
    raise Unusable(line, safe(name), ABOUT_CONDUCT if about_conduct(name) else UNKNOWN)


def positions(header: Sequence[str], profile: Profile, line: int = 1) -> dict[str, int]:
    """Where each column of `Table.header` stands.

    Raises Unusable for a column that the profile neither takes nor drops, for one that it takes and the feed lacks,
    and for two of the same name when it takes that name.
    """
    for name in header:
        refuse_unknown(name, profile, line)
    for name in profile.taken:
        if name not in header:
            raise Unusable(line, name, MISSING)
    for name in header:
        if name in profile.taken and header.count(name) > 1:
            raise Unusable(line, safe(name), "two columns have the same name")
    return {name: index for index, name in enumerate(header)}
