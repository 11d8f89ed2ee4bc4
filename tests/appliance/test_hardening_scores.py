"""The figures of `docs/hardening.md`: a booted copy of the installed appliance, by scanners that are not ours.

A long run: Lynis alone takes a quarter of an hour in an emulated machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.appliance.installation import ADMINISTRATOR, Installed
from tests.appliance.machine import Disk, Machine
from tests.appliance.network import Network
from tests.appliance.rootfs import Layer, disk_image
from tests.appliance.scoring.retarget import PLATFORM, TIME, retarget
from tests.appliance.scoring.scanners import add_scanners, lynis, openscap
from tests.appliance.ssh import Shell

pytestmark = [pytest.mark.vm, pytest.mark.timeout(5400)]

# Each is explained in docs/hardening.md.
FAILING = {
    "apt_sources_list_official",
    "package_ntp_installed",
    "package_syslogng_installed",
    "service_ntp_enabled",
    "service_syslogng_enabled",
}


@pytest.fixture(scope="module")
def shell(installed: Installed) -> Iterator[Shell]:
    layer = Layer.over(*installed.roots)
    add_scanners(layer)
    network = Network.make()
    disks = [Disk("root", disk_image(layer, layer.folder / "root.raw"))]
    machine = Machine(layer.folder, network, layer.lower[-1], disks)
    machine.shell.user, machine.shell.password = ADMINISTRATOR, installed.password
    try:
        machine.start()
        machine.running()
        yield machine.shell
    finally:
        machine.close()
        network.close()
        layer.remove()


def test_openscap(shell: Shell) -> None:
    plain = openscap(shell)
    print(f"\nanssi_np_nt28_high: {plain.value:.1f}; fails: {', '.join(plain.failed)}")
    assert set(plain.failed) <= FAILING
    with_chrony = openscap(shell, "debian12-chrony")
    print(f"with chrony where ntp is asked for: {with_chrony.value:.1f}")
    assert with_chrony.value >= 90


def test_lynis(shell: Shell) -> None:
    index, suggestions = lynis(shell)
    print(f"\nLynis: {index}; left: {', '.join(suggestions)}")
    assert index >= 85


def test_a_content_that_looks_different_is_refused(tmp_path: Path) -> None:
    changes = [PLATFORM, *TIME]
    content = "".join(old * count for old, _, count in changes)
    assert PLATFORM[1] in retarget(content)
    assert "chrony" not in retarget(content)
    assert "ntp" not in retarget(content, chrony=True)
    with pytest.raises(ValueError, match="expected"):
        retarget(content + PLATFORM[0])
