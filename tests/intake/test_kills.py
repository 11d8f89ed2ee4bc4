"""Promise: kill -9 at any point and start again: nothing is lost, nothing is doubled."""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from appliance import clock, durable
from appliance.crypto import sealing
from appliance.intake import serve
from appliance.intake.deliver import contributions
from appliance.intake.models import MailboxKey, TakenFile
from appliance.intake.serve import Watcher
from appliance.intake.settle import take, versions
from appliance.settings import Home
from appliance.spool import delivery
from appliance.storage import Store, open_store
from tests.intake.support import file, roster, row
from tests.intake.test_take import facts, messages, with_feed
from tests.support.waiting import pause, until

NOW = datetime(2026, 10, 15, 18, tzinfo=UTC)
KEY, HANDLE = sealing.key_pair(), f"{1:032x}"
FILES = 6
# Three kills each. The first two in every test run, a hundred kills in `make test-long`.
SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 34))]

# Where the process is killed: module, function, at its how manieth call, before or after it.
POINTS: list[tuple[Any, str, int, str]] = [
    (take, "take", 1, "before"),
    (versions.Versions, "_store_plain", 2, "after"),
    (versions.Versions, "_write", 4, "after"),
    (take, "take", 3, "after"),  # everything of a file is written, not committed
    (delivery, "flush", 2, "before"),  # committed, nothing spooled
    (durable, "sync", 5, "before"),  # some of a group are on disk, none has its name
    (delivery, "write_messages", 1, "after"),  # spooled, still in the outbox
    (take, "refuse", 1, "before"),  # the rows of a bad file are rolled back, it is not noted yet
    (take, "_leave_drop", 2, "before"),
    (take, "_leave_drop", 3, "after"),
    (shutil, "move", 1, "after"),  # set aside in quarantine
    (contributions, "_deliver", 1, "after"),  # sealed, not committed
    (contributions, "run_cycle", 1, "after"),
]


@pytest.fixture
def loaded(store_of: Callable[[str], Store]) -> Home:
    """A home with a roster, one enrolled officer, six good files and a bad one; nothing has run yet."""
    store = store_of("intake")
    roster(store)
    with store.write() as session:
        session.add(MailboxKey(handle=HANDLE, person_id="E0001", public_key=KEY.public, leaf_index=0, witnessed=True))
    store.close()
    drop = with_feed(store.home).drop("cad")
    drop.mkdir(parents=True)
    for number in range(FILES):
        crew = "4203" if number % 2 else "4204,4205"
        rows = (row(f"A{number}", "4201,4202", "CHILD DEATH"), row(f"B{number // 2}", crew))
        file(drop, f"cad_export_202610{number + 1:02d}_233100.csv", *rows)
    file(drop, "cad_export_20261009_233100.csv", row("C", arrived="77:77"))
    return store.home


def run_to_the_end(home: Home) -> None:
    """Turns of the watcher until nothing is left to do."""
    watcher = Watcher(home)
    with clock.held(NOW):
        for _ in range(4):
            watcher.turn(scan=True)
    watcher.store.close()


def outcome(home: Home) -> dict[str, Any]:
    """Everything that must not depend on kills."""
    store = open_store(home, "intake")
    found = messages(store)
    given: Counter[str] = Counter()
    for one in found:
        if one["message"] == "SealedExposure":
            sealed = base64.b64decode(one["sealed"])
            plain = json.loads(sealing.open_sealed(KEY.seed, sealed, info=sealing.info("exposure", HANDLE)))
            given.update(json.dumps(each["at"] + each["type"] + each["id"]) for each in plain["contributions"])
    with store.read() as session:
        files = sorted(session.scalars(select(TakenFile.name)))
    result = {
        "facts": facts(store),
        "files": files,
        "receipts": sorted((one["file"], one["taken"]) for one in found if one["message"] == "FileReceipt"),
        "notices": sorted(one["reference"] for one in found if one["message"] == "IncidentNotice"),
        "given": sorted(given.values()),
        "quarantine": [path.name[17:] for path in take.quarantine_folder(home).iterdir()],
        "left": sorted(path.name for path in home.drop("cad").iterdir()),
    }
    store.close()
    return result


def killed_at(home: Home, point: tuple[Any, str, int, str]) -> None:
    """Run in a process of its own that gets SIGKILL at `point`."""
    module, name, at, when = point
    real, calls = getattr(module, name), 0

    def trap(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*given, **named)
        if calls == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    child = os.fork()
    if child == 0:
        try:
            setattr(module, name, trap)
            run_to_the_end(home)
        finally:
            os._exit(0)  # not reached when the point is
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"{name} was called fewer than {at} times"


def test_ten_kills_at_chosen_points_change_nothing(
    loaded: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Positive control: the expected outcome is that of a run that nobody disturbed, and it is not empty."""
    monkeypatch.setattr(serve, "SETTLED_SECONDS", 0.0)
    undisturbed = Home(tmp_path / "undisturbed")
    shutil.copytree(loaded.root, undisturbed.root)
    run_to_the_end(undisturbed)
    expected = outcome(undisturbed)
    assert expected["left"] == []
    assert expected["quarantine"] == ["cad_export_20261009_233100.csv"]
    assert len(expected["files"]) == len(expected["receipts"]) == FILES + 1
    assert len(expected["notices"]) == FILES
    assert expected["given"] == [1] * FILES
    for number, point in enumerate(POINTS):
        home = Home(tmp_path / f"killed-{number}")
        shutil.copytree(loaded.root, home.root)
        killed_at(home, point)
        run_to_the_end(home)
        assert outcome(home) == expected, point


@pytest.mark.parametrize("seed", SEEDS)
def test_kills_at_any_moment_change_nothing(
    loaded: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Each start is killed at a random moment of the time that a whole run takes, until one run ends before."""
    monkeypatch.setattr(serve, "SETTLED_SECONDS", 0.0)
    undisturbed = Home(tmp_path / "undisturbed")
    shutil.copytree(loaded.root, undisturbed.root)
    began = time.monotonic()
    run_to_the_end(undisturbed)
    took = time.monotonic() - began
    draw = random.Random(seed)
    for _ in range(3):
        child = os.fork()
        if child == 0:
            try:
                run_to_the_end(loaded)
            finally:
                os._exit(0)
        pause(draw.uniform(0, took), "the moment of the kill")
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    run_to_the_end(loaded)
    assert outcome(loaded) == outcome(undisturbed)


_SERVE = [sys.executable, "-m", "appliance.cli", "intake", "serve"]


@pytest.mark.system
def test_the_served_watcher_survives_a_kill_in_the_middle_of_its_work(loaded: Home) -> None:
    drop = loaded.drop("cad")
    for number in range(100):
        file(drop, f"cad_export_20261010_{number:06d}.csv", row(f"D{number}"))
    present = len(list(drop.iterdir()))
    environment = {**os.environ, "WARDWELL_HOME": str(loaded.root)}

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(_SERVE, env=environment, stdout=subprocess.DEVNULL)

    def left() -> int:
        return len(list(drop.iterdir()))

    process = start()
    until(lambda: left() < present - 10, 60, 0.005, explain=left)
    process.kill()
    process.wait()
    assert len(list(drop.iterdir())) > 0
    process = start()
    until(lambda: left() == 0, 60, 0.005, explain=left)
    process.terminate()
    assert process.wait(20) == 0
    found = outcome(loaded)
    assert len(found["receipts"]) == len(found["files"]) == present
    assert len(found["facts"][0]) == FILES + FILES // 2 + 100
