"""Rows of a table into call versions, by the columns that the feed profile names.

Owns: what a row says about a call. Runs only inside the parsing child: the rows it is handed contain narratives, and
die with it. No reason that it gives may quote a cell.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from appliance.intake import times
from appliance.intake.profiles import Profile
from appliance.intake.readers import Table, positions
from appliance.intake.readers.facts import NO_CODE, NO_NUMBER, NUMBER, UNIT, code
from appliance.intake.readers.tables import safe
from appliance.intake.records import CallVersion, UnitOnCall
from appliance.spool.messages import RefusedRow

HEADER_AGAIN = "header repeated"
BLANK_ROW = "blank row"
# Reasons that leave the rest of the file usable: such a row says nothing.
HARMLESS = frozenset({HEADER_AGAIN, BLANK_ROW})
# Cells remembered per file, so that a file of all different ones stays small.
_REMEMBERED = 10_000
# What feeds write where they have nothing to say.
_NOTHING = frozenset({"NULL", "null", "(null)", "\\N", "nan", "NaN"})
_PACKED = re.compile(r"[,;|\n]")
# Moments by unit; "" is the call's own.
_Steps = Mapping[str, datetime | None]
_NO_STEPS: _Steps = {}


class _Bad(Exception):
    """A row that cannot be read: column and reason."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.reason = column, reason


def cell_text(cell: str) -> str:
    """A cell without padding, HTML entities and the words that feeds write for nothing."""
    found = cell.strip()
    if found in _NOTHING:
        return ""
    return html.unescape(found).strip() if "&" in found else found


class Notes:
    """What reading a file brought to light: times that could not be settled, and how it was read."""

    def __init__(self) -> None:
        self.flagged = 0
        self.chosen: list[str] = []


