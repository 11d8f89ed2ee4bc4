"""The parsing child: reads dropped files row by row and writes matched calls, batch by batch.

Owns: `python -m appliance.intake.read.child`, which reads one msgpack `Request` from standard input and writes, per
path, an `Opening`, any number of `Batch`es and an `Ending`, each after its length. Its memory and its time per file are
bounded; it ends with the files it was asked for, and whatever it read ends with it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import re
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import msgspec

from appliance.intake.profile.feed_profile import Profile, UnitLog
from appliance.intake.read import mapping, unit_log
from appliance.intake.read.formats import DOCUMENTS, Unusable, open_documents, open_table
from appliance.intake.read.matching import Crew
from appliance.intake.read.opening import Source
from appliance.intake.read.parsing import LENGTH, Request, path_problem, printable
from appliance.intake.read.sightings import Sightings
from appliance.intake.read.times import WallClock
from appliance.intake.records import LISTED, Batch, CallVersion, Ending, Opening, Shift, Shifts, Sighting
from appliance.spool.messages import RefusedRow

# A million calls with their narratives are some 250 MB.
MAX_BYTES = 512 * 1024 * 1024
# What the child may map, its libraries included. Real files need a tenth; beyond it the file is refused.
_CHILD_BYTES = 1024**3
# Processor time per file: a second and a half for what it takes to look at it, and a fifteenth of what 40,000 rows a
# second need for each megabyte, with room for a slow machine. Beyond it the child is ended by SIGPROF.
_SECONDS, _SECONDS_PER_MEGABYTE = 4.0, 1.0
# Calls per batch: what the long-lived process holds at once.
_BATCH = 5_000
# Where rows are refused alone, one in this many may be unreadable: beyond, the layout itself is another one.
_FEW = 4
_SPOILED = "not taken, because other rows of this file cannot be read"

Found = CallVersion | RefusedRow
Row = Shift | RefusedRow
Frame = Opening | Batch | Shifts | Ending
Emit = Callable[[Frame], None]
# Reads an opened file, to the end, into an account; what is taken is emitted on the way.
Read = Callable[[Source, Path, "_Account", Emit], None]


def version_stamp(path: Path, profile: Profile | UnitLog) -> str:
    """When this export was made: from its name by the profile's rule, else the file's own time; ISO, UTC."""
    match = re.search(profile.version_pattern, path.name) if profile.version_pattern else None
    if match:
        try:
            wall = datetime.strptime(match.group(1), profile.version_format)  # noqa: DTZ007 - a wall time
            return wall.replace(tzinfo=ZoneInfo(profile.time_zone)).astimezone(UTC).isoformat()
        except ValueError:
            pass
    return datetime.fromtimestamp(path.lstat().st_mtime, UTC).isoformat()


def versions(source: Source, path: Path, profile: Profile, notes: mapping.Notes | None = None) -> Iterator[Found]:
    """Every record of an opened file: a call version, or a row refused with its place. Raises Unusable."""
    notes = notes or mapping.Notes()
    name, wall = printable(path.name), WallClock(ZoneInfo(profile.time_zone))
    for member, stream in source.members(profile.format):
        if profile.format in DOCUMENTS:
            yield from open_documents(stream, profile, wall)
            continue
        table = open_table(stream, profile)
        yield from mapping.calls_of(table, profile, version_stamp(path, profile), notes, _within(name, member))
    notes.flagged += wall.flagged
    source.check()


def shifts(source: Source, path: Path, log: UnitLog, people: frozenset[str], notes: mapping.Notes) -> Iterator[Row]:
    """Every record of an opened unit log: a shift, or a row refused with its place. Raises Unusable."""
    for member, stream in source.members(log.format):
        table = open_table(stream, log.table())
        yield from unit_log.shifts_of(table, log, people, notes, _within(printable(path.name), member))
    source.check()


def _within(name: str, member: str) -> str:
    """The file's name with that of its part within an archive."""
    return f"{name}: {printable(member)}" if member else name


