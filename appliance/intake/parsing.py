"""Files are parsed in a short-lived child process that hands back named facts only.

Owns: that child and the pipe to it. The long-lived process never holds a row: narratives live and die in the child,
whose standard error is thrown away with it. Run as `python -m appliance.intake.parsing`, it reads a msgpack request
`{profile, paths}` from standard input and writes one msgpack `ParsedFile` per path.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import msgspec

from appliance.intake import mapping
from appliance.intake.opening import Source
from appliance.intake.profiles import Profile
from appliance.intake.readers import DOCUMENTS, Unusable, open_documents, open_table
from appliance.intake.records import CallVersion, ParsedFile
from appliance.spool.messages import RefusedRow

# A million calls with their narratives are some 250 MB.
MAX_BYTES = 512 * 1024 * 1024
# What the child may hold, its libraries included; beyond it dies, and the file that it died on is refused.
CHILD_BYTES = 3 * 1024**3
CHILD = [sys.executable, "-m", "appliance.intake.parsing"]
_LENGTH = struct.Struct(">Q")
_SPOILED = "not taken, because other rows of this file cannot be read"


class _Request(msgspec.Struct):
    # Paths as bytes: a dropped file's name need not be valid text.
    profile: Profile
    paths: list[bytes]


def parse_files(profile: Profile, paths: Sequence[Path]) -> Iterator[ParsedFile]:
    """Parse `paths` in one child, in order. A file on which two children have died is refused; the rest goes on."""
    begin, died = 0, -1
    while begin < len(paths):
        for parsed in _in_a_child(profile, paths[begin:]):
            begin += 1
            yield parsed
        if begin < len(paths) and died == begin:
            yield _refused_whole(printable(paths[begin].name), "", 0, "", "the parser stopped on it")
            begin += 1
        died = begin


def _in_a_child(profile: Profile, paths: Sequence[Path]) -> Iterator[ParsedFile]:
    """What one child makes of `paths`, until it ends or dies."""
    with subprocess.Popen(
        CHILD,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        if child.stdin is None or child.stdout is None:
            raise RuntimeError("the child has no pipes")
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(msgspec.msgpack.encode(_Request(profile, [os.fsencode(path) for path in paths])))
            child.stdin.close()
        for _ in paths:
            head = child.stdout.read(_LENGTH.size)
            body = child.stdout.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
            if not body or len(body) < _LENGTH.unpack(head)[0]:
                return
            yield msgspec.msgpack.decode(body, type=ParsedFile)


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


def version_stamp(path: Path, profile: Profile) -> str:
    """When this export was made: from its name by the profile's rule, else the file's own time; ISO, UTC."""
    found = re.search(profile.version_pattern, path.name) if profile.version_pattern else None
    if found:
        try:
            wall = datetime.strptime(found.group(1), profile.version_format)  # noqa: DTZ007 - a wall time
            return wall.replace(tzinfo=ZoneInfo(profile.time_zone)).astimezone(UTC).isoformat()
        except ValueError:
            pass
    return datetime.fromtimestamp(path.lstat().st_mtime, UTC).isoformat()


def _refused_whole(name: str, digest: str, line: int, column: str, reason: str) -> ParsedFile:
    # A file that cannot be read at all counts as one refused row, so that every row stays accounted for.
    return ParsedFile(name, digest, 1, [], [RefusedRow(name, line, column, reason)], unusable=True)


def parse_one(path: Path, profile: Profile) -> ParsedFile:
    """Parse one file (inside the child). Never raises for what a file may contain."""
    name, digest = printable(path.name), ""
    problem = path_problem(path)
    if problem:
        return _refused_whole(name, "", 0, "", problem)
    rows = 0
    calls: list[CallVersion] = []
    refused: list[RefusedRow] = []
    try:
        with Source(path) as source:
            if source.size > MAX_BYTES:
                raise Unusable(0, "", f"larger than {MAX_BYTES // 1024 // 1024} MB")
            digest = source.digest()
            for member, stream in source.members(profile.format):
                shown = f"{name}: {printable(member)}" if member else name
                found = _member(stream, profile, version_stamp(path, profile))
                rows += found[0]
                calls += found[1]
                refused += [msgspec.structs.replace(row, file=shown) for row in found[2]]
            source.check()
    except Unusable as error:
        return _refused_whole(name, digest, error.line, error.column, error.reason)
    if all(row.reason in mapping.HARMLESS for row in refused):
        return ParsedFile(name, digest, rows, calls, refused, unusable=False)
    # All rows or none: the readable rows are accounted for too, so that rows = taken + refused always holds.
    refused += [RefusedRow(name, call.line, "", _SPOILED) for call in calls]
    return ParsedFile(name, digest, rows, [], sorted(refused, key=lambda row: row.line), unusable=True)


def _member(stream: BinaryIO, profile: Profile, stamp: str) -> tuple[int, list[CallVersion], list[RefusedRow]]:
    """(rows, calls, refused) of one file or of one inside an archive. Raises Unusable."""
    if profile.format in DOCUMENTS:
        calls = list(open_documents(stream, profile))
        return len(calls), calls, []
    return mapping.calls_of(open_table(stream, profile), profile, stamp)


def _child(source: BinaryIO, sink: BinaryIO) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (CHILD_BYTES, CHILD_BYTES))
    request = msgspec.msgpack.decode(source.read(), type=_Request)
    for path in request.paths:
        body = msgspec.msgpack.encode(parse_one(Path(os.fsdecode(path)), request.profile))
        sink.write(_LENGTH.pack(len(body)) + body)
        sink.flush()


if __name__ == "__main__":
    _child(sys.stdin.buffer, sys.stdout.buffer)

__all__ = ["CallVersion", "ParsedFile", "parse_files", "parse_one", "path_problem", "printable", "version_stamp"]
