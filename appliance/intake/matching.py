"""From units on calls to people, by the feed's own crew list or the roster's call signs.

Owns: that rule and the counts of what matched nobody. A person is involved when a unit of theirs was on the call; the
officer whom the feed names as responsible is primary only if their unit was there, since a name alone may have been
written in for the report. Must never see: more of the roster than employee number, name, call sign, unit, division.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec

from appliance.errors import WardwellError
from appliance.intake.profiles import Profile
from appliance.intake.records import CallVersion
from appliance.spool.messages import RosterPerson

_COLUMNS = {"employee_number", "name", "call_sign", "unit", "division"}


class Involved(msgspec.Struct, frozen=True):
    """One person at one call. `role`: "primary", "responding", "dispatch", or "assigned": the unit never arrived."""

    person_id: str
    unit: str
    role: str
    start: datetime
    end: datetime | None


@dataclass
class Matched:
    """Who was at one call, and the units that nobody could be matched to."""

    involved: list[Involved] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)


class Crew:
    """The roster as intake uses it."""

    def __init__(self, people: Iterable[RosterPerson]) -> None:
        people = list(people)
        self.by_call_sign = {person.call_sign: person for person in people if person.call_sign}
        self.by_id = {person.person_id: person for person in people}
        # Only units on the roster are remembered, so this stays as small as the roster.
        self._dispatch: dict[str, bool] = {}
        names = Counter(person.name for person in people)
        # A name that two people share says nothing.
        self.by_name = {person.name: person.person_id for person in people if names[person.name] == 1}

    def match(self, call: CallVersion, profile: Profile) -> Matched:
        """Who was at `call`. A person in two of its units is involved once, with the weightier part."""
        found = Matched()
        primary = self.by_name.get(call.primary_name) if call.primary_name else None
        people: dict[str, Involved] = {}
        for unit in call.units:
            name = unit.unit
            ids = [number for number in unit.people if number in self.by_id] if unit.people else []
            if not ids:
                person = self.by_call_sign.get(name)
                if person is None:
                    found.unmatched.append(name)
                    continue
                ids = [person.person_id]
            hears = self._hears(name, profile)
            for person_id in ids:
                if hears:
                    role = "dispatch"
                elif not unit.arrived:
                    role = "assigned"
                else:
                    role = "primary" if unit.primary or person_id == primary else "responding"
                known = people.get(person_id)
                if known is None or _RANK[role] < _RANK[known.role]:
                    people[person_id] = Involved(person_id, name, role, unit.start, unit.end)
        found.involved = [people[person_id] for person_id in sorted(people)]
        return found

    def _hears(self, unit: str, profile: Profile) -> bool:
        known = self._dispatch.get(unit)
        if known is None:
            known = self._dispatch[unit] = profile.is_dispatch(unit)
        return known


_RANK = {"primary": 0, "responding": 1, "dispatch": 2, "assigned": 3}


def joined(known: Sequence[Involved], more: Sequence[Involved]) -> tuple[list[Involved], bool]:
    """Who was at a call by two views that add to each other, and whether the second brought anything.

    A person's time runs from the first view that has them there to the last end that any view gives; the weightier part
    counts. Being sent is no presence: its time counts only as long as nobody saw them there.
    """
    people = {one.person_id: one for one in known}
    for one in more:
        before = people.get(one.person_id)
        people[one.person_id] = one if before is None else _both(before, one)
    found = sorted(people.values(), key=lambda one: one.person_id)
    return found, found != sorted(known, key=lambda one: one.person_id)


def _both(before: Involved, now: Involved) -> Involved:
    there = [one for one in (before, now) if one.role != "assigned"] or [before, now]
    best = min((before, now), key=lambda one: _RANK[one.role])
    ends = [one.end for one in (before, now) if one.end is not None]
    return msgspec.structs.replace(best, start=min(one.start for one in there), end=max(ends) if ends else None)


def read_roster(path: Path) -> list[RosterPerson]:
    """A roster file for a dry run (CSV: employee_number, name, call_sign, unit, division). Raises WardwellError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise WardwellError(f"The roster {path.name} cannot be read as UTF-8.", "Export it as CSV in UTF-8.") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if not set(reader.fieldnames or ()) >= _COLUMNS:
        raise WardwellError(f"The roster {path.name} lacks a column.", f"It needs: {', '.join(sorted(_COLUMNS))}.")
    return [
        RosterPerson(
            person_id=(row["employee_number"] or "").strip(),
            handle="",
            name=(row["name"] or "").strip(),
            call_sign=(row["call_sign"] or "").strip(),
            unit=(row["unit"] or "").strip(),
            division=(row["division"] or "").strip(),
        )
        for row in reader
    ]
