"""Promise: desk's worker acts on each message once, says how it is, and removes what has run out."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from appliance import clock
from appliance.charter import Charter
from appliance.desk import health, slips, worker
from appliance.desk.models.people import Lockout, Slip
from appliance.desk.models.sessions import SessionRow
from appliance.desk.sign_in import lockout, sessions
from appliance.runtime.turns import Control
from appliance.spool import delivery, messages
from appliance.spool.messages import Health
from appliance.storage import Store
from tests.support.desk_site import add_member
from tests.support.waiting import until

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_every_message_to_desk_has_a_handler(charter: Charter) -> None:
    to_desk = {
        kind
        for kind in vars(messages).values()
        if isinstance(kind, type)
        and issubclass(kind, messages.Message)
        and getattr(kind, "crosses", ("", ""))[1] == "desk"
    }
    assert len(to_desk) >= 8 and to_desk == set(worker.handlers(charter))


def test_health_is_the_newest_and_silence_is_not_well(desk: Store, charter: Charter) -> None:
    with clock.held(NOON):
        for minutes, ok in ((0, True), (-5, False)):
            said = Health(
                compartment="post", at=NOON + timedelta(minutes=minutes), ok=ok, facts={"cells": "2"}, fix="fix"
            )
            delivery.send(desk.home, "post", "desk", said)
            worker.once(desk, worker.handlers(charter))
        lines = {line.compartment: line for line in health.shown(desk)}
        assert lines["post"].ok and lines["post"].facts == {"cells": "2"}
        assert not lines["intake"].ok and lines["intake"].fix
    with clock.held(NOON + timedelta(minutes=1)):
        assert not {line.compartment: line for line in health.shown(desk)}["post"].ok


def test_what_has_run_out_is_removed_and_what_has_not_stays(desk: Store, charter: Charter) -> None:
    member = add_member(desk, "reyes", "officer")
    other = add_member(desk, "vale", "officer")
    with clock.held(NOON - timedelta(days=20)):
        slips.issue(desk, member.handle)
        sessions.start(desk, member.handle, sessions.SPACE, "ready")
        lockout.start(desk, charter, ["old"])
    with clock.held(NOON):
        slips.issue(desk, other.handle)
        sessions.start(desk, other.handle, sessions.SPACE, "ready")
        lockout.start(desk, charter, ["new"])
        worker.clean(desk, charter)
    with desk.read() as session:
        assert [row.handle for row in session.query(Slip)] == [other.handle]
        assert [row.handle for row in session.query(SessionRow)] == [other.handle]
        assert [row.key for row in session.query(Lockout)] == ["new"]


def test_the_worker_runs_until_it_is_stopped(desk: Store, ledger: Any) -> None:
    delivery.send(desk.home, "post", "desk", Health(compartment="post", at=clock.now(), ok=True, facts={}, fix=""))
    control, ready = Control(), threading.Event()
    thread = threading.Thread(target=worker.work, args=(desk.home, control, ready.set))
    thread.start()
    try:
        assert ready.wait(10)
        until(lambda: {line.compartment for line in health.shown(desk) if line.at is not None} >= {"post", "desk"})
    finally:
        control.stop()
        thread.join(20)
    assert not thread.is_alive()


def test_upkeep_that_is_asked_for_does_not_wait_for_its_minute(
    desk: Store, ledger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleaned: list[Charter] = []
    monkeypatch.setattr(worker, "upkeep", lambda _, charter: cleaned.append(charter))
    recorded: list[tuple[int, int]] = []
    control = Control(lambda *counts: recorded.append(counts))
    thread = threading.Thread(target=worker.work, args=(desk.home, control))
    thread.start()
    try:
        until(lambda: len(cleaned) == 1)
        control.upkeep()
        until(lambda: recorded == [(1, 0), (1, 1)])
        assert len(cleaned) == 2
    finally:
        control.stop()
        thread.join(20)
