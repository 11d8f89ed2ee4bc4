"""Files are parsed in a short-lived child process that hands back matched calls, batch by batch.

Owns: the long-lived side of that pipe. It never holds a row, nor more than one batch: narratives live and die in the
child (`appliance.intake.read.child`), whose standard error is thrown away with it. What crosses stands in `records`.

    for reading in parse_files(profile, people, paths):
        for calls in reading.batches(): ...      # may raise ParserDied: forget them, the file comes again or is refused
        reading.ending                           # unusable: forget them too
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec

from appliance.intake.profile.feed_profile import Profile, UnitLog
from appliance.intake.records import Batch, Ending, Opening, Shifts, Sighting
from appliance.spool.messages import RefusedRow, RosterPerson

CHILD = [sys.executable, "-m", "appliance.intake.read.child"]
LENGTH = struct.Struct(">I")
# A frame holds one batch of calls. More is no frame of ours.
_FRAME_BYTES = 64 * 1024 * 1024
_PIPE_BYTES = 1024 * 1024
_Rows = Batch | Shifts | Ending
_frames = msgspec.msgpack.Decoder(Opening | _Rows)


class ParserDied(Exception):
    """The child ended in the middle of a file."""


class Request(msgspec.Struct):
    """What the child is asked. Paths as bytes: a dropped file's name need not be valid text.

    The files are of calls by `profile`, or they are a unit log. `crewed_later`: the child says which units were there,
    and leaves it to the unit log and to its caller who that was.
    """

    people: list[RosterPerson]
    paths: list[bytes]
    profile: Profile | None = None
    log: UnitLog | None = None
    crewed_later: bool = False


class Reading:
    """One file as it is read. `ending` stands once `batches` has run out."""

    def __init__(self, path: Path, opening: Opening, frames: Iterator[_Rows]) -> None:
        self.path, self.name, self.sha256 = path, opening.name, opening.sha256
        self.ending: Ending | None = None
        self._frames = frames

    def _before_the_end(self) -> Iterator[Batch | Shifts]:
        for frame in self._frames:
            if isinstance(frame, Ending):
                self.ending = frame
                return
            yield frame
        if self.ending is None:
            raise ParserDied

    def batches(self) -> Iterator[list[Sighting]]:
        """The calls, in the file's order. Raises ParserDied."""
        for frame in self._before_the_end():
            if isinstance(frame, Batch):
                yield frame.calls

    def shifts(self) -> Iterator[Shifts]:
        """The shifts of a unit log, in the file's order. Raises ParserDied."""
        for frame in self._before_the_end():
            if isinstance(frame, Shifts):
                yield frame

    def finish(self) -> Ending:
        """Read on to the end, and what it says. Raises ParserDied."""
        if self.ending is None:
            for _ in self._before_the_end():
                pass
        if self.ending is None:
            raise ParserDied
        return self.ending


def parse_files(
    profile: Profile | UnitLog, people: Sequence[RosterPerson], paths: Sequence[Path], *, crewed_later: bool = False
) -> Iterator[Reading]:
    """Read `paths` in one child, in order; `crewed_later` as in `Request`.

    A file on which two children have died is refused; the rest goes on. A file on which a child has died once comes a
    second time, from its beginning. One that took longer than the child's time is not tried again.
    """
    begin, died = 0, -1
    while begin < len(paths):
        child = _Child(profile, people, paths[begin:], crewed_later)
        try:
            for reading in child.readings():
                yield reading
                if reading.ending is None:
                    with contextlib.suppress(ParserDied):
                        reading.finish()
                if reading.ending is None:
                    break
                begin += 1
        finally:
            slow = child.end()
        if begin < len(paths) and (slow or died == begin):
            reason = "reading it takes too long" if slow else "the parser stopped on it"
            yield _refused(paths[begin], reason)
            begin += 1
        died = begin


def _refused(path: Path, reason: str) -> Reading:
    name = printable(path.name)
    ending = Ending(1, 1, [RefusedRow(name, 0, "", reason)], unusable=True)
    return Reading(path, Opening(name, ""), iter([ending]))


class _Child:
    """One child and the pipes to it."""

    def __init__(
        self, profile: Profile | UnitLog, people: Sequence[RosterPerson], paths: Sequence[Path], crewed_later: bool
    ) -> None:
        self._paths = paths
        self._process = subprocess.Popen(
            CHILD, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        source, sink = self._process.stdout, self._process.stdin
        if source is None or sink is None:
            raise RuntimeError("the child has no pipes")
        self._source, self._sink = source, sink
        with contextlib.suppress(OSError):
            # Both sides work at once when a few batches fit between them.
            fcntl.fcntl(source, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        with contextlib.suppress(BrokenPipeError):
            calls, log = (None, profile) if isinstance(profile, UnitLog) else (profile, None)
            names = [os.fsencode(path) for path in paths]
            request = Request(list(people), names, calls, log, crewed_later)
            sink.write(msgspec.msgpack.encode(request))
            sink.close()

    def readings(self) -> Iterator[Reading]:
        """One per path that the child came to."""
        for path in self._paths:
            frame = _frame(self._source)
            if not isinstance(frame, Opening):
                return
            yield Reading(path, frame, self._rest())

    def _rest(self) -> Iterator[_Rows]:
        while (frame := _frame(self._source)) is not None and not isinstance(frame, Opening):
            yield frame
            if isinstance(frame, Ending):
                return

    def end(self) -> bool:
        """Wait until the child has ended, or end it; whether its time had run out."""
        self._source.close()
        with contextlib.suppress(OSError):
            self._sink.close()
        # A child that still writes gets SIGPIPE at its next batch, at the latest when its time for the file is up.
        self._process.wait()
        return self._process.returncode == -signal.SIGPROF


def _frame(source: IO[bytes]) -> Opening | _Rows | None:
    """The next frame, or None when the child has ended or said something else."""
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size or LENGTH.unpack(head)[0] > _FRAME_BYTES:
        return None
    length = LENGTH.unpack(head)[0]
    body = source.read(length)
    if len(body) < length:
        return None
    try:
        frame: Opening | _Rows = _frames.decode(body)
    except msgspec.DecodeError:
        return None
    return frame


def printable(name: str) -> str:
    """A file's name as it may stand in a receipt: no control characters, at most 120."""
    return "".join(character if character.isprintable() else "?" for character in name)[:120]


def path_problem(path: Path) -> str:
    """Why `path` is no file that may be read, or "". Looks at the name and the entry itself, never through a link."""
    if path.name.startswith(".") or any(not character.isprintable() or character in "\\" for character in path.name):
        return "a name with hidden or control characters"
    try:
        mode = path.lstat().st_mode
    except OSError:
        return "it cannot be read"
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    if not stat.S_ISREG(mode):
        return "not an ordinary file"
    return ""
