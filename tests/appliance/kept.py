"""One founded appliance as an emulated machine that is kept between runs, for a proof longer than one sitting.

Owns: `.cache/appliance/kept-<digest>/`: disks, the agency's folder, and `progress.json`. It is thrown away when more
than tests and docs has changed. After a failure it stays, so that what is on the disks can be looked into, and nothing
goes on with it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.appliance.agency import Agency
from tests.appliance.custody import Cards
from tests.appliance.founding import Founded
from tests.appliance.installation import ADMINISTRATOR, install
from tests.appliance.machine import Disk, Machine
from tests.appliance.network import Network
from tests.appliance.release import product, release
from tests.appliance.rootfs import CACHE, stock
from tests.appliance.story import Story
from tests.appliance.workstations import Workstations


class Progress(msgspec.Struct):
    """What has to be known to go on: the administrator's password, holders' cards, slips, and what was done so far."""

    password: str = ""
    cards: dict[str, str] = {}
    slips: dict[str, str] = {}
    done: list[str] = []
    entries: int = 0
    failure: str = ""


class Kept:
    """The machine with its story. `save` after each step that is over."""

    def __init__(self, folder: Path, machine: Machine, story: Story, progress: Progress) -> None:
        self.folder, self.machine, self.story, self.progress = folder, machine, story, progress

    def save(self) -> None:
        """Write the progress; whole or not at all."""
        part = self.folder / "progress.part"
        part.write_bytes(msgspec.json.encode(self.progress))
        part.rename(self.folder / "progress.json")


@contextmanager
def kept() -> Iterator[Kept]:
    """The appliance as it is at HEAD, running; installed and founded when there is none yet. Afterwards it is cut off.

    To be used in a test itself: a fixture does not learn that its test failed.
    """
    folder = CACHE / f"kept-{product()[:12]}"
    for old in CACHE.glob("kept-*"):
        if old != folder or not (old / "progress.json").exists():
            shutil.rmtree(old)
    if not folder.exists():
        _begin(folder)
    progress = msgspec.json.decode((folder / "progress.json").read_bytes(), type=Progress)
    assert not progress.failure, f"failed before: {progress.failure}. Look into {folder}, then remove it to begin anew."
    network = Network.make()
    agency = Agency(folder / "agency", network)
    machine = _machine(folder, network, progress.password)
    story = Story(machine.shell, agency, folder, cards=Cards(progress.cards))
    story.founded = Founded(folder / "papers", folder / "witness", progress.slips)
    running = Kept(folder, machine, story, progress)
    try:
        machine.start()
        agency.start()
        story.people = Workstations(agency, machine.shell, folder / "desks", progress.slips)
        yield running
    except KeyboardInterrupt:
        raise  # no worse than a power cut
    except BaseException as reason:
        progress.failure = str(reason)[:2000] or type(reason).__name__
        running.save()
        raise
    finally:
        machine.kill()
        agency.stop()
        network.close()


def _machine(folder: Path, network: Network, password: str) -> Machine:
    """Its disks are made when they are not there."""
    disks = [Disk("root", folder / "root.raw"), Disk("data", gigabytes=9)]
    machine = Machine(folder / "machine", network, stock(), disks, durable=True)
    machine.shell.user, machine.shell.password = ADMINISTRATOR, password
    return machine


def _begin(folder: Path) -> None:
    """Install, boot, hold the ceremony, found; then in order off."""
    installed = install(stock(), release(), folder / "agency")
    try:
        with installed.disk() as raw:
            shutil.move(raw, folder / "root.raw")
    finally:
        installed.close()
    network = Network.make()
    machine = _machine(folder, network, installed.password)
    try:
        machine.start()
        installed.agency.move(network)
        story = Story(machine.shell, installed.agency, folder)
        story.hold_ceremony()
        story.found()
        story.witness()
        machine.stop()
        assert story.founded
        made = Kept(folder, machine, story, Progress(installed.password, story.cards.words, story.founded.slips))
        made.save()
        print(f"made: {story.summary()}", flush=True)
    finally:
        machine.kill()
        installed.agency.stop()
        network.close()
