"""The power goes away at random moments, while exports arrive and a backup runs: nothing is lost or doubled.

The machine is killed, memory and unwritten pages with it. Set POWER_CUTS for another number than 20.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from appliance import clock
from provisioning.demo import cad_csv
from provisioning.demo.calls import CRITICAL_KINDS, critical_call
from tests.appliance import custody, exports
from tests.appliance.installation import Installed
from tests.appliance.machine import Machine
from tests.appliance.story import Story

pytestmark = [pytest.mark.vm, pytest.mark.timeout(7200)]

CUTS = int(os.environ.get("POWER_CUTS", "20"))
# Asked as root on the unsealed appliance, with the key that the compartment has: how many rows, how many numbers.
_CALLS = (
    "from appliance.settings import Home; from appliance.storage import open_store;"
    "from appliance.intake.models import Call; from sqlalchemy import func, select;"
    "print(*open_store(Home.find(), 'intake').read().__enter__()"
    ".execute(select(func.count(), func.count(Call.number.distinct()))).one())"
)


@pytest.fixture(scope="module")
def machine(installed: Installed) -> Iterator[Machine]:
    with installed.machine() as booted:
        yield booted


def _file(story: Story, folder: Path, number: int) -> Path:
    """An export with one call that no other has."""
    received = (clock.now() - timedelta(hours=5, minutes=number)).replace(second=0, microsecond=0, tzinfo=None)
    call = critical_call(story.agency.people, received, 800 + number, CRITICAL_KINDS["child-death"])
    path = folder / f"cut_{number:02d}.csv"
    path.write_bytes(cad_csv.render([cad_csv.row(call, complete=True)]))
    return path


def test_twenty_power_cuts(machine: Machine, installed: Installed, tmp_path: Path) -> None:
    chance = random.Random(20261123)
    shell = machine.shell
    story = Story(shell, installed.agency, tmp_path)
    story.hold_ceremony()
    story.found()
    shell.run("mkdir -p /root/backup")
    size = 0
    for number in range(CUTS):
        path = _file(story, tmp_path, number)
        busy = threading.Thread(target=_work, args=(story, path), daemon=True)
        busy.start()
        time.sleep(chance.uniform(0.2, 12.0))
        machine.kill()
        busy.join(60)
        machine.start()
        custody.unseal(shell, story.cards.enough())
        story.wait_until_serving(300)
        # The export job tries again whatever it is not sure of.
        assert exports.plainly(story.agency, path).returncode == 0
        log = json.loads(shell.output("wardwell kit verify --json", timeout=300))
        assert log.get("ok", True), log
        now = int(shell.output("sed -n 2p /var/lib/wardwell/public/ledger/checkpoint"))
        assert now >= size, "the access log shrank"
        size = now
    deadline = time.monotonic() + 300
    while (found := _calls(story)) != (CUTS, CUTS):
        assert time.monotonic() < deadline, found
        time.sleep(2)
    story.witness()
    assert shell.run("wardwell doctor", check=False, timeout=600).returncode == 0
    shell.run("wardwell backup create --to /root/backup", timeout=900)


def _work(story: Story, path: Path) -> None:
    with suppress(Exception):
        story.shell.run("wardwell backup create --to /root/backup >/dev/null 2>&1 &", timeout=20)
        exports.plainly(story.agency, path)


def _calls(story: Story) -> tuple[int, int]:
    rows, numbers = story.shell.output(f'/opt/wardwell/current/venv/bin/python -c "{_CALLS}"').split()
    return int(rows), int(numbers)
