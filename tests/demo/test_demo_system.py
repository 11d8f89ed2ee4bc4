"""The demonstration as one running whole: up, again up, drop, next day, attack, stop; and no marker anywhere."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from appliance.desk.models.follow_up import Incident
from appliance.settings import Home
from appliance.storage import open_store
from provisioning.supervise import Supervisor
from tests.demonstration import attack_search, calls
from tests.demonstration.agency import ROLES
from tests.demonstration.up import code_digest
from tests.support.system import System, demo
from tests.support.waiting import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


def test_it_comes_up_and_says_how_to_sign_in(agency: System) -> None:
    for role in ROLES:
        person = agency.person(role)
        assert person.name in agency.output and person.password in agency.output
        assert re.fullmatch(
            r"[0-9]{6}  \((good for|used already; the next one comes in) [0-9]+ s\)\n",
            agency.demo("code", role).stdout,
        )
    for role in ("officer", "peer", "clinician"):
        assert agency.person(role).passphrase in agency.output


def test_a_second_up_changes_nothing_and_is_fast(agency: System) -> None:
    before = Supervisor(agency.home)._ours()
    # While somebody edits the program beside this test, a restart is what `up` owes them.
    unchanged = json.loads((agency.home.root / "run" / "started.json").read_text())["code"] == code_digest()
    started = time.monotonic()
    again = agency.demo("up", "--ports-from", "free")
    assert time.monotonic() - started < 30
    assert (Supervisor(agency.home)._ours() == before) is unchanged
    assert agency.person("officer").name in again.stdout


def test_every_role_can_sign_in(agency: System) -> None:
    for role in ROLES:
        session = agency.sign_in(role)
        assert session["state"] == "ready"
        assert role in session["roles"]


def _incidents(home: Home) -> set[str]:
    store = open_store(home, "desk")
    try:
        with store.read() as session:
            return {row.reference for row in session.query(Incident)}
    finally:
        store.close()


def _new_incidents(home: Home, before: set[str]) -> set[str]:
    return until(lambda: _incidents(home) - before, seconds=15)


def test_each_dropped_incident_is_in_the_queue_within_15_seconds(agency: System) -> None:
    for _ in range(2):
        before = _incidents(agency.home)
        said = agency.demo("drop").stdout
        assert "first on scene" in said
        new = _new_incidents(agency.home, before)
        assert len(new) == 1


def test_the_next_day_publishes_boards(agency: System) -> None:
    index = agency.home.public / "boards" / "index.json"
    before = json.loads(index.read_text()) if index.exists() else []
    said = agency.demo("next-day").stdout
    assert "next day" in said
    fresh = json.loads(index.read_text())[len(before) :]
    assert {board["kind"] for board in fresh} >= {"requests", "replies"}
    assert len({board["epoch"] for board in fresh}) == 1


def test_root_finds_no_typed_word_and_is_noticed(agency: System) -> None:
    report = json.loads(agency.demo("attack", "--json").stdout)
    assert report["search"]["places"] == []
    assert report["control"]["places"], "the control text was not found: the search proves nothing"
    untouched, *forged = report["forgeries"]
    assert not untouched["detected"] and forged and all(forgery["detected"] for forgery in forged)
    words = agency.demo("attack").stdout
    assert "Every promise held." in words and "What root did learn" in words


def test_root_does_find_what_lies_in_the_open(agency: System) -> None:
    secret = "a sentence that was typed into a wrong place by mistake"
    stray = agency.home.log / "stray.log"
    stray.write_text(f"before {secret} after")
    try:
        failed = agency.demo("attack", secret, "--json", check=False)
        assert failed.returncode == 1
        assert json.loads(failed.stdout)["search"]["places"] == ["log/stray.log"]
    finally:
        stray.unlink()


def test_no_narrative_address_or_caller_anywhere(agency: System) -> None:
    until(lambda: not any(_still_dropped(agency.home)), seconds=60)
    for marker in (calls.NARRATIVE, calls.ADDRESS, calls.CALLER):
        assert attack_search.search(agency.home, marker).places == []
    # The control: the same search finds a call's number, which the intake may keep.
    store = open_store(agency.home, "intake")
    try:
        from appliance.intake.models import Call

        with store.read() as session:
            number = session.scalars(select(Call.number)).first()
            assert number is not None
    finally:
        store.close()
    assert attack_search.search(agency.home, number).places


def _still_dropped(home: Home) -> list[Path]:
    return [path for feed in home.settings().feeds for path in home.drop(feed.name).rglob("*") if path.is_file()]


def test_stop_leaves_no_process_and_up_goes_on(agency: System) -> None:
    supervisor = Supervisor(agency.home)
    assert len(supervisor._ours()) > 10
    assert "stopped" in agency.demo("stop").stdout
    assert supervisor._ours() == []
    assert "nothing was running" in demo(agency.home, "stop").stdout
    words = agency.person("officer").passphrase
    agency.demo("up")
    assert agency.person("officer").passphrase == words
    assert supervisor.is_running()
