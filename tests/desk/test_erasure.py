"""Promise: who leaves is gone from desk, intake and ledger, bytes and all, and nobody else is shown a difference."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from appliance import clock, erasure_list, rules
from appliance.charter import Charter
from appliance.crypto.sealing import info, key_pair, open_sealed
from appliance.desk import erasure, vault, worker
from appliance.desk.models.people import DeskAccount
from appliance.desk.models.vault import Delivery, Entry, Head
from appliance.desk.people import holds
from appliance.errors import WardwellError
from appliance.intake import models as intake_models
from appliance.ledger import entries as ledger_entries
from appliance.ledger.models import Person as Remembered
from appliance.post import models as post_models
from appliance.settings import Home
from appliance.spool import delivery
from appliance.spool.append import LedgerDown, append
from appliance.spool.messages import Append, EpochTurned, HeadProof, ProvisionalKeyHandedOver, SealedExposure
from appliance.storage import Store
from tests.desk.leaving import (
    BLOB,
    DELTA,
    HANDED,
    KEPT,
    MAILBOX,
    MARKS,
    PAIR,
    QUEUED,
    SIZE,
    UNSENT,
    Agency,
    enrol,
    worker_account,
)
from tests.support.desk_site import Browser, Space, add_member
from tests.support.ledger import RunningLedger
from tests.support.pages import decrypted, everywhere


@pytest.fixture
def agency(
    home: Home, desk: Store, ledger: RunningLedger, charter: Charter, store_of: Callable[[str], Store]
) -> Iterator[Agency]:
    leaver, stays = add_member(desk, "reyes", "officer"), add_member(desk, "vale", "officer")
    made = Agency(home, desk, store_of("intake"), ledger, leaver, stays, charter)
    for member, blob, key in ((leaver, BLOB, MAILBOX), (stays, b"other officer   ", key_pair(b"o" * 32).public)):
        made.look(member.handle)
        enrol(made, member, blob, key)
    vault.save(desk, leaver.handle, 1, KEPT * (SIZE // len(KEPT)), keep=True)
    vault.save(desk, leaver.handle, 2, BLOB * (SIZE // len(BLOB)), keep=False)
    made.pump()
    other = b"of who stays"
    for member, mark, handed, queued in ((leaver, DELTA, HANDED, QUEUED), (stays, other, other, other)):
        sealed = SealedExposure(handle=member.handle, kind="delta", cycle=1, sealed=mark)
        delivery.send(home, "intake", "desk", sealed)
        delivery.send(home, "ledger", "desk", ProvisionalKeyHandedOver(handle=member.handle, sealed=handed))
        head: dict[str, Any] = {
            "epoch": 1,
            "leaf_index": 1,
            "last_sequence": 1,
            "key_hash": "",
            "salt": "",
            "position": 0,
            "rows": 1,
        }
        delivery.send(home, "ledger", "desk", HeadProof(handle=member.handle, proof=[], **head))
        with made.intake.write() as session:
            session.add(intake_models.Waiting(handle=member.handle, contribution=queued))
    made.pump()
    with made.intake.write() as session:  # sealed and not sent yet
        late = SealedExposure(handle=leaver.handle, kind="delta", cycle=2, sealed=UNSENT)
        delivery.enqueue(session, intake_models.Outbox, late, receiver="desk")
    yield made


def found_marks(home: Home) -> set[str]:
    """Which of the leaver's bytes are anywhere on the disk; base64 too, as messages carry them."""
    there = everywhere(home, ("desk", "intake", "ledger"))
    return {name for name, mark in MARKS.items() if mark in there or base64.b64encode(mark)[4:-4] in there}


def test_nothing_is_left_in_any_page_of_any_database(agency: Agency) -> None:
    """Also not in free pages and write-ahead logs; who stays keeps everything."""
    leaver, stays = agency.leaver.handle, agency.stays.handle
    before = agency.rows(stays)
    assert (
        min(n for name, n in agency.rows(leaver).items() if name != "desk outbox") >= 1
    )  # control: all of it is there
    assert found_marks(agency.home) == set(MARKS)  # control: and the search finds it

    assert agency.leave(word="erase ") == clock.now().date() + timedelta(days=35)
    agency.pump()
    agency.scrub()
    assert set(agency.rows(leaver).values()) == {0}
    # The mailbox key stands in its public leaf for good, as the page says; nothing else is anywhere.
    assert found_marks(agency.home) == {"mailbox key"}
    assert MAILBOX[:64] not in decrypted(agency.home, "desk") + decrypted(agency.home, "intake")
    assert agency.rows(stays) == before


