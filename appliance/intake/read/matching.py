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
from pathlib import Path

from appliance.errors import WardwellError
from appliance.intake.profile.feed_profile import Profile
from appliance.intake.records import CallVersion, Part, Person, UnitOnCall
from appliance.spool.messages import RosterPerson

_COLUMNS = {"employee_number", "name", "call_sign", "unit", "division"}

# Units remembered per file, so that a file of all different ones stays small.
_REMEMBERED = 10_000


class Crew:
    """The roster as intake uses it."""

    def __init__(self, people: Iterable[RosterPerson]) -> None:
        people = list(people)
        self._by_call_sign = {person.call_sign: person.person_id for person in people if person.call_sign}
        self._ids = {person.person_id for person in people}
        self._dispatch: dict[str, bool] = {}
        names = Counter(person.name for person in people)
        # A name that two people share says nothing.
        self._by_name = {person.name: person.person_id for person in people if names[person.name] == 1}

    def match(self, call: CallVersion, profile: Profile) -> tuple[list[Person], list[str]]:
        """Who was at `call`, ordered by person, and the units that nobody could be matched to.

        A person in two of its units is involved once, with the weightier part.
        """
        unmatched: list[str] = []
        primary = self._by_name.get(call.primary_name) if call.primary_name else None
        people: dict[str, Person] = {}
        for unit in call.units:
            name = unit.unit
            ids = [number for number in unit.people if number in self._ids] if unit.people else None
            if not ids:
                person_id = self._by_call_sign.get(name)
                if person_id is None:
                    unmatched.append(name)
                    continue
                ids = [person_id]
            hears = self._dispatch.get(name)
            if hears is None:
                hears = self._hears(name, profile)
            # Most units simply came: asking `_role` each time would be felt.
            part = _role(unit, hears) if hears or not unit.arrived or unit.primary else "responding"
            start, end = unit.start, unit.end
            for person_id in ids:
                role = "primary" if part == "responding" and person_id == primary else part
                known = people.get(person_id)
                if known is None or RANK[role] < RANK[known[2]]:
                    people[person_id] = (person_id, name, role, start, end)
        return _ordered(people), unmatched

    def _hears(self, unit: str, profile: Profile) -> bool:
        if len(self._dispatch) > _REMEMBERED:
            self._dispatch.clear()
        dispatch = self._dispatch[unit] = profile.is_dispatch(unit)
        return dispatch

    def parts(self, call: CallVersion, profile: Profile) -> list[Part]:
        """The units at `call`, with the people whom the feed itself names; whose the others are is left open.

        In the order of units and people; a unit that is there twice is there from its weightier part.
        """
        lead = self._by_name.get(call.primary_name, "") if call.primary_name else ""
        parts: list[Part] = []
        for unit in call.units:
            name, role = unit.unit, _role(unit, self._hears(unit.unit, profile))
            start, end = unit.start, unit.end
            named = [number for number in unit.people if number in self._ids]
            # Whose call sign it is only matters where nobody is named.
            roster = "" if named else self._by_call_sign.get(name, "")
            parts += [(name, person_id, role, start, end, lead, roster) for person_id in named or [""]]
        return joined_parts([], parts)


def _role(unit: UnitOnCall, hears: bool) -> str:
    """What a unit did at a call, but for the officer whom the feed names as responsible."""
    if hears:
        return "dispatch"
    if not unit.arrived:
        return "assigned"
    return "primary" if unit.primary else "responding"


RANK = {"primary": 0, "responding": 1, "dispatch": 2, "assigned": 3}


def joined(known: Sequence[Person], more: Sequence[Person]) -> tuple[list[Person], bool]:
    """Who was at a call by two views that add to each other, and whether the second brought anything.

    A person's time runs from the first view that has them there to the last end that any view gives; the weightier part
    counts. Being sent is no presence: its time counts only as long as nobody saw them there.
    """
    people = {person[0]: person for person in known}
    before = _ordered(people)
    for person in more:
        people[person[0]] = _both(people[person[0]], person) if person[0] in people else person
    ordered = _ordered(people)
    return ordered, ordered != before


def joined_parts(known: Sequence[Part], more: Sequence[Part]) -> list[Part]:
    """The units at a call by two views that add to each other, as `joined` has it for people; in their order."""
    parts = {part[:2]: part for part in known}
    for part in more:
        before = parts.get(part[:2])
        if before is not None:
            role, start, end = _together((before[2], before[3], before[4]), (part[2], part[3], part[4]))
            part = (part[0], part[1], role, start, end, max(before[5], part[5]), max(before[6], part[6]))
        parts[part[:2]] = part
    return [parts[key] for key in sorted(parts)]


def _both(before: Person, now: Person) -> Person:
    person_id, unit = min((before, now), key=lambda person: RANK[person[2]])[:2]
    return person_id, unit, *_together((before[2], before[3], before[4]), (now[2], now[3], now[4]))


_Presence = tuple[str, int, int | None]


def _together(before: _Presence, now: _Presence) -> _Presence:
    """Role, start and end of two views."""
    there = [role_and_times for role_and_times in (before, now) if role_and_times[0] != "assigned"] or [before, now]
    role = min(before[0], now[0], key=lambda role_and_times: RANK[role_and_times])
    ends = [end for _, _, end in (before, now) if end is not None]
    return role, min(start for _, start, _ in there), max(ends) if ends else None


def _ordered(people: dict[str, Person]) -> list[Person]:
    return [people[person_id] for person_id in sorted(people)]


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
