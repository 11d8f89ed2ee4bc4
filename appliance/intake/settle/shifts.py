"""The unit log as it is kept: rows of many logs, the later of which correct the earlier.

Owns: which of them are in force, and which calls they speak of. A row is replaced when a later log says otherwise of
the same shift: when it has the same unit from the same begin, the same person on the same unit for some of the time, or
gives at least half of the row's time to the same unit or to the same person. So hand-overs that overlap replace
nothing, and what a log leaves out stays. Which row replaces which depends on the rows alone, never on the order in
which they arrived; so a replaced one is kept as long as others.
Must never keep: more about a shift than unit, person, begin and end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    bindparam,
    case,
    delete,
    literal,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session, aliased

from appliance.intake.models import Held, Part, UnitShift
from appliance.intake.records import LONGEST_SHIFT, Shift, Shifts
from appliance.storage import insert_rows

_DAY = 86_400
# Time looked at in one step: so a log of years needs no more memory than one of days.
_SPAN = 7 * _DAY
_GROUP = 500

# unit, start, end, person_id
_Key = tuple[str, int, int, str]


def seconds_of(column: Any) -> ColumnElement[int]:
    """A `UtcSeconds` column as the integer that it is stored as."""
    return type_coerce(column, BigInteger)


class Log:
    """One log as it is taken, in the caller's transaction. `rows` are different ones, `known` those that stood."""

    def __init__(self, session: Session) -> None:
        self.rows = self.known = self.replaced = self.strangers = 0
        self._session = session
        # By unit, from when until when something is otherwise than before.
        self._changed: dict[str, tuple[int, int]] = {}
        self._first, self._last = 0, 0

    def add(self, batch: Shifts) -> None:
        """Take some rows."""
        by_key: dict[_Key, Shift] = {
            (shift.unit, shift.start, shift.end, shift.person_id): shift for shift in batch.shifts
        }
        self.strangers += sum(not shift.person_id for shift in by_key.values())
        held = self._held(list(by_key))
        fresh = [key for key in by_key if key not in held]
        newer = [key for key in by_key if key in held and held[key][0] < batch.stamp]
        insert_rows(self._session, UnitShift, [(*key, batch.stamp, False) for key in fresh])
        self._set(newer, stamp=batch.stamp, replaced=False)
        self.rows, self.known = self.rows + len(by_key), self.known + len(held)
        for key in (*fresh, *(key for key in newer if held[key][1])):
            self._note(key)
        starts = [shift.start for shift in batch.shifts]
        self._first = min(starts) if not self._last else min(self._first, *starts)
        self._last = max(self._last, *(shift.end for shift in batch.shifts))

    def _held(self, keys: Sequence[_Key]) -> dict[_Key, tuple[str, bool]]:
        """Stamp and whether it is replaced, of the rows with `keys` that there are."""
        known: dict[_Key, tuple[str, bool]] = {}
        by_week: defaultdict[int, list[_Key]] = defaultdict(list)
        for key in keys:
            by_week[key[1] // _SPAN].append(key)
        table, start = UnitShift, seconds_of(UnitShift.start)
        query = select(table.unit, start, seconds_of(table.end), table.person_id, table.stamp, table.replaced)
        for week in by_week.values():
            wanted, units = set(week), sorted({key[0] for key in week})
            begins = [key[1] for key in week]
            within = query.where(start >= min(begins), start <= max(begins))
            for begin in range(0, len(units), _GROUP):
                for row in self._session.execute(within.where(table.unit.in_(units[begin : begin + _GROUP]))):
                    if (key := (row[0], row[1], row[2], row[3])) in wanted:
                        known[key] = (row[4], row[5])
        return known

    def _set(self, keys: Sequence[_Key], **values: object) -> None:
        if not keys:
            return
        table = UnitShift
        same = and_(
            table.unit == bindparam("a_unit"),
            seconds_of(table.start) == bindparam("a_start"),
            seconds_of(table.end) == bindparam("a_end"),
            table.person_id == bindparam("a_person"),
        )
        rows = [dict(zip(("a_unit", "a_start", "a_end", "a_person"), key, strict=True)) for key in keys]
        self._session.connection().execute(update(table).where(same).values(**values), rows)

    def _note(self, key: _Key) -> None:
        unit, start, end, _ = key
        known = self._changed.get(unit)
        self._changed[unit] = (start, end) if known is None else (min(known[0], start), max(known[1], end))

    def correct(self) -> None:
        """Mark the rows that are replaced by now; once, after the last row."""
        for begin in range(self._first - LONGEST_SHIFT, self._last, _SPAN) if self._last else ():
            old, new = aliased(UnitShift), aliased(UnitShift)
            start = seconds_of(old.start)
            query = select(old.unit, start, seconds_of(old.end), old.person_id).where(
                start >= begin,
                start < begin + _SPAN,
                old.replaced.is_(False),
                or_(
                    select(literal(1)).where(new.unit == old.unit, _says_otherwise(new, old, unit=True)).exists(),
                    select(literal(1))
                    .where(new.person_id == old.person_id, old.person_id != "", _says_otherwise(new, old, unit=False))
                    .exists(),
                ),
            )
            keys = [(row[0], row[1], row[2], row[3]) for row in self._session.execute(query)]
            self._set(keys, replaced=True)
            self.replaced += len(keys)
            for key in keys:
                self._note(key)

    def calls(self) -> Iterator[list[int]]:
        """The ids of calls at which units may be somebody else's by now; one may come more than once."""
        alike: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
        for unit, (first, last) in sorted(self._changed.items()):
            # Whole days, so that units can be asked for together; a call too many is looked at in vain.
            alike[first // _DAY, last // _DAY + 1].append(unit)
        start = seconds_of(Part.start)
        for (first_day, last_day), units in alike.items():
            for begin in range(first_day * _DAY, last_day * _DAY, _SPAN):
                ids = set[int]()
                query = select(Part.call_id).where(
                    start >= begin, start < min(begin + _SPAN, last_day * _DAY), Part.person_id == ""
                )
                for place in range(0, len(units), _GROUP):
                    ids.update(self._session.scalars(query.where(Part.unit.in_(units[place : place + _GROUP]))))
                if ids:
                    yield sorted(ids)


def _says_otherwise(new: Any, old: Any, *, unit: bool) -> ColumnElement[bool]:
    """Whether `new`, a row about the same unit or else the same person as `old`, is a later version of that shift."""
    old_start, old_end = seconds_of(old.start), seconds_of(old.end)
    new_start, new_end = seconds_of(new.start), seconds_of(new.end)
    common = case((new_end < old_end, new_end), else_=old_end) - case(
        (new_start > old_start, new_start), else_=old_start
    )
    half = 2 * common >= old_end - old_start
    # Nobody goes to the same unit twice at a time: less than half of the time will do.
    again = and_(new.person_id == old.person_id, new.person_id != "")
    same = or_(new_start == old_start, half, again) if unit else half
    # The first of these finds the rows by the index; they are no more than a few.
    near = and_(new_start < old_end, new_start > old_start - LONGEST_SHIFT)
    return and_(near, new_end > old_start, new.stamp > old.stamp, same)


def forget(session: Session, before: datetime) -> None:
    """Delete the shifts that began before that time, except those of people under a legal hold."""
    held = select(Held.person_id)
    session.execute(delete(UnitShift).where(UnitShift.start < before, UnitShift.person_id.not_in(held)))
