"""Promise: any logs and calls, in any order of arrival, end in the same people at the same calls.

Parsing is left out: what a child would hand over is taken as it is, so that many orders can be tried.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from appliance.intake.models import Base, Call, Involvement, MailboxKey, Waiting
from appliance.intake.profile.feed_profile import Profile
from appliance.intake.read.matching import Crew
from appliance.intake.read.parsing import Reading
from appliance.intake.read.sightings import Sightings
from appliance.intake.records import Batch, CallVersion, Ending, Opening, Shift, Shifts, UnitOnCall, seconds
from appliance.intake.settle import crews
from appliance.intake.settle.settling import SETTLED
from appliance.intake.settle.source import Source
from appliance.intake.settle.take import people_of, take, take_log
from appliance.storage import Store
from tests.intake.crews_support import CALLS
from tests.intake.support import roster

SOURCE = Source("cad", ZoneInfo("America/Los_Angeles"), SETTLED)
DAWN = datetime(2026, 10, 14, tzinfo=UTC)
PEOPLE = ["E0001", "E0002", "E0003", "E0004"]
# Two with a call sign of their own on the roster, and one without.
UNITS = ["4201", "4202", "K9"]
HOUR = 3600


class Drop(NamedTuple):
    """One file: calls, or shifts."""

    version: int
    calls: tuple[CallVersion, ...]
    shifts: tuple[Shift, ...]


def at(quarter: int) -> int:
    return seconds(DAWN + timedelta(minutes=15 * quarter))


quarters = st.integers(0, 96)


@st.composite
def shifts(draw: st.DrawFn) -> Shift:
    start, length = at(draw(quarters)), draw(st.sampled_from([1, 2, 8, 12]))
    return Shift(1, draw(st.sampled_from(UNITS)), draw(st.sampled_from([*PEOPLE, ""])), start, start + length * HOUR)


@st.composite
def calls(draw: st.DrawFn, number: str, version: int, *, adds: bool, merged_into: str) -> CallVersion:
    begun = at(40)
    units = [
        UnitOnCall(unit, at(draw(quarters)), draw(st.sampled_from([None, at(100)])), draw(st.booleans()), named, False)
        for unit in draw(st.lists(st.sampled_from(UNITS), min_size=1, unique=True))
        for named in [draw(st.sampled_from([[], [], ["E0003"], ["STRANGER"]]))]
    ]
    stamp, lead = f"2026-11-{version:02d}", draw(st.sampled_from(["", "Alder, A", "Person, 2"]))
    codes = ("Suicide", "", "", lead, False)
    return CallVersion(1, number, stamp, begun, *codes, units, adds, merged_into)


@st.composite
def drops(draw: st.DrawFn, *, merging: bool = True) -> list[Drop]:
    """Up to three logs and three exports of three calls: one that is replaced, one added to, one that may be merged."""
    logs = [
        Drop(version, (), tuple(draw(st.lists(shifts(), min_size=1, max_size=4))))
        for version in range(1, draw(st.integers(1, 3)) + 1)
    ]
    exports = []
    for version in range(1, draw(st.integers(1, 3)) + 1):
        merged = "A" if merging and version > 1 else ""
        each = [
            calls("A", version, adds=False, merged_into=""),
            calls("B", version, adds=True, merged_into=""),
            calls("C", version, adds=False, merged_into=merged),
        ]
        exports.append(Drop(version, tuple(draw(one) for one in each if draw(st.booleans())), ()))
    return logs + exports


def taken(
    store: Store, files: Sequence[Drop], profile: Profile
) -> list[tuple[str, str, str, datetime, datetime | None]]:
    """Who is at which call after `files` were taken, in their order, into an empty database."""
    with store.write() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(delete(table))
    roster(store, 4)
    with store.write() as session:
        crews.keep(session)
        session.add_all(
            MailboxKey(handle=f"{number:032x}", person_id=one, public_key=b"key", leaf_index=0, witnessed=True)
            for number, one in enumerate(PEOPLE, start=1)
        )
    sightings = Sightings(profile, Crew(people_of(store)), crewed_later=True)
    for number, one in enumerate(files):
        name = f"{number}.csv"
        batch = Batch([sightings.of(call) for call in one.calls])
        frame = Shifts(f"2026-11-{one.version:02d}", list(one.shifts)) if one.shifts else batch
        reading = Reading(Path(name), Opening(name, name), iter([frame, Ending(1, 0, [], False)]))
        with store.write() as session:
            assert (take_log if one.shifts else take)(session, SOURCE, reading, name)
    columns = (Involvement.person_id, Involvement.role, Involvement.start, Involvement.end)
    with store.read() as session:
        found = session.execute(select(Call.number, *columns).join(Call, Call.id == Involvement.call_id))
        return sorted((row[0], row[1], row[2], row[3], row[4]) for row in found)


def told(store: Store) -> set[tuple[str, str]]:
    """(handle, id) of every contribution that stands once all of them have come."""
    standing: dict[tuple[str, str], tuple[int, bool]] = {}
    with store.read() as session:
        for row in session.scalars(select(Waiting).order_by(Waiting.id)):
            said = json.loads(row.contribution)
            standing[row.handle, said["id"]] = (said["revision"], said["gone"])
    return {key for key, (_, gone) in standing.items() if not gone}


# The first in every test run, the second in `make test-long`.
_SOME = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_MANY = settings(_SOME, max_examples=600)


@_SOME
@given(data=st.data())
def test_any_order_ends_alike(store_of: Callable[[str], Store], data: st.DataObject) -> None:
    any_order_ends_alike(store_of("intake"), data)


@pytest.mark.long
@pytest.mark.timeout(1800)
@_MANY
@given(data=st.data())
def test_any_order_ends_alike_in_many_histories(store_of: Callable[[str], Store], data: st.DataObject) -> None:
    any_order_ends_alike(store_of("intake"), data)


def any_order_ends_alike(store: Store, data: st.DataObject) -> None:
    files = data.draw(drops())
    assert isinstance(CALLS, Profile)
    first = taken(store, files, CALLS)
    # What officers were told in the end is what is stored: whoever was taken off a call had it withdrawn. A call that
    # was merged says nothing itself.
    if not any(call.merged_into for one in files for call in one.calls):
        there = [f"{PEOPLE.index(person) + 1:032x}" for _, person, role, *_ in first if role != "assigned"]
        assert sorted(handle for handle, _ in told(store)) == sorted(there)
    assert taken(store, data.draw(st.permutations(files)), CALLS) == first


def in_force(files: Sequence[Drop]) -> list[Shift]:
    """The rule of `appliance.intake.settle.shifts`, written out: rows of which no later log says otherwise."""
    rows = {}
    for one in sorted(files, key=lambda file: file.version):
        rows.update({(row.unit, row.person_id, row.start, row.end): (one.version, row) for row in one.shifts})

    def otherwise(new: Shift, old: Shift) -> bool:
        common = min(new.end, old.end) - max(new.start, old.start)
        half = 2 * common >= old.end - old.start
        person = new.person_id == old.person_id != ""
        unit = new.unit == old.unit
        return common > 0 and ((unit and (new.start == old.start or half or person)) or (person and half))

    return [
        row for version, row in rows.values() if not any(v > version and otherwise(n, row) for v, n in rows.values())
    ]


@_SOME
@given(files=drops(merging=False))
def test_it_is_the_rule_that_the_docs_give(store_of: Callable[[str], Store], files: list[Drop]) -> None:
    it_is_the_rule_that_the_docs_give(store_of("intake"), files)


@pytest.mark.long
@pytest.mark.timeout(1800)
@_MANY
@given(files=drops(merging=False))
def test_it_is_the_rule_in_many_histories(store_of: Callable[[str], Store], files: list[Drop]) -> None:
    it_is_the_rule_that_the_docs_give(store_of("intake"), files)


def it_is_the_rule_that_the_docs_give(store: Store, files: list[Drop]) -> None:
    assert isinstance(CALLS, Profile)
    found = {(one[0], one[1]) for one in taken(store, files, CALLS) if one[0] != "B"}
    newest = {call.number: call for one in files for call in one.calls if call.number != "B"}
    expected = set()
    for call in newest.values():
        for unit in call.units:
            moment = unit.start
            there = [one for one in in_force(files) if one.unit == unit.unit and one.start <= moment < one.end]
            signs = {"4201": "E0001", "4202": "E0002"}
            crew = [one.person_id for one in there] if there else [signs.get(unit.unit, "")]
            named = [one for one in unit.people if one in PEOPLE]
            expected |= {(call.number, one) for one in named or crew if one}
    assert found == expected
