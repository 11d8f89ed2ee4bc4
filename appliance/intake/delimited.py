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

_SAFE_NAME = re.compile(r"[A-Za-z0-9_ ./#-]{1,40}")
NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,39}")
UNIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/#-]{0,19}")
csv.field_size_limit(4 * 1024 * 1024)


class Unusable(Exception):
    """The file as a whole cannot be read: line, column, reason."""

    def __init__(self, line: int, column: str, reason: str) -> None:
        super().__init__(reason)
        self.line, self.column, self.reason = line, column, reason


def safe(name: str) -> str:
    """A column's name as it may be shown: nothing that could be somebody's text."""
    return name if _SAFE_NAME.fullmatch(name) else "(unreadable name)"


def decode(raw: bytes, encoding: str) -> str:
    """The text of the file. Raises Unusable naming the line where the encoding breaks."""
    try:
        text = raw.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        guess = " (it looks like UTF-16)" if b"\0" in raw[:200] else ""
        raise Unusable(line, "", f"not {encoding}{guess}; set the encoding in the feed profile") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise Unusable(line, "", f"not {encoding}: it contains zero bytes; set the encoding in the feed profile")
    return text


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line where the record starts, cells). Lines end at LF alone, as editors count them: cells hold stray CRs."""
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    start = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise Unusable(start, "", "quotation marks do not close, or a line break stands outside of them") from None
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
    if len(set(names)) != len(names):
        raise Unusable(1, "", "two columns have the same name")
    return {name: index for index, name in enumerate(names)}


class _Row:
    """One record with its named cells; knows how to refuse itself without quoting a cell."""

    def __init__(self, line: int, cells: list[str], columns: dict[str, int], profile: Profile) -> None:
        self.line, self._cells, self._columns, self.profile = line, cells, columns, profile
        self.zone = ZoneInfo(profile.time_zone)

    def cell(self, name: str) -> str:
        return self._cells[self._columns[name]].strip() if name else ""

    def refuse(self, column: str, reason: str) -> RefusedRow:
        return RefusedRow(file="", line=self.line, column=column, reason=reason)

    def received(self) -> tuple[datetime, datetime]:
        """The naive wall day of the call, and its begin in UTC."""
        columns, profile = self.profile.columns, self.profile
        day = datetime.strptime(self.cell(columns.date), profile.date_format)  # noqa: DTZ007 - a wall day
        clock_time, days = times.wall_time(self.cell(columns.received), profile.time_format)
        return day, times.to_utc(datetime.combine(day.date(), clock_time) + timedelta(days=days), self.zone)

    def step(self, column: str, day: datetime, start: datetime) -> datetime | None:
        text = self.cell(column)
        if times.is_blank(text):
            return None
        clock_time, days = times.wall_time(text, self.profile.time_format)
        return times.after(start, datetime.combine(day.date(), clock_time) + timedelta(days=days), self.zone)


def _call(row: _Row, stamp: str) -> CallVersion | RefusedRow:
    columns, profile = row.profile.columns, row.profile
    number = row.cell(columns.number)
    if not NUMBER.fullmatch(number):
        return row.refuse(columns.number, "no call number, or not one of letters and digits")
    try:
        day, received = row.received()
    except ValueError:
        column = columns.received if _reads(row, columns.date, profile.date_format) else columns.date
        return row.refuse(column, f"impossible {'time' if column == columns.received else 'date'}")
    steps: dict[str, datetime | None] = {}
    for column in (columns.dispatched, columns.arrived, columns.cleared):
        try:
            steps[column] = row.step(column, day, received) if column else None
        except ValueError:
            return row.refuse(column, "impossible time")
    arrived, cleared = steps[columns.arrived], steps[columns.cleared]
    start = arrived or steps[columns.dispatched] or received
    units = []
    for unit in dict.fromkeys(part.strip() for part in row.cell(columns.units).split(profile.unit_separator)):
        if not unit:
            continue
        if not UNIT.fullmatch(unit):
            return row.refuse(columns.units, "a unit that is not a call sign")
        hears = profile.is_dispatch(unit)
        # A dispatcher is on the call from the first ring and never arrives.
        units.append(
            UnitOnCall(
                unit, received if hears else start, cleared, hears or arrived is not None, people=[], primary=False
            )
        )
    return CallVersion(
        line=row.line,
        number=number,
        stamp=stamp,
        received=received,
        type=row.cell(columns.type),
        primary_name=row.cell(columns.primary),
        canceled=False,
        units=units,
    )


def _reads(row: _Row, column: str, date_format: str) -> bool:
    try:
        datetime.strptime(row.cell(column), date_format)  # noqa: DTZ007 - only whether it reads
    except ValueError:
        return False
    return True


def parse(raw: bytes, profile: Profile, stamp: str) -> tuple[int, list[CallVersion], list[RefusedRow]]:
    """(rows, calls, refused). Raises Unusable when the header, the encoding or the quoting is wrong."""
    records = _records(decode(raw, profile.encoding), profile.delimiter)
    first = next(records, None)
    if first is None:
        return 0, [], []
    header = first[1]
    columns = _check_header(header, profile)
    rows = 0
    calls: list[CallVersion] = []
    refused: list[RefusedRow] = []
    for line, cells in records:
        rows += 1
        row = _Row(line, cells, columns, profile)
        if not any(cell.strip() for cell in cells):
            refused.append(row.refuse("", BLANK_ROW))
        elif [cell.strip() for cell in cells] == [name.strip() for name in header]:
            refused.append(row.refuse("", HEADER_AGAIN))
        elif len(cells) != len(header):
            refused.append(row.refuse("", f"{len(cells)} cells instead of {len(header)}"))
        else:
            call = _call(row, stamp)
            if isinstance(call, CallVersion):
                calls.append(call)
            else:
                refused.append(call)
    return rows, calls, refused