class _Reader:
    """Turns the named cells of a record into a call version; quotes no cell when it refuses one."""

    def __init__(self, profile: Profile, positions: dict[str, int], stamp: str) -> None:
        self.profile, self.columns, self.stamp = profile, profile.columns, stamp
        self.zone = ZoneInfo(profile.time_zone)
        self.wall = times.WallClock(self.zone)
        self.step_format = profile.step_format or profile.time_format
        self.packed = profile.unit_times == "equals"
        self._positions = positions
        self._units_seen: dict[str, tuple[str, bool]] = {}

    def call(self, line: int, cells: list[str]) -> CallVersion:
        """The call of one record. Raises _Bad."""
        columns = self.columns
        number = self._cell(cells, columns.number)
        if not NUMBER.fullmatch(number):
            raise _Bad(columns.number, NO_NUMBER)
        day = self._day(cells)
        received = self._received(cells, day)
        dispatched = self._steps(cells, columns.dispatched, received)
        arrived = self._steps(cells, columns.arrived, received)
        cleared = self._steps(cells, columns.cleared, received)
        disposition = code(self._cell(cells, columns.disposition))
        units = self._units(cells, received, dispatched, arrived, cleared)
        return CallVersion(
            line=line,
            number=number,
            stamp=self.stamp,
            received=received,
            type=code(self._cell(cells, columns.type)),
            observed=code(self._cell(cells, columns.observed)),
            disposition=disposition,
            primary_name=self._cell(cells, columns.primary),
            canceled=disposition in self.profile.canceled and not self._anyone_there(arrived, units),
            units=units,
            # A row per unit or per status change says nothing about the call's other units.
            adds=self.profile.row != "call",
        )

    def _anyone_there(self, arrived: _Steps, units: list[UnitOnCall]) -> bool:
        return bool(arrived.get("")) or any(one.arrived and not self.profile.is_dispatch(one.unit) for one in units)

    def _cell(self, cells: list[str], column: str) -> str:
        if not column:
            return ""
        return cell_text(cells[self._positions[column]])

    def _day(self, cells: list[str]) -> datetime | None:
        """The call's wall day; None when the feed's times are full ones."""
        column = self.columns.date
        try:
            return times.wall_day(self._cell(cells, column), self.profile.date_format) if column else None
        except ValueError:
            raise _Bad(column, "impossible date") from None

    def _received(self, cells: list[str], day: datetime | None) -> datetime:
        """When the call began. A call whose begin was not written down began with the first step that was."""
        columns, form = self.columns, self.profile.time_format
        for column in (columns.received, columns.dispatched, columns.arrived, columns.cleared):
            text = self._cell(cells, column)
            if not times.is_blank(text) and not (self.packed and "=" in text):
                try:
                    if times.has_day(form):
                        return times.moment(text, form, self.zone)
                    if day is not None:
                        return self.wall.settle(self._wall(text, form, day))
                except (ValueError, OverflowError):
                    raise _Bad(column, "impossible time") from None
            form = self.step_format
        if self.packed and day is not None:
            return self._first_unit(cells, day)
        raise _Bad(columns.received, "impossible time")

    def _first_unit(self, cells: list[str], day: datetime) -> datetime:
        """The begin of a call of which only the units' times were written down."""
        for column in (self.columns.dispatched, self.columns.units, self.columns.arrived, self.columns.cleared):
            for part in _PACKED.split(self._cell(cells, column)):
                text = part.partition("=")[2].strip()
                if not times.is_blank(text):
                    try:
                        return self.wall.settle(self._wall(text, self.step_format, day))
                    except (ValueError, OverflowError):
                        raise _Bad(column, "impossible time") from None
        raise _Bad(self.columns.received, "impossible time")

    @staticmethod
    def _wall(text: str, form: str, day: datetime) -> datetime:
        clock_time, days = times.wall_time(text, form)
        return datetime.combine(day, clock_time) + timedelta(days=days)

    def _step(self, text: str, column: str, received: datetime) -> datetime | None:
        """A later moment of the call; a time without a day is of the call's day, or of the night after it."""
        if times.is_blank(text):
            return None
        try:
            if times.has_day(self.step_format):
                return times.moment(text, self.step_format, self.zone)
            day = received.astimezone(self.zone).replace(tzinfo=None)
            return times.after(received, self._wall(text, self.step_format, day), self.zone)
        except (ValueError, OverflowError):
            raise _Bad(column, "impossible time") from None

    def _steps(self, cells: list[str], column: str, received: datetime) -> _Steps:
        """The moment of the call (under "") and of each unit that a packed cell names."""
        text = self._cell(cells, column)
        if self.packed and "=" in text:
            return self._packed(text, column, received)
        found = self._step(text, column, received)
        return _NO_STEPS if found is None else {"": found}

    def _packed(self, text: str, column: str, received: datetime) -> _Steps:
        """`WAVE1=06:51:33, M5=07:05:17`: None for a unit without a time."""
        steps: dict[str, datetime | None] = {}
        for part in _PACKED.split(text):
            unit, _, moment = part.partition("=")
            if unit.strip():
                name = unit.strip()
                steps[name if UNIT.fullmatch(name) else NO_CODE] = self._step(moment.strip(), column, received)
        return steps

    def _units(
        self, cells: list[str], received: datetime, dispatched: _Steps, arrived: _Steps, cleared: _Steps
    ) -> list[UnitOnCall]:
        hearing: Iterable[tuple[str, bool]]
        text = self._cell(cells, self.columns.units)
        if self.packed and "=" in text:
            own = self._packed(text, self.columns.units, received)
            hearing = [self._unit(unit) for unit in own]
            if self.profile.unit_times_are == "arrived":
                arrived = {**arrived, **own}
            else:
                dispatched = {**dispatched, **own}
        else:
            hearing = self._named(text)
        # Where units carry their own times, the call's are those of the first of them.
        alone = False
        if self.packed:
            more = (unit for steps in (dispatched, arrived, cleared) for unit in steps if unit)
            hearing = dict.fromkeys([*hearing, *map(self._unit, more)])
            alone = any(arrived)
        units = []
        for unit, hears in hearing:
            there = arrived.get(unit) or (None if alone else arrived.get(""))
            # A dispatcher is on the call from the first ring and never arrives.
            units.append(
                UnitOnCall(
                    unit=unit,
                    start=received if hears else there or dispatched.get(unit) or dispatched.get("") or received,
                    end=cleared.get(unit) or cleared.get(""),
                    arrived=hears or there is not None,
                    people=[],
                    primary=False,
                )
            )
        return units

    def _named(self, cell: str) -> Iterable[tuple[str, bool]]:
        """The units of a cell, each once and with whether it hears the call instead of going to it."""
        found = {}
        for part in cell.split(self.profile.unit_separator):
            unit = self._units_seen.get(part)
            if unit is None:
                unit = self._unit(part)
            if unit[0]:
                found[unit[0]] = unit
        return found.values()

    def _unit(self, part: str) -> tuple[str, bool]:
        name = part.strip()
        if name and not UNIT.fullmatch(name):
            name = NO_CODE
        if len(self._units_seen) > _REMEMBERED:
            self._units_seen.clear()
        found = self._units_seen[part] = (name, self.profile.is_dispatch(name))
        return found


def calls_of(table: Table, profile: Profile, stamp: str, notes: Notes) -> Iterator[CallVersion | RefusedRow]:
    """The records of a table, each as a call version or as a refused row.

    Raises Unusable when its columns are not the profile's, or it breaks off. A row is blank, the header again, of
    another length than the header, unreadable, or a call.
    """
    if not table.header:
        return
    reader = _Reader(profile, positions(table.header, profile), stamp)
    again = [name.strip() for name in table.header]
    notes.chosen += table.chosen
    flagged = notes.flagged
    for line, cells in table.rows:
        column = ""
        if not any(cells) or not any(cell.strip() for cell in cells):
            reason = BLANK_ROW
        elif cells[0].strip() == again[0] and [cell.strip() for cell in cells] == again:
            reason = HEADER_AGAIN
        elif len(cells) != len(table.header):
            place = min(len(cells), len(table.header))
            column = safe(table.header[place]) if place < len(table.header) else f"column {place + 1}"
            reason = f"{len(cells)} cells instead of {len(table.header)}"
        else:
            try:
                call = reader.call(line, cells)
                notes.flagged = flagged + reader.wall.flagged
                yield call
            except _Bad as bad:
                column, reason = bad.column, bad.reason
            else:
                continue
        yield RefusedRow(file="", line=line, column=column, reason=reason)
