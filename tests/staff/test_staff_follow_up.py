"""The follow-up's promises: offers to all, one shape of closing, no place for an answer, no search by person."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from appliance import clock
from appliance.desk.follow_up import steps as follow_up
from appliance.desk.follow_up import views as follow_up_views
from appliance.desk.follow_up.steps import StepName
from appliance.desk.models.base import Base
from appliance.desk.models.follow_up import ClosingRecord, Incident, Step
from appliance.errors import WardwellError
from appliance.spool.messages import Attended, IncidentNotice
from appliance.storage import Store

NOON = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
FIRST_CONTACT = StepName("contact", 24)


def notice(revision: int = 1, numbers: tuple[int, ...] = (100, 101, 102), **changes: Any) -> IncidentNotice:
    fields: dict[str, Any] = {
        "reference": "260001",
        "revision": revision,
        "kind": "officer_involved_shooting",
        "occurred": NOON,
        "attended": [Attended(str(number), "responding", NOON, None) for number in numbers],
        "unmatched_units": [],
    }
    return IncidentNotice(**{**fields, **changes})


def take(store: Store, charter: Any, message: IncidentNotice, at: datetime = NOON + timedelta(hours=1)) -> None:
    with clock.held(at), store.write() as session:
        follow_up.take_notice(session, message, follow_up.template(charter))


def test_an_incident_opens_every_step_for_everyone(store: Store, charter: Any) -> None:
    take(store, charter, notice())
    with store.read() as session:
        view = follow_up_views.incident(session, "260001")
    assert view.people == 3
    contacts = [step.name.hours for step in view.steps if step.name.name == "contact"]
    assert contacts == charter.constants.follow_up_hours
    assert {step.name.name for step in view.steps} == {"contact", *(name for name, _ in follow_up.SAFETY_HOURS)}
    assert all(step.people == 3 and step.open == 3 for step in view.steps)
    assert view.steps[0].due == NOON + timedelta(hours=view.steps[0].name.hours)


def test_a_lower_or_equal_revision_changes_nothing_and_a_higher_one_does(store: Store, charter: Any) -> None:
    take(store, charter, notice(2))
    take(store, charter, notice(2, (100,)))
    take(store, charter, notice(1, (100,)))
    with store.read() as session:
        assert len(follow_up.attended_handles(session, "260001")) == 3
    take(store, charter, notice(3, (100, 105), unmatched_units=["K9"]))
    with store.read() as session:
        people = follow_up_views.people_at(session, "260001")
        assert [person.person_id for person in people] == ["100", "105"]
        assert follow_up_views.incident(session, "260001").unmatched == ["K9"]


def test_someone_to_whom_something_was_offered_stays(store: Store, charter: Any) -> None:
    take(store, charter, notice())
    with store.write() as session:
        follow_up.offer_to_all(session, "260001", FIRST_CONTACT, "c" * 32)
    take(store, charter, notice(2, (100,)))
    with store.read() as session:
        assert len(follow_up.attended_handles(session, "260001")) == 3


def test_a_person_unknown_to_the_roster_is_not_lost(store: Store, charter: Any) -> None:
    take(store, charter, notice(1, (100, 999)))
    with store.read() as session:
        view = follow_up_views.incident(session, "260001")
    assert (view.people, view.unmatched) == (1, ["999"])


def test_an_old_incident_opens_only_the_steps_ahead_and_a_very_old_one_nothing(store: Store, charter: Any) -> None:
    take(store, charter, notice(), NOON + timedelta(days=20))
    take(store, charter, notice(reference="old"), NOON + timedelta(days=100))
    with store.read() as session:
        view = follow_up_views.incident(session, "260001")
        assert [step.name.key for step in view.steps] == ["contact-720", "contact-2160"]
        assert session.scalar(select(Incident).where(Incident.reference == "old")) is None


def test_offering_is_one_action_and_only_not_reached_is_an_exception(store: Store, charter: Any) -> None:
    take(store, charter, notice())
    missed = "0" * 31 + "1"
    with clock.held(NOON + timedelta(hours=2)), store.write() as session:
        assert follow_up.offer_to_all(session, "260001", FIRST_CONTACT, "c" * 32, "phone", [missed]) == 3
    with store.read() as session:
        step = next(s for s in follow_up_views.incident(session, "260001").steps if s.name == FIRST_CONTACT)
        assert (step.offered, step.not_reached, step.open, step.status) == (2, 1, 0, "not_reached")
    with clock.held(NOON + timedelta(hours=9)), store.write() as session:
        # Asked again: only who was not reached is touched.
        assert follow_up.offer_to_all(session, "260001", FIRST_CONTACT, "c" * 32) == 1
    with store.read() as session:
        offered = session.scalars(select(Step.offered_at).where(Step.name == "contact", Step.hours == 24)).all()
        times = sorted(time for time in offered if time is not None)
        assert len(times) == len(offered)
        assert times == [NOON + timedelta(hours=2), NOON + timedelta(hours=2), NOON + timedelta(hours=9)]


@pytest.mark.parametrize("how", ["", "accepted", "by letter"])
def test_a_way_that_is_no_way_is_refused(store: Store, charter: Any, how: str) -> None:
    take(store, charter, notice())
    with pytest.raises(WardwellError), store.write() as session:
        follow_up.offer_to_all(session, "260001", FIRST_CONTACT, "c" * 32, how)


def test_the_database_itself_refuses_half_an_offer(store: Store, charter: Any) -> None:
    take(store, charter, notice())
    with pytest.raises(IntegrityError), store.write() as session:
        step = session.scalars(select(Step)).first()
        assert step is not None
        step.reached = True
    with store.write() as session:  # the control: the whole of it is taken
        step = session.scalars(select(Step)).first()
        assert step is not None
        step.offered_at, step.offered_by, step.how, step.reached = NOON, "c" * 32, "phone", True


def close_all(store: Store, charter: Any, not_reached: list[str]) -> dict[str, bytes]:
    take(store, charter, notice())
    with clock.held(NOON + timedelta(hours=3)), store.write() as session:
        for name, hours in follow_up.template(charter):
            follow_up.offer_to_all(session, "260001", StepName(name, hours), "c" * 32, "phone", not_reached)
        follow_up.close(session, "260001")
    with store.read() as session:
        return {row.handle: row.body for row in session.scalars(select(ClosingRecord))}


def test_closing_records_are_byte_for_byte_alike(store: Store, charter: Any) -> None:
    records = close_all(store, charter, [])
    assert len(records) == 3
    assert len(set(records.values())) == 1


def test_not_reached_differs_in_one_digit_per_step_and_never_in_size(store: Store, charter: Any) -> None:
    missed = "0" * 31 + "1"
    records = close_all(store, charter, [missed])
    other = next(body for handle, body in records.items() if handle != missed)
    assert {len(body) for body in records.values()} == {follow_up.RECORD_BYTES}
    changed = [(a, b) for a, b in zip(records[missed], other, strict=True) if a != b]
    assert changed == [(ord("0"), ord("1"))] * len(follow_up.template(charter))


def test_nobody_is_closed_alone_and_nothing_closes_early(store: Store, charter: Any) -> None:
    take(store, charter, notice(unmatched_units=["K9"]))
    with store.write() as session, pytest.raises(WardwellError, match="not been offered"):
        follow_up.close(session, "260001")
    with store.write() as session:
        for name, hours in follow_up.template(charter):
            follow_up.offer_to_all(session, "260001", StepName(name, hours), "c" * 32)
    with store.write() as session, pytest.raises(WardwellError, match="unit"):
        follow_up.close(session, "260001")
    with store.write() as session:
        follow_up.resolve_unit(session, "260001", "K9")
        follow_up.close(session, "260001")
    assert "handle" not in inspect.signature(follow_up.close).parameters


def test_a_new_person_reopens_a_closed_incident_with_the_same_steps(store: Store, charter: Any) -> None:
    close_all(store, charter, [])
    with clock.held(NOON + timedelta(days=3)), store.write() as session:
        follow_up.add_person(session, "260001", f"{9:032x}", follow_up.template(charter))
    with store.read() as session:
        view = follow_up_views.incident(session, "260001")
        assert view.closed is None
        added = next(p for p in follow_up_views.people_at(session, "260001") if p.person_id == "109")
    assert added.steps == len(follow_up.template(charter))
    assert added.next_due is not None and added.next_due > NOON + timedelta(days=3)


ANSWERS = re.compile(r"accept|declin|refus|outcome|answer|response|result|note|comment|text|reason|narrative|place")


def test_no_column_can_hold_an_answer_or_free_text() -> None:
    tables = [
        table
        for name, table in Base.metadata.tables.items()
        if name in {"incident", "attendance", "follow_up_step", "unmatched_unit", "closing_record"}
    ]
    assert len(tables) == 5
    assert [column.name for table in tables for column in table.columns if ANSWERS.search(column.name)] == []
    assert ANSWERS.search("accepted_at")  # the control


def test_no_function_goes_from_a_person_to_incidents() -> None:
    def takes_a_person(function: Any) -> bool:
        names = inspect.signature(function).parameters
        return bool({"handle", "person_id", "person", "name"} & set(names)) and "reference" not in names

    public = [
        function
        for module in (follow_up, follow_up_views)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    ]
    assert len(public) > 8
    assert [function.__name__ for function in public if takes_a_person(function)] == []

    def incidents_of(session: Any, handle: str) -> None: ...

    assert takes_a_person(incidents_of)  # the control


def test_the_queue_is_found_by_reference_or_type_and_never_by_name(store: Store, charter: Any) -> None:
    take(store, charter, notice())
    with clock.held(NOON + timedelta(hours=2)), store.read() as session:
        assert [row.reference for row in follow_up_views.queue(session, "open", "2600")] == ["260001"]
        assert [row.reference for row in follow_up_views.queue(session, "open", "involved shooting")] == ["260001"]
        for text in ("Person00", "Tester", "100", "4200", "%", "_____________________________"):
            assert follow_up_views.queue(session, "open", text) == []


def test_saved_filters(store: Store, charter: Any) -> None:
    take(store, charter, notice())
    take(store, charter, notice(reference="later", occurred=NOON - timedelta(days=13)), NOON + timedelta(hours=1))
    with clock.held(NOON + timedelta(hours=1)), store.write() as session:
        for name, hours in follow_up.template(charter):
            if hours <= 336:
                follow_up.offer_to_all(session, "later", StepName(name, hours), "c" * 32)
    with clock.held(NOON + timedelta(hours=1)), store.read() as session:
        assert {row.reference for row in follow_up_views.queue(session, "open")} == {"260001", "later"}
        assert [row.reference for row in follow_up_views.queue(session, "due")] == ["260001"]
        assert [row.reference for row in follow_up_views.queue(session, "not-started")] == ["260001"]
        assert follow_up_views.queue(session, "closed") == []


def test_the_roster_search_is_short_and_needs_three_characters(store: Store) -> None:
    with store.read() as session:
        assert follow_up_views.find_on_roster(session, "Pe") == []
        assert len(follow_up_views.find_on_roster(session, "Person")) == follow_up_views.SEARCH_LIMIT
        assert follow_up_views.find_on_roster(session, "105") == [f"{5:032x}"]
        assert follow_up_views.find_on_roster(session, "%%%") == []


def test_an_incident_by_hand(store: Store, charter: Any) -> None:
    steps = follow_up.template(charter)
    with clock.held(NOON), store.write() as session:
        reference = follow_up.open_by_hand(session, "suicide", NOON - timedelta(hours=5), "c" * 32)
        follow_up.add_person(session, reference, f"{3:032x}", steps)
        with pytest.raises(WardwellError, match="future"):
            follow_up.open_by_hand(session, "suicide", NOON + timedelta(hours=5), "c" * 32)
    with clock.held(NOON), store.read() as session:
        (row,) = follow_up_views.queue(session, "open")
        assert (row.reference, row.people, row.status) == (reference, 1, "overdue")
