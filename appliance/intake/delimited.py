"""Delimited text (CSV and its relatives) into call versions.

Owns: rows and columns. Runs only inside the parsing child: the rows it holds contain narratives, and die with it.
No reason that it gives may quote a cell.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from appliance.intake import times
from appliance.intake.profiles import CONDUCT, Profile
from appliance.intake.records import CallVersion, UnitOnCall
from appliance.spool.messages import RefusedRow

HEADER_AGAIN = "header repeated"
BLANK_ROW = "blank row"
# Reasons that leave the rest of the file usable: such a row says nothing.
HARMLESS = frozenset({HEADER_AGAIN, BLANK_ROW})
# Stands for a unit or a type that is no code: it may be somebody's text in the wrong cell, so it is counted unquoted.
NO_CODE = "(not a code)"

_SAFE_NAME = re.compile(r"[A-Za-z0-9_ ./#-]{1,40}")
NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,39}")
UNIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/#-]{0,19}")
CODE = re.compile(r"[\w /&,.:;()#'+-]{0,40}")
_SET_ENCODING = "set the encoding in the feed profile"
csv.field_size_limit(4 * 1024 * 1024)


class Unusable(Exception):
    """The file as a whole cannot be read: line, column, reason."""

    def __init__(self, line: int, column: str, reason: str) -> None:
        super().__init__(reason)
        self.line, self.column, self.reason = line, column, reason


def safe(name: str) -> str:
    """A column's name as it may be shown: nothing that could be somebody's text."""
    return name if _SAFE_NAME.fullmatch(name) else "(unreadable name)"


def code(text: str) -> str:
    """A type or disposition as it may leave the child: the feed's code, or NO_CODE."""
    return text if CODE.fullmatch(text) else NO_CODE


def decode(raw: bytes, profile: Profile) -> str:
    """The text of the file. Raises Unusable naming line and column where the encoding breaks."""
    encoding = "utf-8-sig" if profile.encoding == "utf-8" else profile.encoding
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        if b"\0" in raw[:200]:
            raise Unusable(1, "", f"not {profile.encoding} (it looks like UTF-16); {_SET_ENCODING}") from None
        place = _where_it_ends(raw[: error.start].decode(encoding, errors="ignore"), profile)
        raise Unusable(*place, f"not {profile.encoding}; {_SET_ENCODING}") from None
    if "\0" in text:
        place = _where_it_ends(text[: text.index("\0")], profile)
        raise Unusable(*place, f"not {profile.encoding}: it contains zero bytes; {_SET_ENCODING}")
    return text


def _where_it_ends(text: str, profile: Profile) -> tuple[int, str]:
    """The line on which `text` breaks off, and the column, by its name where the header has been read."""
    line = text.count("\n") + 1
    try:
        # The mark makes the cell that was about to begin a cell of the last record.
        records = list(csv.reader(_lines(text + "?"), delimiter=profile.delimiter))
    except csv.Error:
        return line, ""
    return line, _column(records[0] if len(records) > 1 else [], len(records[-1]) - 1)


def _column(header: list[str], index: int) -> str:
    return safe(header[index].strip()) if index < len(header) else f"column {index + 1}"


def _records(text: str, profile: Profile) -> Iterator[tuple[int, list[str]]]:
    """(line where the record starts, cells). Lines end at LF alone, as editors count them: cells hold stray CRs."""
    reader = csv.reader(_lines(text), delimiter=profile.delimiter, strict=True)
    start = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # At the end of the text it is known which cell was open; before it, only the record is.
            column = _where_it_ends(text, profile)[1] if "end of data" in str(error) else ""
            reason = "quotation marks do not close, or a line break stands outside of them"
            raise Unusable(start, column, reason) from None
        yield start, cells
        start = reader.line_num + 1


def _lines(text: str) -> Iterator[str]:
    begin = 0
    while begin < len(text):
        end = text.find("\n", begin)
        end = len(text) if end < 0 else end + 1
        yield text[begin:end]
        begin = end


def _check_header(header: list[str], profile: Profile) -> dict[str, int]:
    names = [name.strip() for name in header]
    known = {*profile.taken, *profile.dropped}
    for name in names:
        if name in known:
            continue
        if CONDUCT.search(name):
            raise Unusable(
                1, safe(name), "a column about conduct; Wardwell takes none, drop it in the export or the profile"
            )
        raise Unusable(1, safe(name), "unknown column; name it in the feed profile, under columns or dropped")
    for name in profile.taken:
        if name not in names:
            raise Unusable(1, name, "this column is missing")
    for name in names:
        if names.count(name) > 1:
            raise Unusable(1, safe(name), "two columns have the same name")
    return {name: index for index, name in enumerate(names)}


