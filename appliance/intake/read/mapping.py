"""Rows of a table into call versions, by the columns that the feed profile names.

Owns: what a row says about a call. Runs only inside the parsing child: the rows it is handed contain narratives, and
die with it. No reason that it gives may quote a cell.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter
from typing import TypeVar
from zoneinfo import ZoneInfo

from appliance.intake.profile.feed_profile import Profile, normal
from appliance.intake.read import times
from appliance.intake.read.formats import Table, positions
from appliance.intake.read.formats.cell_shapes import NO_NUMBER, NUMBER, UNIT, code, step_of
from appliance.intake.read.formats.tables import safe
from appliance.intake.read.packing import Packing
from appliance.intake.records import NO_CODE, CallVersion, UnitOnCall
from appliance.spool.messages import RefusedRow

HEADER_AGAIN = "header repeated"
BLANK_ROW = "blank row"
# Reasons that leave the rest of the file usable: such a row says nothing.
HARMLESS = frozenset({HEADER_AGAIN, BLANK_ROW})
# Cells remembered per file, so that a file of all different ones stays small.
_REMEMBERED = 10_000
# Every second of a day may be written.
_REMEMBERED_TIMES = 100_000
_ONE_DAY = 86_400
_NOBODY: list[str] = []
# What feeds write where they have nothing to say.
_NOTHING = frozenset(
    ["NULL", "Null", "null", "(null)", "(NULL)", "\\N", "nan", "NaN", "NA", "N/A", "n/a", "None", "NONE", "-", "--"]
)
# Moments, in seconds since 1970, by unit; "" is the call's own.
_Steps = Mapping[str, int | None]
_NO_STEPS: _Steps = {}
_IN_SHAPE = ("", "")

T = TypeVar("T")


class Bad(Exception):
    """A row that cannot be read: column and reason."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.reason = column, reason


def cell_text(cell: str) -> str:
    """A cell without padding, HTML entities and the words that feeds write for nothing."""
    text = cell.strip()
    if text in _NOTHING:
        return ""
    return html.unescape(text).strip() if "&" in text else text


class Notes:
    """What reading a file brought to light: times that could not be settled, and how it was read."""

    def __init__(self) -> None:
        self.flagged = 0
        self.chosen: list[str] = []


class _Remembered(dict[str, T]):
    """What `read` makes of a cell, by the cell: a feed repeats itself. Holds at most `most`; raises as `read` does."""

    def __init__(self, read: Callable[[str], T], most: int = _REMEMBERED) -> None:
        super().__init__()
        self._read, self._most = read, most

    def __missing__(self, cell: str) -> T:
        if len(self) >= self._most:
            self.clear()
        value = self[cell] = self._read(cell)
        return value


