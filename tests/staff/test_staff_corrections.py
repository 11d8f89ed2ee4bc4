"""Correcting the duty-of-care record: asked under one's name, decided by a coordinator, kept, and in access logs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from appliance.desk.follow_up import corrections
from appliance.desk.follow_up import steps as follow_up
from appliance.desk.follow_up.steps import StepName
from appliance.desk.models.base import Base
from appliance.desk.models.corrections import GROUNDS, Correction
from appliance.desk.models.people import DeskAccount
from appliance.errors import WardwellError
from appliance.spool.messages import Attended, IncidentNotice
from appliance.storage import Store
from tests.staff.staff_outline import check_outline
from tests.staff.staff_site import Browser, RememberingLedger, handle_of
from webapp.desk import words

NOW = datetime.now(UTC).replace(microsecond=0)
REFERENCE = "CI-260001"
ASKER = handle_of(7)
DECIDER = "c" * 32


def notice(session: Any, charter: Any, revision: int = 1, *numbers: int) -> None:
    attended = [Attended(str(number), "responding", NOW, None) for number in numbers or (100, 101)]
    message = IncidentNotice(REFERENCE, revision, "suicide", NOW, attended, [])
    follow_up.take_notice(session, message, follow_up.template(charter))


@pytest.fixture(autouse=True)
def incident(store: Store, charter: Any) -> None:
    with store.write() as session:
        notice(session, charter)


def attended(store: Store) -> list[str]:
    with store.read() as session:
        return follow_up.attended_handles(session, REFERENCE)


def decided(store: Store, charter: Any, number: str, ground: str, decision: str = "made") -> None:
    with store.write() as session:
        key = corrections.ask(session, ASKER, REFERENCE, number, ground)
        corrections.decide(session, key, decision, DECIDER, follow_up.template(charter))


def abouts(ledger: RememberingLedger) -> list[tuple[str, str, str]]:
    """(handle, actor, note) of everything that was appended about people."""
    return [(about.handle, about.body["actor"], about.body["note"]) for one in ledger.appended for about in one.about]


@pytest.mark.parametrize("ground", ["not_there", "other_person"])
def test_who_was_not_there_is_taken_off_and_stays_off(store: Store, charter: Any, ground: str) -> None:
    decided(store, charter, "100", ground)
    assert attended(store) == [handle_of(1)]
    with store.write() as session:
        notice(session, charter, 2, 100, 101, 102)  # the feed says it again, and brings somebody new
    assert attended(store) == [handle_of(1), handle_of(2)]
    with store.write() as session:
        follow_up.add_person(session, REFERENCE, handle_of(0), follow_up.template(charter))
        notice(session, charter, 3, 100, 101, 102)
    assert attended(store) == [handle_of(0), handle_of(1), handle_of(2)]  # added by hand counts


def test_kept_changes_nothing(store: Store, charter: Any) -> None:
    decided(store, charter, "100", "not_there", "kept")
    with store.write() as session:
        notice(session, charter, 2)
    assert attended(store) == [handle_of(0), handle_of(1)]


def test_what_was_offered_stays_as_a_fact(store: Store, charter: Any) -> None:
    with store.write() as session:
        follow_up.offer_to_all(session, REFERENCE, StepName("relief", 4), DECIDER)
    decided(store, charter, "100", "not_there")
    assert attended(store) == [handle_of(0), handle_of(1)]
    from appliance.desk.follow_up import views as follow_up_views

    with store.read() as session:
        people = {person.handle: person.steps for person in follow_up_views.people_at(session, REFERENCE)}
    assert people[handle_of(0)] == 1 < people[handle_of(1)]


def test_who_is_missing_is_added_with_the_same_steps(store: Store, charter: Any) -> None:
    decided(store, charter, "", "not_listed")
    assert attended(store) == [handle_of(0), handle_of(1), ASKER]


@pytest.mark.parametrize(("number", "ground"), [("999", "not_there"), ("105", "not_there"), ("999", "not_listed")])
def test_what_cannot_be_carried_out_is_not_recorded_as_done(
    store: Store, charter: Any, number: str, ground: str
) -> None:
    with pytest.raises(WardwellError):
        decided(store, charter, number, ground)
    decided(store, charter, number, ground, "kept")  # control: it can be decided


def test_nobody_decides_their_own_and_nothing_is_decided_twice(store: Store, charter: Any) -> None:
    steps = follow_up.template(charter)
    with store.write() as session:
        key = corrections.ask(session, ASKER, REFERENCE, "", "wrong_call")
    with store.write() as session, pytest.raises(WardwellError, match="their own"):
        corrections.decide(session, key, "kept", ASKER, steps)
    with store.write() as session:
        corrections.decide(session, key, "kept", DECIDER, steps)
    with store.write() as session, pytest.raises(WardwellError, match="already"):
        corrections.decide(session, key, "made", DECIDER, steps)
    # The database itself refuses one's own, whatever the code does.
    with pytest.raises(IntegrityError), store.write() as session:
        session.get_one(Correction, key).decided_by = ASKER


def test_only_so_many_wait_and_fields_hold_no_words(store: Store) -> None:
    with store.write() as session:
        for _ in range(corrections.MOST_OPEN):
            corrections.ask(session, ASKER, REFERENCE, "", "not_there")
        with pytest.raises(WardwellError, match="still wait"):
            corrections.ask(session, ASKER, REFERENCE, "", "not_there")
        corrections.ask(session, DECIDER, REFERENCE, "", "not_there")  # control: somebody else may
    for reference, number, ground in [
        ("he was drunk", "", "not_there"),
        ("", "", "not_there"),
        (REFERENCE, "a b", "not_there"),
        (REFERENCE, "", "because"),
    ]:
        with pytest.raises(WardwellError):
            corrections.read(reference, number, ground)
    assert set(words.GROUNDS) == set(GROUNDS)
    texts = re.compile(r"accept|outcome|answer|response|note|comment|text|narrative")
    assert [c.name for c in Base.metadata.tables["correction"].columns if texts.search(c.name)] == []
    assert texts.search("comment")  # the control


def test_from_the_form_to_the_decision(
    browser: Callable[..., Browser], store: Store, ledger: RememberingLedger
) -> None:
    command, coordinator = browser("command"), browser("coordinator")
    page = command.get("/corrections/").get_data(as_text=True)
    check_outline(page)
    sent = command.post("/corrections/", {"reference": REFERENCE, "number": "100", "ground": "not_there"})
    assert sent.status_code == 303
    assert abouts(ledger) == [(handle_of(0), "The command", "Asked to correct the record; nothing was shown")]
    assert "Waiting" in command.get(sent.location).get_data(as_text=True)

    waiting = coordinator.get("/coordinator/corrections/").get_data(as_text=True)
    check_outline(waiting)
    assert "Person00" not in waiting
    (path,) = re.findall(r"/coordinator/corrections/[0-9a-f]{32}", waiting)
    ledger.appended.clear()
    shown = coordinator.get(path).get_data(as_text=True)
    check_outline(shown)
    assert "Person00 Tester" in shown
    assert "The command" in shown
    assert {handle for handle, *_ in abouts(ledger)} == {handle_of(0), _handle(store, "command")}

    ledger.down = True
    assert coordinator.post(path, {"decision": "made"}).status_code == 503
    assert attended(store) == [handle_of(0), handle_of(1)]  # no log entry, no change
    ledger.down = False
    assert coordinator.post(path, {"decision": "made"}).status_code == 303
    assert attended(store) == [handle_of(1)]
    assert abouts(ledger)[-1][2] == "A correction was decided: corrected"
    record = coordinator.get(f"/coordinator/incidents/{REFERENCE}").get_data(as_text=True)
    assert words.GROUNDS["not_there"] in record
    assert "Corrected" in record
    assert "Corrected" in command.get("/corrections/").get_data(as_text=True)


def _handle(store: Store, name: str) -> str:
    with store.read() as session:
        return session.scalars(select(DeskAccount.handle).where(DeskAccount.sign_in_name == name)).one()


def test_the_form_tells_nothing_of_incidents_or_people(browser: Callable[..., Browser], store: Store) -> None:
    one = browser("officer")
    answers = set()
    for reference, number in [(REFERENCE, "100"), (REFERENCE, "999"), ("CI-none", "100"), ("CI-none", "999")]:
        sent = one.post("/corrections/", {"reference": reference, "number": number, "ground": "not_there"})
        page = one.get("/corrections/").get_data(as_text=True)
        assert "Person00" not in page
        answers.add((sent.status_code, sent.location, len(re.findall("Waiting", page))))
        with store.write() as session:
            session.execute(delete(Correction))
    assert answers == {(303, "/corrections/?done=asked", 1)}
    assert one.post("/corrections/", {"reference": "no words", "ground": "not_there"}).status_code == 400


@pytest.mark.parametrize("role", ["officer", "command", "hr", "admin", "trustee"])
def test_others_do_not_see_requests(
    browser: Callable[..., Browser], store: Store, ledger: RememberingLedger, role: str
) -> None:
    with store.write() as session:
        key = corrections.ask(session, ASKER, REFERENCE, "100", "not_there")
    other = browser(role)
    assert other.get("/coordinator/corrections/").status_code == 403
    assert other.get(f"/coordinator/corrections/{key}").status_code == 403
    assert {handle for handle, *_ in abouts(ledger)} == {handle_of(0), ASKER}  # a refused look is in the log
    assert other.post(f"/coordinator/corrections/{key}", {"decision": "made"}).status_code == 403
    assert "Waiting" not in other.get("/corrections/").get_data(as_text=True)
    assert browser("coordinator").get(f"/coordinator/corrections/{key}").status_code == 200  # control