class _Bad(Exception):
    """A row that cannot be read: column and reason."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.reason = column, reason


class _Reader:
    """Turns the named cells of a record into a call version; quotes no cell when it refuses one."""

    def __init__(self, profile: Profile, positions: dict[str, int], stamp: str) -> None:
        self.profile, self.columns, self.stamp = profile, profile.columns, stamp
        self.zone = ZoneInfo(profile.time_zone)
        self._positions = positions

    def call(self, line: int, cells: list[str]) -> CallVersion:
        """The call of one record. Raises _Bad."""
        columns = self.columns
        number = self._cell(cells, columns.number)
        if not NUMBER.fullmatch(number):
            raise _Bad(columns.number, "no call number, or not one of letters and digits")
        try:
            day = times.wall_day(self._cell(cells, columns.date), self.profile.date_format)
        except ValueError:
            raise _Bad(columns.date, "impossible date") from None
        received = times.to_utc(self._wall(cells, columns.received, day), self.zone)
        dispatched = self._step(cells, columns.dispatched, day, received)
        arrived = self._step(cells, columns.arrived, day, received)
        cleared = self._step(cells, columns.cleared, day, received)
        disposition = code(self._cell(cells, columns.disposition))
        return CallVersion(
            line=line,
            number=number,
            stamp=self.stamp,
            received=received,
            type=code(self._cell(cells, columns.type)),
            observed=code(self._cell(cells, columns.observed)),
            disposition=disposition,
            primary_name=self._cell(cells, columns.primary),
            canceled=arrived is None and disposition in self.profile.canceled,
            units=self._units(cells, received, dispatched, arrived, cleared),
        )

    def _cell(self, cells: list[str], column: str) -> str:
        return cells[self._positions[column]].strip() if column else ""

    def _wall(self, cells: list[str], column: str, day: datetime) -> datetime:
        try:
            clock_time, days = times.wall_time(self._cell(cells, column), self.profile.time_format)
        except ValueError:
            raise _Bad(column, "impossible time") from None
        return datetime.combine(day, clock_time) + timedelta(days=days)

    def _step(self, cells: list[str], column: str, day: datetime, received: datetime) -> datetime | None:
        if times.is_blank(self._cell(cells, column)):
            return None
        return times.after(received, self._wall(cells, column, day), self.zone)

    def _units(
        self,
        cells: list[str],
        received: datetime,
        dispatched: datetime | None,
        arrived: datetime | None,
        cleared: datetime | None,
    ) -> list[UnitOnCall]:
        named = [part.strip() for part in self._cell(cells, self.columns.units).split(self.profile.unit_separator)]
        start = arrived or dispatched or received
        units = []
        for unit in dict.fromkeys(unit if UNIT.fullmatch(unit) else NO_CODE for unit in named if unit):
            hears = self.profile.is_dispatch(unit)
            # A dispatcher is on the call from the first ring and never arrives.
            units.append(
                UnitOnCall(
                    unit=unit,
                    start=received if hears else start,
                    end=cleared,
                    arrived=hears or arrived is not None,
                    people=[],
                    primary=False,
                )
            )
        return units


def parse(raw: bytes, profile: Profile, stamp: str) -> tuple[int, list[CallVersion], list[RefusedRow]]:
    """(rows, calls, refused). Raises Unusable when the header, the encoding or the quoting is wrong."""
    records = _records(decode(raw, profile), profile)
    first = next(records, None)
    if first is None:
        return 0, [], []
    header = [name.strip() for name in first[1]]
    reader = _Reader(profile, _check_header(header, profile), stamp)
    rows = 0
    calls: list[CallVersion] = []
    refused: list[RefusedRow] = []
    for line, cells in records:
        rows += 1
        column = ""
        if not any(cells) or not any(cell.strip() for cell in cells):
            reason = BLANK_ROW
        elif cells[0].strip() == header[0] and [cell.strip() for cell in cells] == header:
            reason = HEADER_AGAIN
        elif len(cells) != len(header):
            column = _column(header, min(len(cells), len(header)))
            reason = f"{len(cells)} cells instead of {len(header)}"
        else:
            try:
                calls.append(reader.call(line, cells))
            except _Bad as bad:
                column, reason = bad.column, bad.reason
            else:
                continue
        refused.append(RefusedRow(file="", line=line, column=column, reason=reason))
    return rows, calls, refused