class _Reader:
    """Turns the named cells of a record into a call version; quotes no cell when it refuses one."""

    def __init__(self, profile: Profile, header: list[str], stamp: str) -> None:
        self.profile, self.columns, self.stamp = profile, profile.columns, stamp
        self.zone = ZoneInfo(profile.time_zone)
        self.wall = times.WallClock(self.zone)
        self.step_format = profile.step_format or profile.time_format
        self.packing = None if profile.unit_times == "none" else Packing(profile.unit_times, profile.unit_separator)
        self._whole_times, self._whole_steps = times.has_day(profile.time_format), times.has_day(self.step_format)
        where = positions(header, profile)
        columns = self.columns
        names = (
            columns.number,
            columns.date,
            columns.received,
            columns.dispatched,
            columns.arrived,
            columns.cleared,
            columns.type,
            columns.observed,
        )
        # A column that the feed does not have reads as the blank cell that `call` puts after the last.
        places = [
            where.get(name, len(header)) for name in (*names, columns.disposition, columns.primary, columns.units)
        ]
        self._cells, self._whole_row = itemgetter(*places), len(header) not in places
        self._units = _Remembered(self._unit)
        self._codes = _Remembered(lambda cell: code(cell_text(cell)))
        self._days = _Remembered(self._day)
        self._spans = self._spans_of(profile.time_format)
        self._step_spans = self._spans_of(self.step_format)
        self._begins = (columns.received, columns.dispatched, columns.arrived, columns.cleared)
        self._adds = profile.row != "call"
        self._status = itemgetter(where.get(columns.status, len(header)), where.get(columns.status_time, len(header)))
        self._statuses = {normal(status): step for status, step in profile.statuses.items()}
        self._began: dict[str, int] = {}
        # A feed that never says who arrived: whoever was sent was there, unless the call came to nothing.
        self._all_there = not (columns.arrived or columns.status) and not (
            self.packing and profile.unit_times_are == "arrived"
        )

    def call(self, line: int, cells: list[str]) -> CallVersion:
        """The call of one record. Raises Bad."""
        number, date, received, dispatched, arrived, cleared, kind, observed, disposition, primary, units = self._cells(
            cells if self._whole_row else [*cells, ""]
        )
        if self.columns.status:
            dispatched, arrived, cleared = self._changed(cells)
        number = cell_text(number).removeprefix("#").lstrip()
        if not NUMBER.fullmatch(number):
            raise Bad(self.columns.number, NO_NUMBER)
        day = self._days[date] if self.columns.date else None
        began = self._received((received, dispatched, arrived, cleared), units, day)
        if self.columns.status:
            began = self._first(number, began)
        today = self._today(began, day)
        closing = self._codes[disposition]
        there = self._all_there and closing not in self.profile.canceled
        if self.packing:
            on_call, there = self._with_times(self.packing, there, units, began, today, dispatched, arrived, cleared)
        else:
            sent = self._step(dispatched, self.columns.dispatched, began, today)
            came = self._step(arrived, self.columns.arrived, began, today)
            gone = self._step(cleared, self.columns.cleared, began, today)
            there = there or came is not None
            start = came or sent or began
            on_call = [
                # A dispatcher is on the call from the first ring and never arrives.
                UnitOnCall(unit, began if hears else start, gone, hears or there, _NOBODY, False)
                for unit, hears in self._named(cell_text(units))
            ]
        return CallVersion(
            line,
            number,
            self.stamp,
            began,
            self._codes[kind],
            self._codes[observed],
            closing,
            cell_text(primary) if primary else "",
            closing in self.profile.canceled and not there,
            on_call,
            # A row per unit or per status change says nothing about the call's other units.
            self._adds,
        )

    def _changed(self, cells: list[str]) -> tuple[str, str, str]:
        """A status change as the cells of dispatch, arrival and clearing, of which it fills one at most."""
        status, at = self._status([*cells, ""])
        text = cell_text(status)
        step = self._statuses.get(normal(text)) or step_of(text)
        return tuple(at if step == name else "" for name in ("dispatched", "arrived", "cleared"))  # type: ignore[return-value]

    def _first(self, number: str, began: int) -> int:
        """When a call began of which each row tells a moment: the first of them in this file."""
        if len(self._began) > _REMEMBERED_TIMES:
            self._began.clear()
        earliest = self._began[number] = min(began, self._began.get(number, began))
        return earliest

    @staticmethod
    def _spans_of(form: str) -> _Remembered[int | None]:
        """How many seconds after midnight the time of day in a cell is; None for a blank. Raises ValueError."""
        return _Remembered(lambda cell: times.passed(cell_text(cell), form), _REMEMBERED_TIMES)

    def _day(self, cell: str) -> times.Day:
        """The call's wall day."""
        try:
            return times.day_of(times.wall_day(cell_text(cell), self.profile.date_format), self.zone)
        except ValueError:
            raise Bad(self.columns.date, "impossible date") from None

    def _received(self, steps: tuple[str, str, str, str], units: str, day: times.Day | None) -> int:
        """When the call began. A call whose begin was not written down began with the first step that was."""
        spans, form, whole = self._spans, self.profile.time_format, self._whole_times
        for column, cell in zip(self._begins, steps, strict=True):
            try:
                if self.packing and cell is not steps[0] and self.packing.names_units(cell):
                    # Those times are of units; the call's own begin never stands there.
                    pass
                elif whole:
                    text = cell_text(cell)
                    if not times.is_blank(text):
                        return self.wall.settle_moment(text, form)
                else:
                    span = spans[cell]
                    if span is not None and day is not None:
                        return self.wall.settle(day, span)
            except (ValueError, OverflowError):
                raise Bad(column, "impossible time") from None
            spans, form, whole = self._step_spans, self.step_format, self._whole_steps
        if self.packing and (day is not None or self._whole_steps):
            return self._first_unit(self.packing, day, *steps[1:], units)
        raise Bad(self.columns.received, "impossible time")

    def _today(self, began: int, day: times.Day | None) -> times.Day | None:
        """The wall day on which the call began; None when every step says its own."""
        if self._whole_steps:
            return None
        if day is not None and day.even is not None and began - day.even < _ONE_DAY:
            return day
        try:
            return times.local_day(began, self.zone)
        except OverflowError:
            raise Bad(self.columns.received, "impossible time") from None

    def _first_unit(
        self, packing: Packing, day: times.Day | None, dispatched: str, arrived: str, cleared: str, units: str
    ) -> int:
        """The begin of a call of which only the units' times were written down."""
        columns = self.columns
        own = (columns.dispatched, dispatched), (columns.units, units), (columns.arrived, arrived)
        for column, cell in (*own, (columns.cleared, cleared)):
            for _, moment in packing.parts(cell_text(cell)):
                try:
                    if self._whole_steps and not times.is_blank(moment):
                        return self.wall.settle_moment(moment, self.step_format)
                    span = None if day is None else times.passed(moment, self.step_format)
                    if day is not None and span is not None:
                        return self.wall.settle(day, span)
                except (ValueError, OverflowError):
                    raise Bad(column, "impossible time") from None
        raise Bad(columns.received, "impossible time")

    def _step(self, cell: str, column: str, began: int, today: times.Day | None) -> int | None:
        """A later moment of the call; a time without a day is of the call's day, or of the night after it."""
        if not cell:
            return None
        try:
            if today is None:
                text = cell_text(cell)
                return None if times.is_blank(text) else times.moment(text, self.step_format, self.zone, began)
            span = self._step_spans[cell]
            return None if span is None else times.step(began, today, span, self.zone)
        except (ValueError, OverflowError):
            raise Bad(column, "impossible time") from None

    # --- units that carry times ---------------------------------------------------------------------------------------

    def _steps(self, packing: Packing, cell: str, column: str, began: int, today: times.Day | None) -> _Steps:
        """The moment of the call (under "") and of each unit that a packed cell names: None for one without a time."""
        text = cell_text(cell)
        if not packing.names_units(text):
            found = self._step(text, column, began, today)
            return _NO_STEPS if found is None else {"": found}
        steps: dict[str, int | None] = {}
        for unit, moment in packing.parts(text):
            steps[unit if UNIT.fullmatch(unit) else NO_CODE] = self._step(moment, column, began, today)
        return steps

    def _with_times(
        self, packing: Packing, all_there: bool, cell: str, began: int, today: times.Day | None, *steps: str
    ) -> tuple[list[UnitOnCall], bool]:
        """The units of a call, and whether anybody was there: by the cells of dispatch, arrival and clearing."""
        columns, hearing = self.columns, []
        named = zip(steps, (columns.dispatched, columns.arrived, columns.cleared), strict=True)
        dispatched, arrived, cleared = (self._steps(packing, name, column, began, today) for name, column in named)
        there = all_there or bool(arrived.get(""))
        text = cell_text(cell)
        if packing.names_units(text):
            own = self._steps(packing, text, columns.units, began, today)
            hearing = [self._units[unit] for unit in own]
            if self.profile.unit_times_are == "arrived":
                arrived = {**arrived, **own}
            else:
                dispatched = {**dispatched, **own}
        else:
            hearing = list(self._named(text))
        # Where units carry their own times, the call's are those of the first of them.
        more = (unit for steps in (dispatched, arrived, cleared) for unit in steps if unit)
        alone = any(arrived)
        units = []
        for unit, hears in dict.fromkeys([*hearing, *(self._units[unit] for unit in more)]):
            came = arrived.get(unit) or (None if alone else arrived.get(""))
            # A dispatcher is on the call from the first ring and never arrives.
            start = began if hears else came or dispatched.get(unit) or dispatched.get("") or began
            end = cleared.get(unit) or cleared.get("")
            units.append(UnitOnCall(unit, start, end, hears or all_there or came is not None, _NOBODY, False))
            there = there or (came is not None and not hears)
        return units, there

    def _named(self, cell: str) -> Iterable[tuple[str, bool]]:
        """The units of a cell, each once and with whether it hears the call instead of going to it."""
        versions = {}
        for part in cell.split(self.profile.unit_separator):
            unit = self._units[part]
            if unit[0]:
                versions[unit[0]] = unit
        return versions.values()

    def _unit(self, part: str) -> tuple[str, bool]:
        """The name of a unit, and whether it hears the call instead of going to it."""
        name = part.strip()
        if name and not UNIT.fullmatch(name):
            name = NO_CODE
        return name, self.profile.is_dispatch(name)


