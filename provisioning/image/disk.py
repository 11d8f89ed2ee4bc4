"""A bootable disk: a boot partition, the system, and an empty partition for the data volume.

Owns: the partition table and the boot chain: Debian's signed shim, grub and kernel, so that Secure Boot works with the
keys that a machine is delivered with. Needs no loop device and no mount.
Must never see: a key; the data partition is empty until the ceremony encrypts it.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from pathlib import Path

from provisioning.image.tools import run

_MIB = 1 << 20
_BOOT_MIB, _SYSTEM_MIB, _DATA_MIB = 256, 16 * 1024, 24 * 1024
_SECTOR = 512
_GRUB = """\
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=1
search --no-floppy --fs-uuid --set=root {root}
# Debian's own configuration, once update-grub has written it.
if [ -f /boot/grub/grub.cfg ]; then
    set prefix=($root)/boot/grub
    configfile /boot/grub/grub.cfg
fi
linux /vmlinuz root=UUID={root} ro console=ttyS0,115200 console=tty0
initrd /initrd.img
boot
"""


@dataclass(frozen=True)
class System:
    """The ids of a disk's file systems: the root's UUID and the boot partition's serial number (8 hex digits)."""

    root: str
    boot: str

    @property
    def boot_name(self) -> str:
        """The boot partition's serial number as /etc/fstab writes it."""
        return f"{self.boot[:4]}-{self.boot[4:]}".upper()


def new_system() -> System:
    """Random ids."""
    return System(str(uuid.uuid4()), secrets.token_hex(4))


def make(raw: Path, root: Path, system: System, sizes_mib: tuple[int, int, int] | None = None) -> Path:
    """Make the sparse raw disk `raw` with the content of `root`; `sizes_mib`: boot, system and data partition."""
    boot_mib, system_mib, data_mib = sizes_mib or (_BOOT_MIB, _SYSTEM_MIB, _DATA_MIB)
    with raw.open("wb") as file:
        # 1 MiB before the first partition, and 1 MiB for the copy of the table at the end.
        file.truncate((boot_mib + system_mib + data_mib + 2) * _MIB)
    _partition(raw, boot_mib, system_mib)
    _boot_partition(raw, root, system, boot_mib)
    offset = (1 + boot_mib) * _MIB
    # grub 2.06 can read neither of these two features.
    words = ["-q", "-F", "-t", "ext4", "-O", "^metadata_csum_seed,^orphan_file", "-U", system.root, "-L", "system"]
    run("mke2fs", *words, "-E", f"offset={offset}", "-d", root, raw, f"{system_mib}M")
    return raw


def _partition(raw: Path, boot_mib: int, system_mib: int) -> None:
    table = (
        "label: gpt\n"
        f"start=1MiB, size={boot_mib}MiB, type=uefi, name=wardwell-boot\n"
        f"size={system_mib}MiB, type=linux, name=wardwell-system\n"
        "type=linux, name=wardwell-data\n"
    )
    run("sfdisk", "--quiet", raw, stdin=table)


def _boot_partition(raw: Path, root: Path, system: System, boot_mib: int) -> None:
    partition = f"{raw}@@{_MIB}"
    sectors = boot_mib * _MIB // _SECTOR
    format_options = ["-F", "-v", "WARDWELL", "-N", system.boot, "-T", str(sectors), "-h", "255", "-s", "63"]
    run("mformat", "-i", partition, *format_options)
    run("mmd", "-i", partition, "::/EFI", "::/EFI/BOOT", "::/EFI/debian")
    config = raw.with_suffix(".grub")
    config.write_text(_GRUB.format(root=system.root))
    for source, name in [
        (root / "usr/lib/shim/shimx64.efi.signed", "EFI/BOOT/BOOTX64.EFI"),
        (root / "usr/lib/shim/mmx64.efi.signed", "EFI/BOOT/mmx64.efi"),
        (root / "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", "EFI/BOOT/grubx64.efi"),
        # The signed grub looks for its configuration here and nowhere else.
        (config, "EFI/debian/grub.cfg"),
    ]:
        run("mcopy", "-i", partition, source, f"::/{name}")
    config.unlink()
