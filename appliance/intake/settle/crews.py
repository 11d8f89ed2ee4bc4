"""Whose a unit was at a time: the feed's own crew list, else the unit log, else the roster's call signs.

Owns: that order, the units at calls that wait for the unit log (`Part`), and the look-up in it. Where no unit log is
set up nothing of this is stored, and the parsing child matches alone. Must never keep: more about a shift than unit,
person, begin and end.

The crew of a unit is the one that it had when its part in the call began: who takes over at the minute comes with it,
and who goes off while the call lasts stays until the unit clears.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, delete, select, type_coerce
from sqlalchemy.orm import Session

from appliance.intake import models
from appliance.intake.deliver.contributions import state
from appliance.intake.models import UnitShift
from appliance.intake.read.matching import RANK
from appliance.intake.records import LONGEST_SHIFT, Part, Person
from appliance.storage import insert_rows, rows_among

_DAY = 86_400
# Units per query: databases bound their number.
_GROUP = 500

Moment = tuple[str, int]


class Manned(NamedTuple):
    """Who was at a call, ordered by person, and the units that nobody could be matched to."""

    people: list[Person]
    unmatched: list[str]


def keep(session: Session) -> None:
    """From now on remember which units were at calls: a unit log is set up."""
    state(session, "unit_log", "1").value = "1"


def kept(session: Session) -> bool:
    """Whether a unit log is set up."""
    row = session.get(models.State, "unit_log")
    return row is not None and row.value == "1"


class Crews:
    """The unit log, in the caller's transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[Moment, list[str]] = {}

    def look_up(self, parts: Iterable[Part]) -> None:
        """Find the crews of the units of `parts`, and forget those found before."""
        self._known = {}
        days: defaultdict[int, list[Moment]] = defaultdict(list)
        for unit, person_id, _, start, *_ in parts:
            if not person_id and (unit, start) not in self._known:
                self._known[unit, start] = []
                days[start // _DAY].append((unit, start))
        for moments in days.values():
            self._of_a_day(moments)

    def _of_a_day(self, moments: Sequence[Moment]) -> None:
        first, last = min(start for _, start in moments), max(start for _, start in moments)
        by_unit: defaultdict[str, list[int]] = defaultdict(list)
        for unit, start in moments:
            by_unit[unit].append(start)
        units, shift = sorted(by_unit), UnitShift
        times: list[Any] = [type_coerce(column, BigInteger) for column in (shift.start, shift.end)]
        bounds = [
            type_coerce(shift.start, BigInteger) > first - LONGEST_SHIFT,
            type_coerce(shift.start, BigInteger) <= last,
            type_coerce(shift.end, BigInteger) > first,
        ]
        query = select(shift.unit, shift.person_id, *times).where(*bounds, shift.replaced.is_(False))
        for begin in range(0, len(units), _GROUP):
            rows = self._session.execute(query.where(shift.unit.in_(units[begin : begin + _GROUP])))
            for unit, person_id, start, end in rows:
                for moment in by_unit[unit]:
                    if start <= moment < end:
                        self._known[unit, moment].append(person_id)

    def man(self, parts: Sequence[Part]) -> Manned:
        """Who was at a call with `parts`, which have been looked up.

        A person in two of its units is involved once: with the weightier part, else the earlier, else the unit that
        comes first by name, so that the order of arrival makes no difference.
        """
        named = {unit for unit, person_id, *_ in parts if person_id}
        best: dict[str, tuple[tuple[int, int, str], Person]] = {}
        unmatched = []
        for unit, person_id, part, start, end, lead, roster in parts:
            if person_id:
                people = [person_id]
            elif unit in named:
                # Another view of the call named this unit's people.
                continue
            else:
                # Whom the log has there counts, even if that is nobody on the roster.
                people = [person for person in self._known[unit, start] or [roster] if person]
            if not people:
                unmatched.append(unit)
            for person in people:
                role = "primary" if part == "responding" and person == lead else part
                order = (RANK[role], start, unit)
                if person not in best or order < best[person][0]:
                    best[person] = (order, (person, unit, role, start, end))
        return Manned([best[person][1] for person in sorted(best)], unmatched)


# --- the units at calls ----------------------------------------------------------------------------------------------


def parts_of(session: Session, people: Mapping[int, Sequence[Person]]) -> dict[int, list[Part]]:
    """The units at the calls that are the keys of `people`, who was there so far.

    Of a call that was taken before the unit log was set up only those people are known; they count as named.
    """
    parts_of: defaultdict[int, list[Part]] = defaultdict(list)
    part_table: Any = models.Part
    times: list[Any] = [type_coerce(column, BigInteger) for column in (part_table.start, part_table.end)]
    query: Any = select(
        part_table.call_id,
        part_table.unit,
        part_table.person_id,
        part_table.role,
        *times,
        part_table.lead,
        part_table.roster,
    )
    for row in rows_among(session, query, None, part_table.call_id.expression, sorted(people)):
        parts_of[row[0]].append((row[1], row[2], row[3], row[4], row[5], row[6], row[7]))
    for call_id, parts_there in people.items():
        if call_id not in parts_of:
            parts_of[call_id] = [
                (unit, person, role, start, end, "", "") for person, unit, role, start, end in parts_there
            ]
    return {call_id: sorted(parts, key=lambda part: part[:2]) for call_id, parts in parts_of.items()}


def store_parts(session: Session, parts: Mapping[int, Sequence[Part]]) -> None:
    """Let `parts` be the units at the calls that are its keys."""
    ids = sorted(parts)
    for begin in range(0, len(ids), _GROUP):
        session.execute(delete(models.Part).where(models.Part.call_id.in_(ids[begin : begin + _GROUP])))
    rows = [(call_id, *part) for call_id, there in parts.items() for part in there]
    insert_rows(session, models.Part, rows)
