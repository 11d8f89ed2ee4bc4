"""JSON lines and JSON arrays into rows, as streams.

Owns: the shape of JSON files. Runs only inside the parsing child, where ijson is loaded. A record's parts become cells
by their dotted names (see nested.py); numbers keep the digits of the file.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from appliance.intake.profile.feed_profile import Profile
from appliance.intake.read.formats import text
from appliance.intake.read.formats.nested import Layout, Part
from appliance.intake.read.formats.tables import DEPTH, TOO_DEEP, TOO_LONG, Metered, Oversized, Table, Unusable

_NOT_JSON = "not JSON"
_SET_ENCODING = 'JSON in a different encoding than the profile names; set encoding = "detect" or correct it'
_LOOK = 200


def open_lines(stream: BinaryIO, profile: Profile) -> Table:
    """One JSON object per line; blank lines are passed over. Raises Unusable."""
    return _table(stream, profile, _line_records)


def open_array(stream: BinaryIO, profile: Profile) -> Table:
    """The objects of one JSON array (at the profile's `record` path), or one object alone. Raises Unusable."""
    return _table(stream, profile, _array_records)


def _table(stream: BinaryIO, profile: Profile, records: Any) -> Table:
    encoding, why = text.choose(stream, profile.encoding)
    layout = Layout(profile, ".")
    stream_rows: Iterator[tuple[int, Any]] = _named_failures(records(stream, encoding, profile))
    if not profile.taken:
        first = list(itertools.islice(stream_rows, _LOOK))
        layout.look(part.path for line, record in first for part in parts_of(record, layout, line))
        stream_rows = itertools.chain(first, stream_rows)
    rows = (row for line, record in stream_rows for row in layout.rows(parts_of(record, layout, line), line))
    return Table(layout.header, rows, [why])


def _named_failures(records: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """The same records; what the libraries raise becomes Unusable at the line or record where it happened."""
    import ijson

    line = 0
    try:
        for line, record in records:
            if not isinstance(record, dict):
                raise Unusable(line, "", "a record that is not an object")
            yield line, record
    except Unusable as error:
        raise Unusable(error.line or line + 1, error.column, error.reason) from None
    except (msgspec.DecodeError, ijson.JSONError, ValueError) as error:
        wrong = isinstance(error, UnicodeError)
        raise Unusable(line + 1, "", _SET_ENCODING if wrong else _NOT_JSON) from None
    except RecursionError:
        raise Unusable(line + 1, "", TOO_DEEP) from None
    except Oversized:
        raise Unusable(line + 1, "", TOO_LONG) from None


def _text(metered: Metered, encoding: str) -> io.TextIOWrapper:
    try:
        return io.TextIOWrapper(io.BufferedReader(metered, 256 * 1024), encoding, newline="\n")
    except LookupError:
        raise Unusable(0, "", _SET_ENCODING) from None


def _line_records(stream: BinaryIO, encoding: str, _profile: Profile) -> Iterator[tuple[int, Any]]:
    metered = Metered(stream)
    # Numbers as they stand: an employee number 007.50 is no quantity.
    decoder = msgspec.json.Decoder(float_hook=str)
    for number, line in enumerate(_text(metered, encoding), 1):
        metered.whole()
        if not line.isspace():
            yield number, decoder.decode(line)


class _Utf8:
    """What ijson reads: bytes of UTF-8, whatever the file's encoding."""

    def __init__(self, source: io.TextIOWrapper) -> None:
        self._source = source

    def read(self, size: int) -> bytes:
        return self._source.read(size).encode()


def events(metered: Metered, encoding: str) -> Iterator[tuple[str, Any]]:
    """The file's JSON events, no deeper than DEPTH. Raises Unusable, Oversized, ijson.JSONError, UnicodeError."""
    import ijson

    depth = 0
    for event, value in ijson.basic_parse(_Utf8(_text(metered, encoding)), buf_size=64 * 1024):
        if event in ("start_map", "start_array"):
            depth += 1
            if depth > DEPTH:
                raise Unusable(0, "", TOO_DEEP)
        elif event in ("end_map", "end_array"):
            depth -= 1
        yield event, value


def _array_records(stream: BinaryIO, encoding: str, profile: Profile) -> Iterator[tuple[int, Any]]:
    import ijson

    metered = Metered(stream)
    wanted = profile.record.split(".") if profile.record else []
    # Where the walk stands: the key of each object around it, None for an array.
    path: list[str | None] = []
    builder: Any = None
    depth = number = 0
    seen = not wanted
    for event, value in events(metered, encoding):
        if builder is not None:
            builder.event(event, value)
            depth += {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}.get(event, 0)
            if depth == 0:
                metered.whole()
                number += 1
                yield number, builder.value
                builder = None
        elif event == "map_key":
            path[-1] = value
        elif event in ("end_map", "end_array"):
            path.pop()
        elif _at_record(path, wanted, event):
            builder, depth = ijson.ObjectBuilder(), event in ("start_map", "start_array")
            builder.event(event, value)
            if not depth:
                raise Unusable(number + 1, "", "a record that is not an object")
        elif event in ("start_map", "start_array"):
            seen = seen or (event == "start_array" and path == wanted)
            path.append("" if event == "start_map" else None)
        elif path == wanted:
            seen = seen or value is None
    # An empty list is a day without calls; a list that is not there is another layout.
    if not seen and number == 0:
        raise Unusable(0, "", "no list of records at the path that the profile names")


def _at_record(path: list[str | None], wanted: list[str], event: str) -> bool:
    """Whether what begins here is a record: an item of the wanted array, or a lone object at its place."""
    if path and path[-1] is None:
        return path[:-1] == wanted
    return event == "start_map" and path == wanted


def parts_of(record: Any, layout: Layout, line: int) -> list[Part]:
    """The values of one record by their dotted names. Raises Unusable when it nests too deeply."""
    parts: list[Part] = []
    turns = itertools.count(1)

    def walk(value: Any, path: str, turn: int, depth: int) -> None:
        if depth > DEPTH:
            raise Unusable(line, "", TOO_DEEP)
        if isinstance(value, dict):
            for key, inner in value.items():
                name = f"{path}.{key}" if path else key
                if name not in layout.profile.dropped:
                    walk(inner, name, turn, depth + 1)
        elif isinstance(value, list):
            for inner in value:
                of_unit = path == layout.repeated and isinstance(inner, dict)
                walk(inner, path, next(turns) if of_unit else turn, depth + 1)
        elif value is not None:
            parts.append(Part(path, _as_text(value), turn))
        else:
            # A key that is null still has to be one that the profile knows.
            layout.place(path, line)

    walk(record, "", 0, 0)
    return parts


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    # A lone surrogate (\\ud800) is no character, and could not be stored.
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
