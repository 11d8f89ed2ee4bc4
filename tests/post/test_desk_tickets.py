"""Desk's half: keys that stand in the ledger first, and the same number of tickets for everybody, once."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from appliance import clock
from appliance.crypto import blindrsa
from appliance.desk import tickets
from appliance.desk.models import TicketDraw, TicketKey
from appliance.desk.sign_in import sessions
from appliance.errors import WardwellError
from appliance.rules import months
from appliance.spool.append import LedgerDown
from appliance.storage import Store
from tests.post.post_site import Desk
from tests.post.small_ledger import SmallLedger


def test_keys_of_this_month_and_the_next_stand_in_the_ledger(desk: Desk, ledger: SmallLedger) -> None:
    published = json.loads((desk.store.home.public / "desk" / "ticket-keys.json").read_text())
    this = months.month_of(clock.now())
    wanted = {(p, m) for p in ("request", "reply") for m in (this, months.month_after(this))}
    assert {(k["purpose"], k["period"]) for k in published} == wanted
    assert published == tickets.keys(desk.store)
    for key in published:
        leaf = ledger.entries[key["leaf_index"]]
        assert (leaf["kind"], leaf["spki"], leaf["period"]) == ("ticket-key", key["spki"], key["period"])
        assert blindrsa.load_public(base64.b64decode(key["spki"]), 2048)
    assert tickets.ensure_keys(desk.store, desk.store.home) == 0
    assert len(ledger.entries) == 4


def test_no_ticket_before_the_ledger_has_the_key(ledger: SmallLedger, store_of: Callable[[str], Store]) -> None:
    store = store_of("desk")
    ledger.down = True
    with pytest.raises(LedgerDown):
        tickets.ensure_keys(store, store.home)
    assert tickets.keys(store) == []
    ledger.down = False
    desk = Desk(store)
    assert len(tickets.keys(store)) == 4 and len(ledger.entries) == 4
    assert desk.draw(1)
    with store.write() as session:
        session.execute(update(TicketKey).values(leaf_index=None))
    with pytest.raises(WardwellError, match="not in the access log yet"):
        tickets.sign(store, desk.session(), "request", months.month_of(clock.now()), [b"\1" * 256] * 2)


def test_an_append_whose_answer_was_lost_is_found_again(desk: Desk, ledger: SmallLedger) -> None:
    before = tickets.keys(desk.store)
    with desk.store.write() as session:
        session.execute(update(TicketKey).values(leaf_index=None))
    tickets.ensure_keys(desk.store, desk.store.home)
    assert tickets.keys(desk.store) == before and len(ledger.entries) == 4


def test_the_months_roll(ledger: SmallLedger, store_of: Callable[[str], Store]) -> None:
    store = store_of("desk")
    with clock.held(datetime(2026, 12, 31, 12, tzinfo=UTC)):
        tickets.ensure_keys(store, store.home)
        assert {k["period"] for k in tickets.keys(store)} == {"2026-12", "2027-01"}
    with clock.held(datetime(2027, 2, 1, tzinfo=UTC)):
        tickets.ensure_keys(store, store.home)
        assert {k["period"] for k in tickets.keys(store)} == {"2027-01", "2027-02", "2027-03"}


def test_exactly_the_charters_number_once_per_session(desk: Desk) -> None:
    period, one = months.month_of(clock.now()), b"\1" * 256
    session = desk.session("officer")
    for wrong in ([], [one], [one] * 3, [one, b"\1" * 255]):
        with pytest.raises(WardwellError, match="number of tickets"):
            tickets.sign(desk.store, session, "request", period, wrong)
    assert len(tickets.sign(desk.store, session, "request", period, [one] * 2)) == 2
    with pytest.raises(WardwellError, match="has drawn"):
        tickets.sign(desk.store, session, "request", period, [one] * 2)
    with pytest.raises(WardwellError, match="this month only"):
        tickets.sign(desk.store, desk.session(), "request", "2020-01", [one] * 2)
    with pytest.raises(WardwellError, match="number of tickets"):
        tickets.sign(desk.store, desk.session(), "tally", period, [one] * 2)


def test_reply_tickets_are_for_supporters(desk: Desk) -> None:
    period, eight = months.month_of(clock.now()), [b"\1" * 256] * 8
    for role in ("officer", "coordinator", "command"):
        with pytest.raises(WardwellError, match="Only peers and clinicians"):
            tickets.sign(desk.store, desk.session(role), "reply", period, eight)
    for role in ("peer", "clinician"):
        assert len(tickets.sign(desk.store, desk.session(role), "reply", period, eight)) == 8


def test_an_ended_session_leaves_no_draw(desk: Desk) -> None:
    session = desk.session("officer")
    tickets.sign(desk.store, session, "request", months.month_of(clock.now()), [b"\1" * 256] * 2)
    with desk.store.read() as read:
        assert read.query(TicketDraw).count() == 1
    sessions.end(desk.store, session)
    with desk.store.read() as read:
        assert read.query(TicketDraw).count() == 0
    with pytest.raises(WardwellError, match="session is over"):
        tickets.sign(desk.store, session, "request", months.month_of(clock.now()), [b"\1" * 256] * 2)