def test_without_emptying_the_log_the_bytes_would_still_be_there(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control of the search, and of why the log is emptied."""
    monkeypatch.setattr(Store, "scrub", lambda _store: True)
    agency.leave()
    assert BLOB in decrypted(agency.home, "desk")
    monkeypatch.undo()
    worker.upkeep(agency.desk, agency.charter)
    assert BLOB not in decrypted(agency.home, "desk")


def test_the_ledger_says_that_and_not_who(agency: Agency) -> None:
    agency.leave()
    (leaf,) = agency.ledger.leaves("erased")
    assert set(leaf) == {"v", "kind", "at", "subject"} and len(leaf["subject"]) == 64
    assert agency.leaver.handle not in json.dumps(leaf)
    listed = (erasure_list.folder(agency.home) / erasure_list.LIST).read_text()
    assert agency.leaver.handle not in listed and "N-reyes" not in listed
    entry = erasure_list.entries(agency.home)[0]
    assert entry.person == erasure_list.person_of(erasure_list.own_secret(agency.home), agency.leaver.handle)
    assert entry.person != erasure_list.person_of(bytes(32), agency.leaver.handle)  # nobody's without the secret


def test_what_was_on_its_way_arrives_at_nothing_and_what_comes_later_is_new(agency: Agency) -> None:
    handle = agency.leaver.handle
    agency.look(handle)
    agency.ledger.log.flush()  # spooled, not yet taken
    delivery.send(agency.home, "intake", "desk", SealedExposure(handle=handle, kind="delta", cycle=9, sealed=DELTA))
    agency.leave()
    agency.look(handle)
    agency.pump()
    with agency.desk.read() as session:
        assert session.scalar(select(func.count()).select_from(Delivery).where(Delivery.handle == handle)) == 0
        entries = session.scalars(select(Entry).where(Entry.handle == handle)).all()
        # Numbered from one again, to a key of the ledger's: as for somebody who never enrolled.
        assert [(entry.sequence, entry.provisional) for entry in entries] == [(1, True)]


def test_signing_in_afterwards_is_as_for_a_new_officer(agency: Agency, space: Callable[[], Space]) -> None:
    one, other = space(), space()
    assert one.sign_in(agency.leaver).status_code == 200 and other.sign_in(agency.stays).status_code == 200
    told = one.call("GET", "/api/leave").get_json()["gone_by"]
    assert date.fromisoformat(told) == clock.now().date() + timedelta(days=35)
    handle = agency.leaver.handle
    sealed = base64.b64decode(one.call("GET", "/api/leave").get_json()["challenge"])
    right = base64.b64encode(open_sealed(PAIR.seed, sealed, info=info("leave", handle))).decode()
    second = space()  # the answer of one session is none in another: who cannot open the space cannot erase it
    assert second.sign_in(agency.leaver, agency.leaver.code(1)).status_code == 200
    for who, word, said in ((one, "yes", right), (one, "ERASE", ""), (second, "ERASE", right)):
        assert who.call("POST", "/api/leave", {"word": word, "answer": said}).status_code == 400
    assert agency.rows(handle)["vault"] == 1
    answer = one.call("POST", "/api/leave", {"word": "ERASE", "answer": right})
    assert (answer.status_code, answer.get_json()) == (200, {"gone_by": told})
    assert one.call("GET", "/api/vault").status_code == 401  # every session of theirs is over
    assert other.call("GET", "/api/vault").status_code == 200
    agency.pump()

    again, new = space(), space()
    back = again.sign_in(agency.leaver, "").get_json()
    fresh = new.sign_in(add_member(agency.desk, "newcomer", "officer", enrolled=False), "").get_json()
    own = {"token", "handle", "name", "now"}
    assert {k: v for k, v in back.items() if k not in own} == {k: v for k, v in fresh.items() if k not in own}
    assert (back["state"], back["enrolled"]) == ("needs_slip", False)
    enrol(agency, agency.leaver, b"a second space  ", key_pair(b"2" * 32).public)
    agency.look(agency.leaver.handle)
    agency.pump()
    worker.upkeep(agency.desk, agency.charter)  # the list names the first space, not this one
    assert agency.rows(agency.leaver.handle)["vault"] == 1 and agency.rows(agency.leaver.handle)["mailbox_key"] == 1


def test_a_role_keeps_its_sign_in(desk: Store, agency: Agency) -> None:
    both = add_member(desk, "both", "officer", "coordinator")
    enrol(agency, both, b"of a coordinator", key_pair(b"3" * 32).public)
    agency.leave(both, key_pair(b"3" * 32).seed)
    assert worker_account(agency, both).roles == {"officer", "coordinator"}
    with desk.read() as session:
        assert session.get_one(DeskAccount, both.handle).totp_secret == both.secret
        assert session.get_one(DeskAccount, agency.leaver.handle).totp_secret == agency.leaver.secret


def test_when_the_ledger_is_down_nothing_is_destroyed(agency: Agency) -> None:
    before = agency.rows(agency.leaver.handle)
    agency.ledger.down = True
    with pytest.raises(LedgerDown):
        agency.leave()
    agency.ledger.down = False
    assert erasure_list.entries(agency.home) == []
    worker.upkeep(agency.desk, agency.charter)
    assert agency.rows(agency.leaver.handle) == before


@pytest.mark.parametrize("at", ["before the ledger", "after the ledger"])
def test_an_interrupted_erasure_is_finished(agency: Agency, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    def cut(home: Home, request: Append) -> Any:
        if at == "after the ledger":
            append(home, request)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(erasure, "append", cut)
        agency.leave()
    assert agency.rows(agency.leaver.handle)["vault"] == 1  # control: it was interrupted
    worker.upkeep(agency.desk, agency.charter)
    agency.pump()
    agency.scrub()
    assert set(agency.rows(agency.leaver.handle).values()) == {0}
    assert len(agency.ledger.leaves("erased")) == 1
    assert erasure.finish(agency.desk) == 0


def test_nobody_in_the_agency_is_shown_who_left(agency: Agency, app: Flask, home: Home) -> None:
    """The pages of coordinator, command, trustee, auditor and administrator are the same bytes before and after."""
    pages = {
        "coordinator": ["/coordinator/queue/", "/coordinator/news"],
        "command": ["/dashboard/", "/releases/"],
        "trustee": ["/trustee/", "/trustee/slips/", "/roles/"],
        "auditor": ["/reports/"],
        "admin": ["/status/"],
    }
    readers = {
        role: Browser(app, home).use(agency.desk, add_member(agency.desk, f"a-{role}", role).handle) for role in pages
    }
    now = clock.now()

    def shown() -> dict[str, tuple[int, str]]:
        with clock.held(now):
            return {
                path: (answer.status_code, answer.get_data(as_text=True))
                for role, paths in pages.items()
                for path in paths
                for answer in [readers[role].get(path)]
            }

    before = shown()
    agency.leave()
    agency.pump()
    after = shown()
    assert before == after
    assert {page[0] for page in before.values()} == {200}


def test_nobody_can_be_made_to_leave_by_another(agency: Agency) -> None:
    """A leaf that says so goes with forgetting, forgetting with a leaf; a person without a key loses nothing."""
    with pytest.raises(LedgerDown):
        append(agency.home, Append(kind="erased", public={"subject": "x"}))
    with pytest.raises(LedgerDown):
        append(agency.home, Append(kind="account", public={"subject": "x"}, forget=agency.leaver.handle))
    newcomer = add_member(agency.desk, "newcomer", "officer")
    agency.look(newcomer.handle)
    told = append(agency.home, Append(kind="erased", public={"subject": "x"}, forget=newcomer.handle))
    assert told.public_index == -1 and agency.ledger.leaves("erased") == []
    with agency.ledger.store.read() as session:
        assert session.get_one(Remembered, newcomer.handle).last_sequence == 1
    with pytest.raises(WardwellError):
        agency.leave(newcomer)


def test_leaving_is_no_way_to_the_calls_of_before(agency: Agency) -> None:
    """A replaced key gets nothing of the time before; after leaving, the next one does not either."""
    handle, key = agency.leaver.handle, key_pair(b"4" * 32)
    first = agency.intake
    with first.read() as session:
        assert session.get_one(intake_models.MailboxKey, handle).since is None  # control: a first key gets all of it
    enrol(agency, agency.leaver, b"a stolen slip   ", key.public, replace=True)
    agency.pump()
    agency.leave(seed=key.seed)
    agency.pump()
    with first.read() as session:
        left = session.get_one(intake_models.MailboxKey, handle)
        assert (left.public_key, left.leaf_index) == (b"", -1)
    enrol(agency, agency.leaver, b"another slip    ", key_pair(b"5" * 32).public)
    agency.pump()
    with first.read() as session:
        assert session.get_one(intake_models.MailboxKey, handle).since is not None


def test_post_has_nothing_of_anybody() -> None:
    """So it is told nothing: no table of its own has a column that could name a person."""
    columns = {c.name for table in post_models.Base.metadata.tables.values() for c in table.columns}
    assert columns.isdisjoint({"handle", "person_id", "person"}) and "cells" in columns


def test_the_epoch_after_names_only_who_is_there(agency: Agency) -> None:
    agency.leave()
    with agency.ledger.store.write() as session:
        ledger_entries.turn_epoch(session, EpochTurned(epoch=2))
    agency.pump()
    with agency.desk.read() as session:
        assert [row.handle for row in session.scalars(select(Head))] == [agency.stays.handle]


def test_old_entries_of_the_list_are_dropped(agency: Agency) -> None:
    secret = erasure_list.own_secret(agency.home)
    assert erasure_list.own_secret(agency.home) == secret
    with clock.held(clock.now() - timedelta(days=43)):
        erasure_list.add(agency.home, erasure_list.new_entry(secret, "a" * 32, b"old"))
    with clock.held(clock.now() - timedelta(days=41)):
        erasure_list.add(agency.home, erasure_list.new_entry(secret, "b" * 32, b"young"))
    assert erasure_list.drop_old(agency.home) == 1
    assert [one.person for one in erasure_list.entries(agency.home)] == [erasure_list.person_of(secret, "b" * 32)]
    (erasure_list.folder(agency.home) / erasure_list.LIST).write_text("[")
    with pytest.raises(WardwellError):
        erasure_list.entries(agency.home)


def test_the_page_names_the_day_that_desk_names() -> None:
    """The browser asks nobody for it before the word is typed."""
    said = json.loads((Path(rules.__file__).parent / "constants.json").read_text())
    assert said["backup_days"] == erasure_list.BACKUP_DAYS == 35


def test_a_legal_hold_is_told_before_leaving_and_keeps_nothing_of_the_space(
    agency: Agency, space: Callable[[], Space]
) -> None:
    one, other = space(), space()
    assert one.sign_in(agency.leaver).status_code == 200 and other.sign_in(agency.stays).status_code == 200
    handle = agency.leaver.handle
    cory, terry = (
        worker_account(agency, add_member(agency.desk, name, role))
        for name, role in (("cory", "coordinator"), ("terry", "trustee"))
    )
    holds.propose(agency.desk, agency.charter, cory, handle, "LIT-2026-0042")
    assert one.call("GET", "/api/leave").get_json()["holds"] == []
    with agency.desk.read() as session:
        hold = holds.listed(session)[0].id
    holds.countersign(agency.desk, agency.charter, terry, hold)
    today = clock.now().date().isoformat()
    told = one.call("GET", "/api/leave").get_json()["holds"]
    assert told == [{"matter": "LIT-2026-0042", "placed_on": today, "reviewed_on": today}]
    assert other.call("GET", "/api/leave").get_json()["holds"] == []  # control: whoever is not held

    agency.leave()
    agency.pump()
    agency.scrub()
    # All that only the officer could open is gone as without the hold; the hold itself stands, here and in the intake.
    assert set(agency.rows(handle).values()) == {0}
    assert found_marks(agency.home) == {"mailbox key"}
    assert holds.told(agency.desk, handle)
    with agency.intake.read() as session:
        assert session.scalars(select(intake_models.Held.person_id)).all() == ["N-reyes"]
