"""`wardwell press work`: takes counts, publishes, tells its health, renders pages, and stops when it is told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.press import worker
from appliance.press.models import Input
from appliance.runtime.turns import Control
from appliance.runtime.worker import ask_upkeep
from appliance.settings import Home
from appliance.spool.delivery import send
from appliance.spool.messages import FollowUpCounts, GroupCount, HeavyCallCounts, Practices
from appliance.storage import Store
from tests.support.waiting import until

HEAVY = HeavyCallCounts(
    period="2026-09", roster_version=1, groups=[GroupCount("A", 60, {"heavy_calls": 131})], feed_days_missing=0
)
FOLLOW = FollowUpCounts(
    period="2026-09", roster_version=1, groups=[GroupCount("A", 60, {"steps_due": 4, "steps_on_time": 3})]
)


def told(home: Home) -> list[dict[str, object]]:
    paths = sorted(home.spool("press", "desk").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    return [json.loads(path.read_bytes()) for path in paths]


def test_a_turn_stores_what_crossed_and_a_ledger_that_is_down_is_a_problem_with_a_fix(
    home: Home, store_of: Callable[[str], Store]
) -> None:
    store = store_of("press")
    send(home, "intake", "press", HEAVY)
    send(home, "desk", "press", FOLLOW)
    assert worker.turn(store) == []
    send(home, "desk", "press", Practices(period="2026-09", facts={}))
    problems = worker.turn(store)
    assert [problem.message for problem in problems] == ["The access log is not answering, so nothing can be shown."]
    health = worker.health(store, problems)
    assert (health.ok, health.compartment) == (False, "press")
    assert health.fix and health.facts["newest release"] == "none yet"
    assert worker.health(store, []).ok


def test_counts_for_no_month_are_dropped_and_do_not_block_what_is_behind_them(
    home: Home, store_of: Callable[[str], Store]
) -> None:
    store = store_of("press")
    send(home, "desk", "press", Practices(period="../../x", facts={}))
    send(home, "desk", "press", FOLLOW)
    worker.turn(store)
    with store.read() as session:
        assert [row.period for row in session.query(Input)] == ["2026-09"]
    assert not list(home.spool("desk", "press").glob("*.json"))


def test_a_message_of_the_wrong_sender_is_set_aside(home: Home, store_of: Callable[[str], Store]) -> None:
    send(home, "desk", "press", HEAVY)
    worker.turn(store_of("press"))
    assert len(list((home.spool("desk", "press") / ".refused").iterdir())) == 1


def work_until_told(home: Home, store: Store) -> None:
    """Let the loop run until it has told how it is."""
    control = Control()
    thread = threading.Thread(target=worker.work, args=(store, control))
    thread.start()
    try:
        until(lambda: bool(told(home)))
    finally:
        control.stop()
        thread.join()


def test_the_loop_tells_its_health_and_renders_the_pages(home: Home, store_of: Callable[[str], Store]) -> None:
    work_until_told(home, store_of("press"))
    assert told(home)[0]["message"] == "Health"
    assert (home.public / "site" / "crisis" / "index.html").exists()


def test_a_wrong_list_of_lines_is_a_health_problem_not_a_crash(home: Home, store_of: Callable[[str], Store]) -> None:
    (home.root / "resources.toml").write_text("nonsense = 1\n")
    work_until_told(home, store_of("press"))
    assert told(home)[0]["ok"] is False


@pytest.mark.system
def test_the_command_makes_the_key_runs_and_ends_at_sigterm(home: Home, store_of: Callable[[str], Store]) -> None:
    store_of("press").close()
    environment = os.environ | {"WARDWELL_HOME": str(home.root)}
    command = [str(Path(sys.executable).with_name("wardwell")), "press", "work"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        until(lambda: bool(told(home)))
        assert ask_upkeep(home)["press"] == "" and len(told(home)) >= 2
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=15)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert (home.public / "press" / "report.pub").exists()
