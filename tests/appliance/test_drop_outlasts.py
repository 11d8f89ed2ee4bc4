"""Promise: an export that has arrived has arrived, even if the power goes at once. On a real kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.appliance.machine import Disk, Machine
from tests.appliance.network import Network
from tests.appliance.rootfs import CACHE, Layer, disk_image
from tests.appliance.test_hardening_drop import SERVER, render

pytestmark = pytest.mark.vm

IN = "/var/lib/wardwell/drop/cad/in"
# As the SFTP server writes it: some 32 KiB at a time, then renamed.
PUT = f"for n in 1 2 3; do head -c 32768 /dev/zero >> {IN}/%s.part; done; mv {IN}/%s.part {IN}/%s"
COMPLETE = str(3 * 32768)


@pytest.fixture
def machine(stock_root: Path, network: Network) -> Iterator[Machine]:
    layer = Layer.over(stock_root)
    raw = disk_image(layer, CACHE / f"outlasts-{layer.folder.name}.raw", gigabytes=3)
    booted = Machine(layer.folder, network, stock_root, [Disk("root", raw), Disk("data")], durable=True)
    try:
        booted.start()
        yield booted
    finally:
        booted.close()
        raw.unlink()


def test_what_arrived_just_before_the_power_went_is_there(machine: Machine, tmp_path: Path) -> None:
    """Control: in the same folder without the mark that the appliance sets, such a file is not there or empty."""
    shell = machine.shell
    (tmp_path / "made").mkdir()
    render(tmp_path / "made", {"drop_prepare.sh.j2": SERVER["drop_prepare.sh.j2"]})
    shell.run(
        "mkfs.ext4 -q -O quota /dev/vdb && mkdir -p /var/lib/wardwell && mount /dev/vdb /var/lib/wardwell"
        " && groupadd drop && useradd wardwell-intake"
        " && mkdir -p /etc/wardwell/drop && echo cad > /etc/wardwell/drop/feeds"
    )
    shell.put(tmp_path / "made" / "drop_prepare", "/root/drop_prepare")
    shell.run("sh /root/drop_prepare")
    sizes = []
    for name, first in (("marked", "sync"), ("control", f"chattr -S {IN} && sync")):
        shell.run(first)
        shell.run(PUT.replace("%s", name))
        machine.kill()
        machine.start()
        shell.run("mount /dev/vdb /var/lib/wardwell")
        sizes.append(shell.output(f"stat -c %s {IN}/{name} 2>/dev/null || echo lost"))
    assert sizes[0] == COMPLETE
    assert sizes[1] in ("lost", "0")
