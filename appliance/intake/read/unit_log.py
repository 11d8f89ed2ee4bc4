"""Rows of a unit log into shifts: who was on which unit, from when until when.

Owns: what such a row says. Runs only inside the parsing child: the rows it is handed may hold anything, and die with
it. No reason that it gives may quote a cell; a person who is not on the roster does not leave the child by any name.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from operator import itemgetter
from zoneinfo import ZoneInfo

from appliance.intake.profile.feed_profile import UnitLog
from appliance.intake.read import mapping, times
from appliance.intake.read.formats import Table, positions
from appliance.intake.read.formats.cell_shapes import IMPOSSIBLE_TIME, PERSON, UNIT
from appliance.intake.read.mapping import Bad
from appliance.intake.records import LONGEST_SHIFT, Shift, seconds
from appliance.spool.messages import RefusedRow

_DAY = 86_400
TOO_LONG = f"a shift of more than {LONGEST_SHIFT // 3600} hours"
NO_UNIT = "no unit, or not one of letters and digits"
NO_PERSON = "not an employee number"
NO_TIME = "a shift that ends when it begins, or before"
# The shift goes on; the next log has its end.
STILL_ON = "no end yet"
HARMLESS = mapping.HARMLESS | {STILL_ON}


class _Reader:
    """Turns the named cells of a record into a shift; quotes no cell when it refuses one."""

    def __init__(self, log: UnitLog, header: list[str], people: frozenset[str]) -> None:
        self.log, self.columns, self.people = log, log.columns, people
        self.zone = ZoneInfo(log.time_zone)
        self.wall = times.WallClock(self.zone)
        self._whole = times.has_day(log.time_format)
        where, columns = positions(header, log.table()), log.columns
        names = (columns.unit, columns.person, columns.shield, columns.date, columns.start, columns.end)
        # A column that the log does not have reads as the blank cell that `shift` puts after the last.
        self._cells = itemgetter(*(where.get(name, len(header)) for name in names))

    def shift(self, line: int, cells: list[str]) -> Shift:
        """The shift of one record. Raises Bad."""
        unit, person, shield, date, start, end = map(mapping.cell_text, self._cells([*cells, ""]))
        if not UNIT.fullmatch(unit):
            raise Bad(self.columns.unit, NO_UNIT)
        began, ended = self._times(date, start, end)
        if ended <= began:
            raise Bad(self.columns.end, NO_TIME)
        if ended - began > LONGEST_SHIFT:
            raise Bad(self.columns.end, TOO_LONG)
        return Shift(line, unit, self._person(person, shield), began, ended)

    def _person(self, person: str, shield: str) -> str:
        for column, number in ((self.columns.person, person), (self.columns.shield, shield)):
            if number and not PERSON.fullmatch(number):
                raise Bad(column, NO_PERSON)
        return next((number for number in (person, shield) if number in self.people), "")

    def _times(self, date: str, start: str, end: str) -> tuple[int, int]:
        """Begin and end, in seconds since 1970. An end without a day is the first one after the begin."""
        columns, form, day = self.columns, self.log.time_format, None
        if columns.date:
            try:
                day = times.day_of(times.wall_day(date, self.log.date_format), self.zone)
            except ValueError:
                raise Bad(columns.date, "impossible date") from None
        column = columns.start
        try:
            began = self._began(day, start)
            column = columns.end
            if times.is_blank(end):
                raise Bad(column, STILL_ON)
            if self._whole:
                return began, _after(began, times.moment(end, form, self.zone), self.zone)
            span = times.passed(end, form)
            if day is None or span is None:
                raise ValueError
            ended = _after(began, seconds(times.to_utc(day.at(span), self.zone)), self.zone)
            return began, ended if ended > began else seconds(times.to_utc(day.at(_DAY + span), self.zone))
        except (ValueError, OverflowError):
            raise Bad(column, IMPOSSIBLE_TIME) from None

    def _began(self, day: times.Day | None, start: str) -> int:
        if self._whole:
            return times.moment(start, self.log.time_format, self.zone)
        span = times.passed(start, self.log.time_format)
        if day is None or span is None:
            raise ValueError
        return self.wall.settle(day, span)


def _after(began: int, ended: int, zone: ZoneInfo) -> int:
    """`ended`, or the second time that the clock shows it, if only that is after `began`."""
    if ended <= began:
        second = seconds(datetime.fromtimestamp(ended, zone).replace(fold=1))
        if second > began:
            return second
    return ended


def shifts_of(
    table: Table, log: UnitLog, people: frozenset[str], notes: mapping.Notes, file: str
) -> Iterator[Shift | RefusedRow]:
    """The records of a table, each as a shift or as a refused row of `file`. Raises as `mapping.calls_of` does."""
    if not table.header:
        return
    reader = _Reader(log, table.header, people)
    yield from mapping.records_of(table, reader.shift, reader.wall, notes, file)
