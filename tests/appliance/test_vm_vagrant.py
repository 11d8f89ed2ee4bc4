"""`vagrant up` makes an appliance of a stock box: the Vagrantfile as it lies here, libvirt, no network behind it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.appliance.agency import STICK, Agency
from tests.appliance.hypervisor import BOX, Hypervisor
from tests.appliance.installation import ADMINISTRATOR, shown_password
from tests.appliance.network import Network
from tests.appliance.release import Release
from tests.appliance.rootfs import ROOT
from tests.appliance.ssh import Shell
from tests.appliance.story import Story

pytestmark = [pytest.mark.vm, pytest.mark.timeout(7200)]

CARRIED = "/home/vagrant/answers"


@pytest.fixture
def hypervisor(stock_root: Path, network: Network) -> Iterator[Hypervisor]:
    made = Hypervisor(network, stock_root)
    yield made
    made.close()


def test_vagrant_up(hypervisor: Hypervisor, release: Release, tmp_path: Path) -> None:
    hypervisor.start()
    agency = Agency(tmp_path / "agency", hypervisor.network)
    agency.answers(data_device="/dev/vdb")
    answers = agency.stick / "answers.toml"
    answers.write_text(answers.read_text().replace(STICK, CARRIED))
    agency.start()
    folder = tmp_path / "vagrant"
    folder.mkdir()
    shutil.copy(ROOT / "Vagrantfile", folder)
    given = {
        "WARDWELL_BOX": BOX,
        "WARDWELL_BUNDLE": str(release.file),
        "WARDWELL_ANSWERS": str(agency.stick),
        "WARDWELL_FINGERPRINT": release.fingerprint,
    }
    try:
        done = hypervisor.vagrant(folder, "up", "--provider=libvirt", "--no-color", timeout=5400, given=given)
        shell = Shell(hypervisor.network.prefix(), tmp_path)
        shell.user, shell.password = ADMINISTRATOR, shown_password(done.stdout.replace("    default: ", ""))
        story = Story(shell, agency, tmp_path)
        # Vagrant's published key opens nothing any more; the control is that it did, or `up` would have failed.
        assert hypervisor.vagrant(folder, "ssh", "-c", "true", check=False, given=given).returncode != 0
        story.hold_ceremony()
        assert "/dev/mapper/wardwell-data" in shell.output("findmnt -no SOURCE /var/lib/wardwell")
    finally:
        hypervisor.vagrant(folder, "destroy", "--force", check=False, given=given)
        agency.stop()
