"""Secure Boot: the kernel is Debian's own, so a machine as delivered boots it, and refuses an altered one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.appliance.machine import Disk, Machine
from tests.appliance.network import Network
from tests.appliance.rootfs import Layer, disk_image
from tests.appliance.secureboot import boot_partition, firmware

pytestmark = pytest.mark.vm


def _machine(stock_root: Path, network: Network, *, broken: bool) -> Machine:
    layer = Layer.over(stock_root)
    disks = [
        # The root first: grub finds its own partition by label.
        Disk("root", disk_image(layer, layer.folder / "root.raw", gigabytes=3)),
        Disk("esp", boot_partition(stock_root, layer.folder / "esp.raw", broken=broken)),
    ]
    return Machine(layer.folder, network, None, disks, extra=firmware(layer.folder))


def test_a_machine_with_secure_boot_starts_the_signed_kernel(stock_root: Path, network: Network) -> None:
    machine = _machine(stock_root, network, broken=False)
    try:
        machine.start()
        variable = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
        assert machine.shell.output(f"od -An -tu1 {variable}").split()[-1] == "1"
        assert "[integrity]" in machine.shell.output("cat /sys/kernel/security/lockdown")
    finally:
        machine.close()


def test_the_same_machine_refuses_a_kernel_with_one_bit_flipped(stock_root: Path, network: Network) -> None:
    machine = _machine(stock_root, network, broken=True)
    try:
        with pytest.raises(AssertionError, match="nobody could sign in"):
            machine.start(timeout=120)
        console = machine.console.read_text(errors="replace")
        assert "bad shim signature" in console, console[-2000:]
        assert "Linux version" not in console
    finally:
        machine.close()
