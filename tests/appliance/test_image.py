"""A small disk in each hypervisor's format: sound to the tools that read it, and with what was put on it."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

import pytest

from provisioning.image import disk, formats
from tests.appliance.rootfs import run

pytestmark = pytest.mark.appliance

_MIB = 1 << 20
_SIGNED = [
    "usr/lib/shim/shimx64.efi.signed",
    "usr/lib/shim/mmx64.efi.signed",
    "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
]


@pytest.fixture
def system() -> disk.System:
    return disk.new_system()


@pytest.fixture
def raw(tmp_path: Path, system: disk.System) -> Path:
    root = tmp_path / "root"
    for name in (*_SIGNED, "vmlinuz"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return disk.make(tmp_path / "disk.raw", root, system, (64, 64, 16))


def _partition(raw: Path, number: int) -> Path:
    table = json.loads(run("sfdisk", "--json", raw))["partitiontable"]["partitions"][number]
    out = raw.with_name(table["name"])
    with raw.open("rb") as file:
        file.seek(table["start"] * 512)
        out.write_bytes(file.read(table["size"] * 512))
    return out


def test_the_disk_holds_a_boot_a_system_and_an_empty_data_partition(raw: Path, system: disk.System) -> None:
    boot, root, data = (_partition(raw, number) for number in range(3))
    assert [path.name for path in (boot, root, data)] == ["wardwell-boot", "wardwell-system", "wardwell-data"]
    assert _SIGNED[0] == run("mtype", "-i", boot, "::/EFI/BOOT/BOOTX64.EFI")
    assert f"--set=root {system.root}" in run("mtype", "-i", boot, "::/EFI/debian/grub.cfg")
    assert run("blkid", "-p", "-o", "value", "-s", "UUID", boot).strip() == system.boot_name
    run("e2fsck", "-fn", root)
    assert run("blkid", "-p", "-o", "value", "-s", "UUID", root).strip() == system.root
    assert "vmlinuz" in run("debugfs", "-R", "ls /", root)
    assert not any(data.read_bytes())


def test_every_format_holds_the_same_disk(raw: Path, tmp_path: Path) -> None:
    qcow2, ova, vhdx = formats.convert(raw, tmp_path / "out", "wardwell-0.1.0")
    with tarfile.open(ova) as tar:
        names = tar.getnames()
        tar.extractall(tmp_path / "ova")
    assert names == ["wardwell-0.1.0.ovf", "wardwell-0.1.0.mf", "wardwell-0.1.0.vmdk"]
    for line in (tmp_path / "ova" / names[1]).read_text().splitlines():
        name, digest = line.removeprefix("SHA256(").split(")= ")
        assert hashlib.sha256((tmp_path / "ova" / name).read_bytes()).hexdigest() == digest
    vmdk = tmp_path / "ova" / names[2]
    for path in (qcow2, vhdx, vmdk):
        run("qemu-img", "check", path)
        assert "Images are identical" in run("qemu-img", "compare", raw, path)
    # The control: a disk that differs in one byte is told apart.
    with raw.open("r+b") as file:
        file.seek(100 * _MIB)
        file.write(b"x")
    with pytest.raises(AssertionError):
        run("qemu-img", "compare", raw, qcow2)
