"""A disk that boots by UEFI Secure Boot: Debian's signed shim, its signed grub, its signed kernel; no key of our own.

The firmware is OVMF with Microsoft's keys enrolled, as a machine is delivered.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.appliance.rootfs import CACHE, kernel_of, lock, run

_FIRMWARE = Path("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd")
_VARIABLES = Path("/usr/share/OVMF/OVMF_VARS_4M.ms.fd")
_PACKAGES = ["shim-signed", "grub-efi-amd64-signed"]


def _signed() -> Path:
    """A folder with what is in those packages; they are not installed, which would change this machine's own boot."""
    target = CACHE / "signed"
    with lock("signed"):
        if not target.exists():
            making = CACHE / "making-signed"
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            run("sh", "-ec", f"cd {making} && apt-get -q download {' '.join(_PACKAGES)} && ls *.deb")
            for package in making.glob("*.deb"):
                run("dpkg-deb", "-x", package, making)
            making.rename(target)
    return target


def boot_partition(root: Path, target: Path, *, broken: bool = False, append: str = "") -> Path:
    """A FAT image with shim, grub, kernel and memory disk of `root`; `broken` flips one bit in the kernel's code."""
    kernel, initrd = kernel_of(root)
    code = bytearray(kernel.read_bytes())
    if broken:
        code[len(code) // 2] ^= 1
    folder = target.parent / f"{target.stem}-files"
    folder.mkdir(parents=True)
    (folder / "vmlinuz").write_bytes(code)
    (folder / "grub.cfg").write_text(
        "serial --unit=0\nterminal_output serial console\nsearch --no-floppy --label ESP --set=root\n"
        f"linux /vmlinuz root=/dev/vda rw console=ttyS0 {append}\ninitrd /initrd\nboot\n"
    )
    signed = _signed()
    target.write_bytes(b"")
    with open(target, "r+b") as file:
        file.truncate(128 * 1024 * 1024)
    run("mformat", "-i", target, "-v", "ESP", "-F", "::")
    run("mmd", "-i", target, "::/EFI", "::/EFI/BOOT", "::/EFI/debian")
    for source, place in [
        (signed / "usr/lib/shim/shimx64.efi.signed", "EFI/BOOT/BOOTX64.EFI"),
        (signed / "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", "EFI/BOOT/grubx64.efi"),
        (folder / "grub.cfg", "EFI/debian/grub.cfg"),
        (folder / "vmlinuz", "vmlinuz"),
        (initrd, "initrd"),
    ]:
        run("mcopy", "-i", target, source, f"::/{place}")
    shutil.rmtree(folder)
    return target


def firmware(folder: Path) -> list[str]:
    """qemu's words for that firmware, with variables of the machine's own in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    variables = folder / "variables.fd"
    if not variables.exists():
        shutil.copy(_VARIABLES, variables)
    return [
        *("-machine", "smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"),
        *("-drive", f"if=pflash,format=raw,unit=0,file={_FIRMWARE},readonly=on"),
        *("-drive", f"if=pflash,format=raw,unit=1,file={variables}"),
    ]
