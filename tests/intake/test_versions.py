"""Promise: a call is what its newest version says, whatever comes when; nothing re-opens, nobody counts twice."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from sqlalchemy import delete, select

from appliance import clock
from appliance.intake.models import Call, Involvement, MailboxKey, Outbox, Waiting
from appliance.intake.records import Person, Sighting
from appliance.intake.settle.settling import SETTLED, settle
from appliance.intake.settle.source import Source, Tally
from appliance.intake.settle.versions import _IS_MERGED, Versions, reference_of
from appliance.spool import delivery
from appliance.storage import Store
from tests.intake.support import roster
from tests.intake.test_take import messages

NOW = datetime(2026, 10, 15, 18, tzinfo=UTC)
HOUR = 3600
RECEIVED = int(NOW.timestamp()) - HOUR


@pytest.fixture
def intake(store_of: Callable[[str], Store]) -> Store:
    store = store_of("intake")
    roster(store)
    with store.write() as session:
        session.add(MailboxKey(handle="a" * 32, person_id="E0001", public_key=b"k", leaf_index=0, witnessed=True))
    return store


def seen(number: str, stamp: str = "1", *people: str, **changes: Any) -> Sighting:
    """A version whose digest is its content; everybody arrived at once."""
    involved: list[Person] = [(person, "42", "responding", RECEIVED, None) for person in people]
    version = Sighting(1, number, stamp, b"", RECEIVED, "death", False, False, False, "", involved, [], [])
    version = msgspec.structs.replace(version, **changes)
    content = msgspec.json.encode(msgspec.structs.replace(version, line=0, stamp=""))
    return msgspec.structs.replace(version, digest=content)


def take(store: Store, *batches: list[Sighting]) -> Tally:
    with clock.held(NOW), store.write() as session:
        versions = Versions(session, Source("cad", ZoneInfo("America/Los_Angeles"), SETTLED))
        for batch in batches:
            versions.take(batch)
        return versions.tally


def calls(store: Store) -> dict[str, tuple[int, str, bool]]:
    with store.read() as session:
        return {call.number: (call.revision, call.type, call.open) for call in session.scalars(select(Call))}


def people(store: Store, number: str) -> list[str]:
    query = select(Involvement.person_id).join(Call, Call.id == Involvement.call_id).where(Call.number == number)
    with store.read() as session:
        return sorted(session.scalars(query))


def waiting(store: Store) -> list[tuple[str, int, bool]]:
    with store.read() as session:
        found = [json.loads(row.contribution) for row in session.scalars(select(Waiting).order_by(Waiting.id))]
    return [(one["type"], one["revision"], one["gone"]) for one in found]


@pytest.mark.parametrize("apart", [False, True], ids=["in one batch", "in batches of their own"])
def test_the_newest_stamp_counts_and_an_older_one_changes_nothing(intake: Store, apart: bool) -> None:
    versions = [
        seen("1", "2", "E0001", "E0002"),
        seen("1", "1", "E0003"),
        seen("1", "3", "E0002", type="suicide"),
        seen("1", "4", "E0002", type="suicide"),
        seen("2", "1", "E0001"),
    ]
    tally = take(intake, *([one] for one in versions)) if apart else take(intake, versions)
    assert (tally.calls, tally.updates, tally.repeats) == (2, 1, 2)
    assert calls(intake) == {"1": (2, "suicide", True), "2": (1, "death", True)}
    assert people(intake, "1") == ["E0002"]
    with intake.read() as session:
        assert session.scalars(select(Call.stamp).order_by(Call.number)).all() == ["4", "1"]


@pytest.mark.parametrize("merges", [False, True])
def test_calls_from_which_nothing_follows_are_stored_as_all_others(
    intake: Store, monkeypatch: pytest.MonkeyPatch, merges: bool
) -> None:
    draw = random.Random(7)
    batches = [[any_version(draw, merges=merges and number == 3) for _ in range(40)] for number in range(6)]
    quick = Counter[bool]()
    plain = Versions._store_plain

    def counted(self: Versions, batch: list[Sighting], known: dict[str, Any]) -> Any:
        left = plain(self, batch, known)
        quick[True] += len(batch) - len(left)
        quick[False] += len(left)
        return left

    found = []
    for way in (counted, lambda self, batch, known: batch):
        monkeypatch.setattr(Versions, "_store_plain", way)
        tally = take(intake, *batches)
        with intake.write() as session:
            columns = [column for column in Call.__table__.columns if column.name != "id"]
            stored = session.execute(select(*columns).order_by(Call.number)).all()
            facts = (Call.number, *(c for c in Involvement.__table__.columns if c.name != "call_id"))
            there = select(*facts).join(Call, Call.id == Involvement.call_id)
            found.append((tally, stored, sorted(session.execute(there).all(), key=str), waiting(intake)))
            for table in (Involvement, Call, Waiting, Outbox):
                session.execute(delete(table))
    assert found[0] == found[1]
    # Both ways were gone, and one of them more often than the other.
    assert quick[False] and quick[True] > 40, quick


def any_version(draw: random.Random, *, merges: bool) -> Sighting:
    """Of one of 200 calls, of which few weigh anything."""
    return seen(
        str(draw.randrange(200)),
        str(draw.randrange(4)),
        *draw.sample(["E0001", "E0002", "E0003"], draw.randrange(3)),
        type=draw.choice(["ordinary"] * 8 + ["", "death", "collision-injury"]),
        closed=draw.random() < 0.5,
        received=RECEIVED - draw.randrange(2 * int(SETTLED.total_seconds())),
        merged_into=str(draw.randrange(200)) if merges and draw.random() < 0.2 else "",
    )


def test_what_was_closed_stays_closed(intake: Store) -> None:
    take(intake, [seen("1", "1"), seen("2", "1", closed=True)], [seen("1", "2"), seen("2", "2", type="suicide")])
    # The control: a call that nobody closed is open.
    assert calls(intake) == {"1": (1, "death", True), "2": (2, "suicide", False)}


def test_a_call_that_never_closes_is_settled_and_does_not_open_again(intake: Store) -> None:
    old = RECEIVED - int(SETTLED.total_seconds())
    take(intake, [seen("1", "1"), seen("2", "1", received=old)])
    assert calls(intake) == {"1": (1, "death", True), "2": (1, "death", False)}
    with clock.held(NOW + SETTLED - timedelta(hours=2)):
        settle(intake, {"cad": SETTLED})
    with clock.held(NOW + SETTLED):
        settle(intake, {"cad": 2 * SETTLED})
    assert calls(intake)["1"][2]
    with clock.held(NOW + SETTLED):
        settle(intake, {"another": 2 * SETTLED})
    take(intake, [seen("1", "2", type="suicide")])
    assert calls(intake)["1"] == (2, "suicide", False)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_people_of_a_merged_call_are_on_the_other_one_once(intake: Store, order: tuple[int, int]) -> None:
    batches = [[seen("1", "1", "E0001", merged_into="2")], [seen("2", "1", "E0002")]]
    take(intake, *(batches[place] for place in order))
    assert people(intake, "2") == ["E0001", "E0002"]
    assert calls(intake)["1"][1] == ""
    assert [(kind, gone) for kind, _, gone in waiting(intake)] == [("death", False)]
    # A later version of the other call does not lose them.
    take(intake, [seen("2", "2", "E0002", type="suicide")])
    assert people(intake, "2") == ["E0001", "E0002"]


def test_a_call_that_is_merged_later_is_withdrawn(intake: Store) -> None:
    take(intake, [seen("1", "1", "E0001"), seen("2", "1", "E0002")], [seen("1", "2", "E0001", merged_into="2")])
    assert waiting(intake) == [("death", 1, False), ("", 2, True), ("death", 2, False)]


def test_versions_that_add_lose_nobody_and_an_older_one_still_adds(intake: Store) -> None:
    adds = {"adds": True}
    tally = take(
        intake,
        [seen("1", "2", "E0001", **adds), seen("1", "2", "E0002", **adds)],
        [seen("1", "1", "E0003", **adds, type="ordinary"), seen("1", "1", "E0002", **adds, type="ordinary")],
    )
    assert (tally.calls, tally.updates, tally.repeats) == (1, 2, 1)
    assert people(intake, "1") == ["E0001", "E0002", "E0003"]
    assert calls(intake)["1"] == (3, "death", True)


def test_many_versions_of_critical_calls_in_one_file_are_one_notice_each(intake: Store) -> None:
    kind = "child-death"
    batch = [seen(f"{number}", f"{stamp}", f"E{stamp:04d}", type=kind) for stamp in (1, 2, 3) for number in range(3)]
    take(intake, batch, [seen("1", "4", "E0009", type=kind)])
    delivery.flush(intake, Outbox)
    found = [(one["reference"], one["revision"]) for one in messages(intake)]
    assert found == [("CI-0", 3), ("CI-1", 3), ("CI-2", 3), ("CI-1", 4)]


def test_an_incident_can_be_named_in_a_page_address() -> None:
    """EIDO's identifiers and some agencies' numbers hold strokes and blanks."""
    assert reference_of("ei1/x.org") == "CI-ei1.x.org"
    assert reference_of("F21 012345") == "CI-F21_012345"


def test_no_query_of_a_take_looks_through_all_calls(intake: Store) -> None:
    """The control: asked for calls that are not merged, too, every call of the feed is looked at."""
    take(intake, [seen("1", "1")])
    queries = {
        "ix_call_merged": select(Call.id).where(Call.feed == "cad", Call.merged_into.in_(["1", "2"]), _IS_MERGED),
        "ix_call_open": select(Call.id).where(Call.open, Call.received <= NOW),
        "sqlite_autoindex_call_1": select(Call.id).where(Call.feed == "cad", Call.merged_into.in_(["", "2"])),
    }
    with intake.reader.connect() as connection:
        for index, query in queries.items():
            compiled = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
            values = tuple(compiled.params[name] for name in compiled.positiontup or ())
            values = tuple(int(v.timestamp()) if isinstance(v, datetime) else v for v in values)
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values).fetchall()
            assert index in str(plan), plan
