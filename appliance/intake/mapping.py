"""Rows of a table into call versions, by the columns that the feed profile names.

Owns: what a row says about a call. Runs only inside the parsing child: the rows it is handed contain narratives, and
die with it. No reason that it gives may quote a cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
        self._units_seen: dict[str, tuple[str, bool]] = {}

    def call(self, line: int, cells: list[str]) -> CallVersion:
        """The call of one record. Raises _Bad."""
        columns = self.columns
        number = self._cell(cells, columns.number)
        if not NUMBER.fullmatch(number):
            raise _Bad(columns.number, NO_NUMBER)
        day = self._day(cells)
        received = self._received(cells, day)
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
            # A row per unit or per status change says nothing about the call's other units.
            adds=self.profile.row != "call",
        )

    def _cell(self, cells: list[str], column: str) -> str:
        return cells[self._positions[column]].strip() if column else ""

    def _day(self, cells: list[str]) -> datetime | None:
        """The call's wall day; None when the feed's times are full ones."""
        column = self.columns.date
        try:
            return times.wall_day(self._cell(cells, column), self.profile.date_format) if column else None
        except ValueError:
            raise _Bad(column, "impossible date") from None

    def _received(self, cells: list[str], day: datetime | None) -> datetime:
        column = self.columns.received
        return self._full(cells, column) if day is None else times.to_utc(self._wall(cells, column, day), self.zone)

    def _full(self, cells: list[str], column: str) -> datetime:
        try:
            return times.moment(self._cell(cells, column), self.profile.time_format, self.zone)
        except ValueError:
            raise _Bad(column, "impossible time") from None

    def _wall(self, cells: list[str], column: str, day: datetime) -> datetime:
        try:
            clock_time, days = times.wall_time(self._cell(cells, column), self.profile.time_format)
        except ValueError:
            raise _Bad(column, "impossible time") from None
        return datetime.combine(day, clock_time) + timedelta(days=days)

    def _step(self, cells: list[str], column: str, day: datetime | None, received: datetime) -> datetime | None:
        if times.is_blank(self._cell(cells, column)):
            return None
        if day is None:
            return self._full(cells, column)
        return times.after(received, self._wall(cells, column, day), self.zone)

    def _units(
        self,
        cells: list[str],
        received: datetime,
        dispatched: datetime | None,
        arrived: datetime | None,
        cleared: datetime | None,
    ) -> list[UnitOnCall]:
        start = arrived or dispatched or received
        units = []
        for unit, hears in self._named(self._cell(cells, self.columns.units)):
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


def calls_of(table: Table, profile: Profile, stamp: str) -> Iterator[CallVersion | RefusedRow]:
    """The records of a table, each as a call version or as a refused row.

    Raises Unusable when its columns are not the profile's, or it breaks off. A row is blank, the header again, of
    another length than the header, unreadable, or a call.
    """
    if not table.header:
        return
    reader = _Reader(profile, positions(table.header, profile), stamp)
    again = [name.strip() for name in table.header]
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
                yield reader.call(line, cells)
            except _Bad as bad:
                column, reason = bad.column, bad.reason
            else:
                continue
        yield RefusedRow(file="", line=line, column=column, reason=reason)