class _Account:
    """What a file's ending says, gathered as it is read."""

    def __init__(self, name: str, alone: bool) -> None:
        """`alone`: an unreadable row is refused by itself, as long as such rows are few."""
        self.name, self.rows, self.bad, self.harmless, self.spoiled = name, 0, 0, 0, False
        self.notes = mapping.Notes()
        self._alone = alone
        self.refused: list[RefusedRow] = []
        self._taken: list[int] = []

    def refuse(self, row: RefusedRow) -> None:
        self.rows += 1
        if row.reason in unit_log.HARMLESS:
            self.harmless += 1
        else:
            self.bad += 1
            self.spoiled = not self._alone
        if len(self.refused) < LISTED:
            self.refused.append(row)

    def take(self, line: int) -> None:
        self.rows += 1
        if len(self._taken) < LISTED:
            self._taken.append(line)

    def ending(self) -> Ending:
        """All rows or none: of a spoiled file the readable rows are refused too, so that the account holds."""
        notes = self.notes
        if not self.spoiled and self.bad * _FEW <= self.rows:
            refused = self.harmless + self.bad
            return Ending(self.rows, refused, self.refused, False, notes.flagged, notes.chosen)
        room = LISTED - len(self.refused)
        listed = self.refused + [RefusedRow(self.name, line, "", _SPOILED) for line in self._taken[:room]]
        ordered = sorted(listed, key=lambda row: row.line)
        return Ending(self.rows, self.rows, ordered, True, notes.flagged, notes.chosen)


def _whole(name: str, line: int, column: str, reason: str) -> Ending:
    # A file that cannot be read at all counts as one refused row, so that every row stays accounted for.
    return Ending(1, 1, [RefusedRow(name, line, column, reason)], unusable=True)


def parse_one(path: Path, alone: bool, read: Read, emit: Emit) -> None:
    """Read one file and emit what is in it. Never raises for what a file may contain.

    `alone`: an unreadable row is refused by itself.
    """
    name = printable(path.name)
    problem = path_problem(path)
    if problem:
        emit(Opening(name, ""))
        emit(_whole(name, 0, "", problem))
        return
    opened = False
    try:
        with Source(path) as source:
            _allow(source.size)
            if source.size > MAX_BYTES:
                raise Unusable(0, "", f"larger than {MAX_BYTES // 1024 // 1024} MB")
            emit(Opening(name, source.digest()))
            opened = True
            account = _Account(name, alone)
            read(source, path, account, emit)
            emit(account.ending())
    except (Unusable, MemoryError) as error:
        if not opened:
            emit(Opening(name, ""))
        if isinstance(error, Unusable):
            emit(_whole(name, error.line, error.column, error.reason))
        else:
            emit(_whole(name, 0, "", "reading it takes too much memory"))


def _reads_calls(profile: Profile, sightings: Sightings) -> Read:
    def read(source: Source, path: Path, account: _Account, emit: Emit) -> None:
        batch: list[Sighting] = []
        for version in versions(source, path, profile, account.notes):
            if isinstance(version, RefusedRow):
                account.refuse(version)
                continue
            account.take(version.line)
            if account.spoiled:
                # Nothing of this file is taken any more; its rows are only counted.
                continue
            batch.append(sightings.of(version))
            if len(batch) >= _BATCH:
                emit(Batch(batch))
                batch = []
        if batch:
            emit(Batch(batch))

    return read


def _reads_shifts(log: UnitLog, people: frozenset[str]) -> Read:
    def read(source: Source, path: Path, account: _Account, emit: Emit) -> None:
        stamp, batch = version_stamp(path, log), list[Shift]()
        for shift in shifts(source, path, log, people, account.notes):
            if isinstance(shift, RefusedRow):
                account.refuse(shift)
                continue
            account.take(shift.line)
            if not account.spoiled:
                batch.append(shift)
            if len(batch) >= _BATCH:
                emit(Shifts(stamp, batch))
                batch = []
        if batch:
            emit(Shifts(stamp, batch))

    return read


def _allow(size: int) -> None:
    """Give the file its time. The clock is the processor's: a machine that is busy elsewhere refuses nothing."""
    signal.setitimer(signal.ITIMER_PROF, _SECONDS + _SECONDS_PER_MEGABYTE * size / 1_000_000)


def run(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer one request."""
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (_CHILD_BYTES, _CHILD_BYTES))
    # Rows hold no cycles; looking for them after every 700 rows would cost a tenth of the time.
    gc.set_threshold(100_000)
    request = msgspec.msgpack.decode(source.read(), type=Request)
    encode = msgspec.msgpack.Encoder().encode
    feed = request.log or request.profile
    if isinstance(feed, UnitLog):
        read = _reads_shifts(feed, frozenset(person.person_id for person in request.people))
    elif feed is not None:
        read = _reads_calls(feed, Sightings(feed, Crew(request.people), crewed_later=request.crewed_later))
    else:
        raise ValueError("no profile")

    def emit(frame: Frame) -> None:
        body = encode(frame)
        sink.write(LENGTH.pack(len(body)))
        sink.write(body)
        sink.flush()

    for path in request.paths:
        parse_one(Path(os.fsdecode(path)), feed.refuse == "row", read, emit)


if __name__ == "__main__":
    run(sys.stdin.buffer, sys.stdout.buffer)
