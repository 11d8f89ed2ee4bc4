"""The proof of installation: a stock machine without a network, from the stick to an exposure in a browser.

Its own kernel, an encrypted data disk, qemu's user network with `restrict=on`. One story, in order; at most 40 minutes
up to the first sign-in, which software emulation makes 8 to 20 times slower than a real machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.appliance import custody, journey
from tests.appliance.agency import STICK, Agency
from tests.appliance.installation import ADMINISTRATOR, install_command, put_on_stick, shown_password
from tests.appliance.machine import Disk, Machine
from tests.appliance.network import Network
from tests.appliance.release import Release
from tests.appliance.rootfs import CACHE, Layer, disk_image, run
from tests.appliance.story import Story
from tests.appliance.workstations import Workstations

pytestmark = [pytest.mark.vm, pytest.mark.timeout(7200)]

LIMIT_SECONDS = 40 * 60


@pytest.fixture(scope="module")
def world(
    stock_root: Path, release: Release, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Machine, Agency, Story]]:
    network = Network.make()
    agency = Agency(tmp_path_factory.mktemp("agency"), network)
    put_on_stick(release, agency)
    # No time server answers: `restrict=on` lets no UDP through.
    agency.answers(data_device="/dev/vdc")
    agency.start()
    layer = Layer.over(stock_root)
    folder = CACHE / f"machine-{layer.folder.name}"
    folder.mkdir()
    stick = folder / "stick.raw"
    run("mke2fs", "-q", "-t", "ext4", "-L", "stick", "-d", agency.stick, stick, "1G")
    disks = [
        Disk("root", disk_image(layer, folder / "root.raw", 10)),
        Disk("stick", stick, readonly=True),
        Disk("data", gigabytes=9),
    ]
    machine = Machine(folder, network, stock_root, disks, mode="restricted")
    story = Story(machine.shell, agency, tmp_path_factory.mktemp("people"))
    try:
        with story.timed("boot"):
            machine.start()
        yield machine, agency, story
        print(f"\n{story.summary()}")
    finally:
        machine.close()
        layer.remove()
        agency.stop()
        network.close()


def test_installation_to_first_sign_in(world: tuple[Machine, Agency, Story], release: Release) -> None:
    machine, _, story = world
    shell = machine.shell
    assert shell.output("ip route show default") == ""
    shell.run(f"mkdir -p {STICK} && mount -o ro LABEL=stick {STICK}")
    with story.timed("installation"):
        done = shell.run(install_command(release, f"{STICK}/answers.toml"), timeout=6000, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    shell.forget()
    shell.user, shell.password = ADMINISTRATOR, shown_password(done.stdout)
    _accept_the_clock(machine)
    story.hold_ceremony()
    story.found()
    story.first_sign_in("coordinator")
    assert "/dev/mapper/wardwell-data" in shell.output("findmnt -no SOURCE /var/lib/wardwell")


def _accept_the_clock(machine: Machine) -> None:
    """What the appliance says is to be done where no time server answers. Without it nothing starts."""
    done = machine.shell.run("/usr/local/lib/wardwell/time_check 1", check=False)
    assert done.returncode != 0 and "accept-clock" in done.stdout + done.stderr
    machine.shell.run("touch /run/wardwell/accept-clock")
    machine.shell.run("/usr/local/lib/wardwell/time_check 1")


def test_that_took_no_longer_than_it_may(world: tuple[Machine, Agency, Story]) -> None:
    _, _, story = world
    assert sum(story.seconds.values()) < LIMIT_SECONDS, story.summary()


def test_exports_arrive_from_two_kinds_of_client(world: tuple[Machine, Agency, Story], tmp_path: Path) -> None:
    _, agency, _ = world
    journey.exports_arrive(agency, tmp_path)


def test_an_officer_reads_the_exposure_in_a_browser(world: tuple[Machine, Agency, Story]) -> None:
    _, _, story = world
    story.workstations.first_sign_in("trustee")
    journey.an_officer_reads_the_exposure(story, patience=120)


def test_after_a_restart_cards_open_it_again(world: tuple[Machine, Agency, Story]) -> None:
    machine, _, story = world
    machine.stop()
    with story.timed("boot, sealed"):
        machine.start()
    assert machine.shell.run("findmnt /var/lib/wardwell", check=False).returncode == 1
    _accept_the_clock(machine)
    with story.timed("unsealing"):
        custody.unseal(machine.shell, story.cards.enough())
        story.wait_until_serving(600)
    people = story.people
    assert isinstance(people, Workstations)
    assert people.sign_in("coordinator")["state"] == "ready"
