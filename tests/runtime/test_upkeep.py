"""Promise: `wardwell upkeep` reaches every worker of this home and no other process, and says who did not answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.cli import wardwell
from appliance.runtime import worker
from appliance.settings import COMPARTMENTS, Home
from tests.support.waiting import until

# A worker that cleans once in a day, and says so in a file; it never cleans when it is told to fail.
_WORKER = """
import sys
from pathlib import Path
import structlog
from appliance.runtime.turns import Duty, Turns
from appliance.runtime.worker import controlled
from appliance.settings import Home

_, root, name, *fails = sys.argv
cleaned = Path(root) / f"{name}.cleaned"

def clean():
    if fails and cleaned.exists():
        raise OSError
    with cleaned.open("a") as file:
        file.write("x")

with controlled(Home(Path(root)), name) as control:
    Turns(control, structlog.get_logger(), pause=3600.0).run(Duty(clean, 86400.0))
"""

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(home: Home) -> Iterator[Start]:
    """`start("desk")` starts a worker and returns when it has cleaned for the first time."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(name: str, *fails: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", _WORKER, str(home.root), name, *fails]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        until(lambda: cleaned(home, name))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def cleaned(home: Home, name: str) -> int:
    file = home.root / f"{name}.cleaned"
    return len(file.read_text()) if file.exists() else 0


def run(home: Home, *options: str) -> Result:
    return CliRunner().invoke(wardwell, ["--home", str(home.root), "upkeep", *options])


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setenv("WARDWELL_HOME", str(home.root))  # so that what `--home` sets is undone


def test_every_worker_has_done_its_upkeep_when_the_command_ends(home: Home, start: Start) -> None:
    for name in COMPARTMENTS:
        start(name)
    assert {name: cleaned(home, name) for name in COMPARTMENTS} == dict.fromkeys(COMPARTMENTS, 1)  # the control
    for count in (2, 3):
        done = run(home)
        assert (done.exit_code, done.output.splitlines()) == (0, [f"{name}: done" for name in COMPARTMENTS])
        assert {name: cleaned(home, name) for name in COMPARTMENTS} == dict.fromkeys(COMPARTMENTS, count)
    told = json.loads(run(home, "--json").output)
    assert told == {"ok": True, "workers": dict.fromkeys(COMPARTMENTS, "done")}


def test_who_does_not_run_or_does_not_manage_it_is_named(home: Home, start: Start) -> None:
    start("desk")
    start("intake", "fails")
    killed = start("ledger")
    killed.kill()
    killed.wait()
    said = run(home, "--wait", "0.5")
    assert said.exit_code == 1
    assert said.output.splitlines() == [
        "desk: done",
        "post: is not running",
        "intake: did not answer within 0.5 s",
        "ledger: is not running",
        "press: is not running",
        "Not done: post, intake, ledger, press. `wardwell logs post` says why.",
    ]
    assert json.loads(run(home, "--wait", "0.5", "--json").output)["ok"] is False


def test_an_id_that_was_left_behind_is_not_signalled(home: Home, start: Start) -> None:
    """SIGUSR1 would end this bystander. Its id stands in the file, as that of a worker that was killed could."""
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        file = home.worker_file("desk")
        file.write_text(f"{bystander.pid} {bystander.pid}\n")
        assert worker.ask_upkeep(home)["desk"] == "is not running"
        assert bystander.poll() is None
        # The control: who holds the lock is signalled, whatever stands in the file.
        holder = start("desk")
        file.write_text(f"{bystander.pid} {bystander.pid}\n")
        assert worker.ask_upkeep(home, 0.2)["desk"] == "did not answer within 0.2 s"
        until(lambda: cleaned(home, "desk") == 2)
        assert bystander.poll() is None and holder.poll() is None
        os.kill(bystander.pid, signal.SIGUSR1)
        assert bystander.wait(10) == -signal.SIGUSR1
    finally:
        bystander.kill()
        bystander.wait()


def test_a_link_in_the_place_of_the_file_is_not_followed(home: Home, start: Start, tmp_path: Path) -> None:
    start("desk")
    file = home.worker_file("desk")
    assert worker.ask_upkeep(home)["desk"] == ""  # the control
    file.rename(tmp_path / "worker")
    file.symlink_to(tmp_path / "worker")
    assert worker.ask_upkeep(home)["desk"] == "is not running"
    assert cleaned(home, "desk") == 2


def test_there_is_one_worker_of_each_kind(home: Home, start: Start) -> None:
    first = start("desk")
    command = [sys.executable, "-c", _WORKER, str(home.root), "desk"]
    second = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 1 and "already serving" in second.stderr
    first.terminate()
    assert first.wait(10) == 0
    start("desk")