def calls_of(
    table: Table, profile: Profile, stamp: str, notes: Notes, file: str = ""
) -> Iterator[CallVersion | RefusedRow]:
    """The records of a table, each as a call version or as a refused row of `file`.

    Raises Unusable when its columns are not the profile's, or it breaks off. A row is blank, the header again, of
    another length than the header, unreadable, or a call.
    """
    if not table.header:
        return
    reader = _Reader(profile, table.header, stamp)
    yield from records_of(table, reader.call, reader.wall, notes, file)


def records_of(
    table: Table, read: Callable[[int, list[str]], T], wall: times.WallClock, notes: Notes, file: str
) -> Iterator[T | RefusedRow]:
    """What `read` makes of each row of a table with a header, or the row refused: misshapen, or `read` raised Bad.

    At the end the times that `wall` could not settle are noted.
    """
    again = [name.strip() for name in table.header]
    odd, width = ("", again[0]), len(again)
    notes.chosen += table.chosen
    try:
        for line, cells in table.rows:
            if len(cells) == width and cells[0].strip() not in odd:
                # Nearly every row: asking further would cost as much as reading some of its cells.
                column, reason = _IN_SHAPE
            else:
                column, reason = _misshapen(table.header, again, cells)
            if not reason:
                try:
                    yield read(line, cells)
                    continue
                except Bad as bad:
                    column, reason = bad.column, bad.reason
            yield RefusedRow(file=file, line=line, column=column, reason=reason)
    finally:
        notes.flagged += wall.flagged


def _misshapen(header: list[str], again: list[str], cells: list[str]) -> tuple[str, str]:
    """(column, reason) of a record that is no row of the table with this header; ("", "") of one that is.

    `again` is the header as it is repeated: without the blanks around its names.
    """
    first = cells[0].strip() if cells else ""
    if not first and not any(cell.strip() for cell in cells):
        return "", BLANK_ROW
    if first == again[0] and [cell.strip() for cell in cells] == again:
        return "", HEADER_AGAIN
    if len(cells) != len(header):
        place = min(len(cells), len(header))
        column = safe(header[place]) if place < len(header) else f"column {place + 1}"
        return column, f"{len(cells)} cells instead of {len(header)}"
    return _IN_SHAPE
