"""The same disk for each hypervisor: qcow2 (KVM), OVA (VMware, VirtualBox), VHDX (Hyper-V).

Owns: the description of the machine in an OVA (OVF 1.1, DMTF DSP0243). Must never see: an agency's settings.
"""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path
from string import Template

from provisioning.image.tools import run

_CPUS, _MEMORY_MIB = 2, 4096
# qemu-img's options for each format; all three leave out empty space.
_QCOW2 = ["-c", "-O", "qcow2"]
_VMDK = ["-O", "vmdk", "-o", "subformat=streamOptimized"]
_VHDX = ["-O", "vhdx", "-o", "subformat=dynamic"]


def convert(raw: Path, out: Path, name: str) -> list[Path]:
    """Write the three files to the folder `out`; existing ones are replaced."""
    out.mkdir(parents=True, exist_ok=True)
    qcow2, vmdk, vhdx, ova = (out / f"{name}.{kind}" for kind in ("qcow2", "vmdk", "vhdx", "ova"))
    for words, target in ((_QCOW2, qcow2), (_VMDK, vmdk), (_VHDX, vhdx)):
        run("qemu-img", "convert", "-f", "raw", *words, raw, target)
    _ova(vmdk, ova, name, raw.stat().st_size)
    vmdk.unlink()
    return [qcow2, ova, vhdx]


def _ova(vmdk: Path, ova: Path, name: str, capacity: int) -> None:
    ovf = ova.with_suffix(".ovf")
    ovf.write_text(description(name, vmdk.name, vmdk.stat().st_size, capacity))
    manifest = ova.with_suffix(".mf")
    manifest.write_text("".join(f"SHA256({path.name})= {_sha256(path)}\n" for path in (ovf, vmdk)))
    with tarfile.open(ova, "w", format=tarfile.USTAR_FORMAT) as tar:
        # The description has to come first.
        for path in (ovf, manifest, vmdk):
            member = tarfile.TarInfo(path.name)
            member.size, member.mode = path.stat().st_size, 0o644
            with path.open("rb") as file:
                tar.addfile(member, file)
    ovf.unlink()
    manifest.unlink()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def description(name: str, disk: str, size: int, capacity: int) -> str:
    """The OVF of a machine with a single disk, the file `disk` of `size` bytes, which holds `capacity` bytes."""
    text = Template(Path(__file__).with_name("machine.ovf.in").read_text())
    return text.substitute(name=name, disk=disk, size=size, capacity=capacity, cpus=_CPUS, memory=_MEMORY_MIB)
