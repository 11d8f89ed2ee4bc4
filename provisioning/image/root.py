"""The system on the image: Debian 12 as its installer would leave it, with the unpacked bundle and a welcome text.

Owns: the list of its packages and the files that are added. Must never see: a secret; the image has no password, host
key or machine id, and until Wardwell is installed only the console lets anyone in.
"""

from __future__ import annotations

from pathlib import Path

from appliance.operate.bundle import Bundle
from provisioning.image.disk import System
from provisioning.image.tools import run

BUNDLE = "opt/wardwell/bundle"
# Debian's general kernel: its cloud kernel lacks the drivers for VMware and VirtualBox.
_PACKAGES = [
    *("systemd", "systemd-sysv", "dbus", "udev", "kmod", "linux-image-amd64", "initramfs-tools"),
    *("grub-efi-amd64", "grub-efi-amd64-signed", "shim-signed", "e2fsprogs", "fdisk", "passwd", "login"),
    *("iproute2", "openssh-client", "less", "nano"),
]
_CONSOLE = r"""#!/bin/sh
# Before Wardwell is installed there is no password and no network service: whoever has the console is root, as with
# Debian's installer. Afterwards this is a plain login.
if [ -e /opt/wardwell/current ]; then exec /sbin/agetty -o '-p -- \u' "$@"; fi
exec /sbin/agetty --autologin root -o '-p -f -- \u' "$@"
"""
_WELCOME = """\
if [ ! -e /opt/wardwell/current ]; then cat /etc/wardwell-welcome; fi
"""
_TEXT = """
This machine carries Wardwell {version}, not yet installed.

  1. Its address: edit /etc/systemd/network/lan.network (DHCP as delivered), then: networkctl reload
  2. Compare the release key's fingerprint with the one that was published elsewhere:
         ssh-keygen -lf /{bundle}/release.pub
  3. Install, and answer a handful of questions; data_device is {data}:
         sh /{bundle}/install.sh --fingerprint SHA256:...

"""
_NETWORK = "# For a fixed address, in place of DHCP: Address=192.0.2.10/24 and Gateway=192.0.2.1\n"
_NETWORK += "[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n"
_DROP_IN = "[Service]\nExecStart=\nExecStart=-/usr/local/sbin/wardwell-console {}\n"
_GETTY = "--noclear - $TERM"
_SERIAL = "--keep-baud 115200,57600,38400,9600 - $TERM"
DATA = "/dev/disk/by-partlabel/wardwell-data"


def make(folder: Path, bundle: Bundle, system: System) -> Path:
    """Make the root file system in the new `folder`."""
    include = f"--include={','.join(_PACKAGES)}"
    run("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=directory", include, "bookworm", folder)
    for name, text in _files(bundle.manifest.version, system).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / "usr/local/sbin/wardwell-console").chmod(0o755)
    # Each machine makes its own id at its first start. The resolver is the build machine's, not the agency's.
    (folder / "etc/machine-id").write_text("")
    (folder / "etc/resolv.conf").unlink(missing_ok=True)
    run("chroot", folder, "systemctl", "--quiet", "enable", "systemd-networkd.service")
    run("chroot", folder, "systemctl", "--quiet", "mask", "systemd-networkd-wait-online.service")
    run("chroot", folder, "passwd", "--quiet", "--lock", "root")
    unpacked = bundle.unpack(folder / "opt")
    (folder / BUNDLE).parent.mkdir(exist_ok=True)
    unpacked.rename(folder / BUNDLE)
    return folder


def _files(version: str, system: System) -> dict[str, str]:
    disks = f"UUID={system.root} / ext4 errors=remount-ro 0 1\nUUID={system.boot_name} /boot/efi vfat umask=0077 0 1\n"
    return {
        "etc/hostname": "wardwell\n",
        "etc/hosts": "127.0.0.1 localhost\n127.0.1.1 wardwell\n::1 localhost\n",
        "etc/fstab": disks,
        "etc/apt/sources.list": "# None: packages come with the bundle.\n",
        "etc/systemd/network/lan.network": _NETWORK,
        "etc/systemd/system/getty@.service.d/wardwell.conf": _DROP_IN.format(_GETTY),
        "etc/systemd/system/serial-getty@.service.d/wardwell.conf": _DROP_IN.format(_SERIAL),
        "usr/local/sbin/wardwell-console": _CONSOLE,
        "etc/profile.d/wardwell-welcome.sh": _WELCOME,
        "etc/wardwell-welcome": _TEXT.format(version=version, bundle=BUNDLE, data=DATA),
    }
