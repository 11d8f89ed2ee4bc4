"""The power goes away at random moments, while exports arrive, backups run and versions change: nothing is lost.

The machine is killed, memory and unwritten pages with it; nothing is doubled either. POWER_CUTS sets another number.
"""

from __future__ import annotations

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
from tests.appliance.release import later
from tests.appliance.story import Story

pytestmark = [pytest.mark.vm, pytest.mark.timeout(3 * 3600)]

CUTS = int(os.environ.get("POWER_CUTS", "20"))
# Asked as root on the unsealed appliance, with the key that the compartment has: how many rows, how many numbers.
_CALLS = (
    "from appliance.settings import Home; from appliance.storage import open_store;"
    "from appliance.intake.models import Call; from sqlalchemy import func, select;"
    "print(*open_store(Home.find(), 'intake').read().__enter__()"
    ".execute(select(func.count(), func.count(Call.number.distinct()))).one())"
)


NEXT = "0.2.0"


@pytest.fixture(scope="module")
def machine(installed: Installed) -> Iterator[Machine]:
    with installed.machine(durable=True) as booted:
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
    story.witness()
    shell.run("mkdir -p /root/backup")
    shell.put(later(NEXT, tmp_path), "/root/next.bundle")
    shell.run("wardwell update stage /root/next.bundle", timeout=2400)
    size = 0
    for number in range(CUTS):
        path = _file(story, tmp_path, number)
        # Every fourth cut falls into a change of version, which takes minutes, the others into intake and backup.
        changing = number % 4 == 3
        work = _change_version(story) if changing else "wardwell backup create --to /root/backup"
        begun = time.monotonic()
        busy = threading.Thread(target=_work, args=(story, path, work), daemon=True)
        busy.start()
        time.sleep(chance.uniform(0.2, 180.0 if changing else 12.0))
        machine.kill()
        busy.join(60)
        machine.start()
        # Whatever was interrupted is settled unaided while it starts; `status` fails while it is not.
        machine.running(3000)
        custody.unseal(shell, story.cards.enough())
        story.wait_until_serving(600)
        shell.run("wardwell update status")
        # The export job tries again whatever it is not sure of.
        assert exports.plainly(story.agency, path).returncode == 0
        shell.run("wardwell kit verify", timeout=300)
        now = int(shell.output("sed -n 2p /var/lib/wardwell/public/ledger/checkpoint"))
        assert now >= size, "the access log shrank"
        size = now
        seconds = time.monotonic() - begun
        print(
            f"cut {number + 1}, {seconds:.0f} s: {work}, version {_version(story)}, {now} entries in the access log",
            flush=True,
        )
    deadline = time.monotonic() + 300
    while (found := _calls(story)) != (CUTS, CUTS):
        assert time.monotonic() < deadline, found
        time.sleep(2)
    story.witness()
    done = shell.run("wardwell doctor", check=False, timeout=600)
    assert done.returncode == 0, done.stdout
    shell.run("wardwell backup create --to /root/backup", timeout=900)


def _version(story: Story) -> str:
    return story.shell.output("basename $(readlink /opt/wardwell/current)")


def _change_version(story: Story) -> str:
    return "wardwell update rollback" if _version(story) == NEXT else f"wardwell update apply {NEXT}"


def _work(story: Story, path: Path, work: str) -> None:
    with suppress(Exception):
        story.shell.run(f"{work} >/dev/null 2>&1 &", timeout=20)
        exports.plainly(story.agency, path)


def _calls(story: Story) -> tuple[int, int]:
    rows, numbers = story.shell.output(f'/opt/wardwell/current/venv/bin/python -c "{_CALLS}"').split()
    return int(rows), int(numbers)
