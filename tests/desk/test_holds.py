"""Promise: two people, one of them the trustee, hold the agency's own records and nothing else; the person is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from appliance import clock
from appliance.account import Account
from appliance.charter import Charter
from appliance.desk import worker
from appliance.desk.models.holds import Hold
from appliance.desk.models.people import Grant
from appliance.desk.people import holds
from appliance.desk.sign_in import accounts
from appliance.errors import WardwellError
from appliance.intake import models as intake_models
from appliance.intake import serve as intake
from appliance.intake.models import Call, Held, Involvement, Part, TakenFile, UnitShift
from appliance.intake.settle.expiry import expire
from appliance.spool import delivery
from appliance.spool.messages import LegalHold
from appliance.storage import Store
from tests.support.desk_site import Browser, add_member, add_person
from tests.support.ledger import RunningLedger

MATTER = "LIT-2026-0042"


@pytest.fixture
def handle(desk: Store) -> str:
    return add_person(desk, "N-held", "Held Person")


@pytest.fixture
def person(desk: Store) -> Callable[..., Account]:
    def make(name: str, *roles: str) -> Account:
        found = accounts.load(desk, add_member(desk, name, *roles).handle)
        assert found is not None
        return found

    return make


def _only(desk: Store) -> holds.Held:
    with desk.read() as session:
        (row,) = holds.listed(session)
    return row


def _in_force(desk: Store, charter: Charter, coordinator: Account, trustee: Account, handle: str) -> int:
    holds.propose(desk, charter, coordinator, handle, MATTER)
    holds.countersign(desk, charter, trustee, _only(desk).id)
    return _only(desk).id


def test_two_people_place_review_and_lift_and_each_step_is_in_both_logs(
    desk: Store, ledger: RunningLedger, charter: Charter, handle: str, person: Callable[..., Account]
) -> None:
    coordinator, trustee = person("cory", "coordinator"), person("terry", "trustee")
    holds.propose(desk, charter, coordinator, handle, " lit-2026-0042 ")
    assert (_only(desk).state, holds.told(desk, handle)) == ("proposed", [])
    holds.countersign(desk, charter, trustee, _only(desk).id)
    number = _only(desk).id
    today = clock.now().date().isoformat()
    assert holds.told(desk, handle) == [holds.Told(MATTER, today, today)]
    with clock.held(clock.now() + timedelta(days=90)):
        holds.review(desk, charter, trustee, number)
        later = clock.now().date().isoformat()
    assert holds.told(desk, handle) == [holds.Told(MATTER, today, later)]
    holds.propose_end(desk, charter, trustee, number)
    assert _only(desk).state == "ending" and holds.told(desk, handle)  # still in force
    holds.countersign(desk, charter, coordinator, number)
    assert holds.told(desk, handle) == []
    with desk.read() as session:
        assert holds.listed(session) == []

    notes = [(entry["actor"], entry["category"], entry["note"]) for entry in ledger.entries(handle)]
    assert [actor for actor, _, _ in notes] == ["The cory", "The terry", "The terry", "The terry", "The cory"]
    assert all(category == "legal_hold" and note.endswith(f"({MATTER})") for _, category, note in notes)
    assert "was placed" in notes[1][2] and "was lifted" in notes[4][2]
    leaves = ledger.leaves("legal-hold")
    assert [leaf["act"] for leaf in leaves] == ["placed", "lifted"]
    # Everybody can count holds; nobody can tell whose, or for what.
    assert all(set(leaf) == {"v", "kind", "at", "act", "subject"} for leaf in leaves)
    assert leaves[0]["subject"] == leaves[1]["subject"]
    assert handle not in str(leaves) and MATTER not in str(leaves)


def test_one_person_or_nobody_of_the_trustees_is_not_enough(
    desk: Store, ledger: RunningLedger, charter: Charter, handle: str, person: Callable[..., Account]
) -> None:
    cory, sandy = person("cory", "coordinator"), person("sandy", "coordinator")
    terry, chief = person("terry", "trustee"), person("chief", "command")
    holds.propose(desk, charter, cory, handle, MATTER)
    number = _only(desk).id
    for who, why in ((cory, "cannot countersign"), (sandy, "must be the officers' trustee"), (chief, "charter")):
        with pytest.raises(WardwellError, match=why):
            holds.countersign(desk, charter, who, number)
    with pytest.raises(WardwellError, match="charter"):
        holds.propose(desk, charter, chief, handle, "LIT-2026-2")
    assert holds.told(desk, handle) == []
    holds.countersign(desk, charter, terry, number)  # control
    holds.propose_end(desk, charter, cory, number)
    with pytest.raises(WardwellError, match="must be the officers' trustee"):
        holds.countersign(desk, charter, sandy, number)
    assert len(holds.told(desk, handle)) == 1
    # Nobody decides about their own records, whichever role they hold.
    with pytest.raises(WardwellError, match="own records"):
        holds.propose(desk, charter, terry, terry.id, "LIT-2026-3")


@pytest.mark.parametrize(
    "matter", ["", "Miller case", "LIT-2026", "LIT-26-1", "L-2026-1", "LIT-2026-1 theft", "LIT-2026-1\n2"]
)
def test_a_matter_is_a_code_and_no_words(
    desk: Store, ledger: RunningLedger, charter: Charter, handle: str, person: Callable[..., Account], matter: str
) -> None:
    with pytest.raises(WardwellError, match="reference"):
        holds.propose(desk, charter, person("terry", "trustee"), handle, matter)
    assert ledger.entries(handle) == []


def test_proposals_and_lifted_holds_are_forgotten_in_time(
    desk: Store, ledger: RunningLedger, charter: Charter, handle: str, person: Callable[..., Account]
) -> None:
    cory, terry = person("cory", "coordinator"), person("terry", "trustee")
    number = _in_force(desk, charter, cory, terry, handle)
    holds.propose(desk, charter, cory, add_person(desk, "N-other", "Other"), MATTER)

    def left(days: int) -> list[str]:
        with clock.held(clock.now() + timedelta(days=days)):
            worker.clean(desk, charter)
        with desk.read() as session:
            return list(session.scalars(select(Hold.handle)))

    assert len(left(13)) == 2
    assert left(15) == left(10_000) == [handle]  # one in force ends by two people alone
    holds.propose_end(desk, charter, cory, number)
    holds.countersign(desk, charter, terry, number)
    assert left(charter.constants.involvement_days - 1) == [handle]
    assert left(charter.constants.involvement_days + 1) == []


def test_the_page_shows_each_hold_and_its_person_that_it_was_read(
    desk: Store,
    ledger: RunningLedger,
    handle: str,
    browser: Callable[[], Browser],
) -> None:
    cory = browser().use(desk, add_member(desk, "cory", "coordinator").handle)
    terry = browser().use(desk, add_member(desk, "terry", "trustee").handle)
    refused = cory.fill("/holds/", {"person": "N-held", "matter": "the Miller case"})
    assert refused.status_code == 400 and "no words" in refused.get_data(as_text=True)
    assert cory.fill("/holds/", {"person": "N-held", "matter": MATTER}).status_code == 303
    page = terry.get("/holds/").get_data(as_text=True)
    assert "Held Person" in page and MATTER in page and "Countersign" in page
    notes = [entry["note"] for entry in ledger.entries(handle)]
    assert notes[-1] == "The list of legal holds was read" and "was proposed" in notes[0]
    assert terry.post(f"/holds/{_only(desk).id}/countersign").status_code == 303
    assert "In force" in cory.get("/holds/").get_data(as_text=True)
    # Command sees nothing, and that it tried is in the person's log.
    chief = browser().use(desk, add_member(desk, "chief", "command").handle)
    assert chief.get("/holds/").status_code == 403
    assert ledger.entries(handle)[-1]["outcome"] == "refused"


class Records:
    """The intake with one old call of two people, units and a unit log, and one young call."""

    def __init__(self, store: Store, charter: Charter) -> None:
        self.store, self.charter = store, charter
        now = clock.now()
        old = now - timedelta(days=charter.constants.involvement_days + 1)
        with store.write() as session:
            for number, at in enumerate((old, now), start=1):
                call = {"feed": "cad", "number": f"C{number}", "stamp": "1", "digest": b"d", "revision": 1}
                session.add(Call(id=number, received=at, type="x", noticed=True, open=False, merged_into="", **call))
                session.flush()
                for who in ("N-held", "N-other"):
                    row: dict[str, Any] = {
                        "call_id": number,
                        "unit": "1A1",
                        "role": "responding",
                        "start": at,
                        "end": at,
                    }
                    session.add(Involvement(person_id=who, month=1, **row))
                    session.add(Part(person_id=who, lead="", roster="", **row))
                    session.add(UnitShift(unit=who, start=at, end=at, person_id=who, stamp="1", replaced=False))
            session.add(TakenFile(sha256="a", feed="cad", name="f", at=old, taken=True))

    def take(self) -> None:
        """What desk sent."""
        delivery.receive(self.store, intake_models.SeenMessage, intake.HANDLERS, ("desk",))

    def of(self, call: int) -> set[str]:
        with self.store.read() as session:
            return set(session.scalars(select(Involvement.person_id).where(Involvement.call_id == call)))

    def shifts(self) -> list[str]:
        with self.store.read() as session:
            return sorted(session.scalars(select(UnitShift.person_id)))

    def expire(self) -> None:
        expire(self.store, self.charter, doubtful_too=False)


@pytest.fixture
def records(store_of: Callable[[str], Store], charter: Charter) -> Records:
    return Records(store_of("intake"), charter)


def test_without_a_hold_everything_old_expires(records: Records) -> None:
    """The control of the next."""
    records.expire()
    assert (records.of(1), records.of(2)) == (set(), {"N-held", "N-other"})
    assert records.shifts() == ["N-held", "N-other"]  # the young ones
    with records.store.read() as session:
        assert session.scalars(select(Call.id)).all() == [2]


def test_held_rows_stay_and_nobody_elses_and_go_when_it_is_lifted(
    desk: Store,
    ledger: RunningLedger,
    charter: Charter,
    handle: str,
    person: Callable[..., Account],
    records: Records,
) -> None:
    cory, terry = person("cory", "coordinator"), person("terry", "trustee")
    number = _in_force(desk, charter, cory, terry, handle)
    # A second matter holds the same rows until it is lifted too.
    holds.propose(desk, charter, terry, handle, "AG-2026-1")
    with desk.read() as session:
        second = next(row.id for row in holds.listed(session) if row.matter == "AG-2026-1")
    holds.countersign(desk, charter, cory, second)
    records.take()
    for _ in range(2):
        records.expire()
        assert (records.of(1), records.of(2)) == ({"N-held"}, {"N-held", "N-other"})
        assert records.shifts() == ["N-held", "N-held", "N-other"]
    with records.store.read() as session:
        # The call's own row stays for its times; who was on which unit does not, and a re-drop is no repeat.
        assert session.scalars(select(Part.call_id).distinct()).all() == [2]
        assert session.get_one(Call, 1).digest == b"" and session.get_one(Call, 2).digest == b"d"
        assert session.scalars(select(TakenFile.sha256)).all() == []

    for one in (number, second):
        holds.propose_end(desk, charter, cory, one)
        holds.countersign(desk, charter, terry, one)
        records.take()
        if one == number:
            records.expire()
            assert records.of(1) == {"N-held"}
    records.expire()
    assert (records.of(1), records.of(2)) == (set(), {"N-held", "N-other"})
    assert records.shifts() == ["N-held", "N-other"]


def test_a_message_that_comes_twice_holds_once(records: Records) -> None:
    for held, expected in ((True, ["N-held"]), (True, ["N-held"]), (False, []), (False, [])):
        delivery.send(records.store.home, "desk", "intake", LegalHold(person_id="N-held", held=held))
        records.take()
        with records.store.read() as session:
            assert session.scalars(select(Held.person_id)).all() == expected


def test_a_second_person_who_lost_the_role_meanwhile_does_not_count(
    desk: Store, ledger: RunningLedger, charter: Charter, handle: str, person: Callable[..., Account]
) -> None:
    cory, terry = person("cory", "coordinator"), person("terry", "trustee")
    holds.propose(desk, charter, terry, handle, MATTER)
    with desk.write() as session:
        session.execute(delete(Grant).where(Grant.handle == terry.id))
    with pytest.raises(WardwellError, match="must be the officers' trustee"):
        holds.countersign(desk, charter, cory, _only(desk).id)
