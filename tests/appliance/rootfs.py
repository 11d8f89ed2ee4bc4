"""Root file systems: a stock Debian 12 made once and kept by the hash of its recipe, and cheap writable copies of it.

Owns: `.cache/appliance/`. The stock root is never written to after it is made: whoever needs to change it takes a
`Layer`, which is an overlay over it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "appliance"
# Counted up when the steps below change in a way that the lists do not show.
RECIPE = 2

# What Debian's installer leaves when only "SSH server" is ticked, less what an appliance never meets (printing, mail).
STOCK_PACKAGES = [
    *("systemd", "systemd-sysv", "dbus", "udev", "kmod", "linux-image-cloud-amd64", "initramfs-tools"),
    *("openssh-server", "python3", "iproute2", "passwd", "login"),
]

# The one address of the appliance on the agency's network, in the container and in the machine alike.
ADDRESS = "10.77.0.2"
_NETWORK = f"[Match]\nName=en*\n\n[Network]\nAddress={ADDRESS}/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"
_FILES = {
    "etc/hostname": "wardwell\n",
    "etc/hosts": "127.0.0.1 localhost\n127.0.1.1 wardwell\n",
    "etc/fstab": "",
    "etc/systemd/network/10-lan.network": _NETWORK,
}
# The machine's own network is up without a lease or a route, so that waiting for one would only end by its time-out.
_MASKED = ["systemd-networkd-wait-online.service"]
_MODULES = ["virtio_blk", "virtio_net", "virtio_pci", "ext4"]


@contextmanager
def lock(name: str) -> Iterator[None]:
    """One at a time on this machine, so that two test runs do not make the same thing at once."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def digest(*parts: object) -> str:
    """A short name for what these parts describe."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def run(*command: str | Path, timeout: float = 600) -> str:
    """A command of the host that has to succeed; its output."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, (
        f"{command[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    )
    return done.stdout


def ssh_key() -> Path:
    """The key that the tests use as the agency's administrator; made once, kept in the cache."""
    key = CACHE / "administrator"
    with lock("administrator"):
        if not key.exists():
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "administrator", "-f", key)
    return key


def stock() -> Path:
    """The folder of the stock root; about a minute the first time."""
    public = ssh_key().with_suffix(".pub").read_text()
    name = digest(RECIPE, STOCK_PACKAGES, _FILES, _MASKED, _MODULES, public)
    target = CACHE / f"stock-{name}"
    with lock("stock"):
        if not target.exists():
            for old in CACHE.glob("stock-*"):
                shutil.rmtree(old)
            making = CACHE / "making-stock"
            shutil.rmtree(making, ignore_errors=True)
            _make(making, public)
            making.rename(target)
    return target


def _make(folder: Path, public_key: str) -> None:
    # In a mount namespace of its own: it binds this machine's /dev/shm, and a mount left by an interrupted run would be
    # emptied with the folder.
    run(
        *("unshare", "--mount", "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=directory"),
        *(f"--include={','.join(STOCK_PACKAGES)}", "bookworm", folder),
    )
    for name, text in _FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    keys = folder / "root" / ".ssh"
    keys.mkdir(mode=0o700, exist_ok=True)
    (keys / "authorized_keys").write_text(public_key)
    run("chroot", folder, "systemctl", "--quiet", "enable", "systemd-networkd.service")
    run("chroot", folder, "systemctl", "--quiet", "mask", *_MASKED)
    (folder / "etc/initramfs-tools/modules").write_text("\n".join(_MODULES) + "\n")
    run("chroot", folder, "update-initramfs", "-u", timeout=300)
    # A machine makes its own at first boot; the same one everywhere would hide that something depends on it.
    (folder / "etc/machine-id").write_text("")


def kernel_of(root: Path) -> tuple[Path, Path]:
    """Kernel and initial memory disk of a root."""
    return max(root.glob("boot/vmlinuz-*")), max(root.glob("boot/initrd.img-*"))


@dataclass
class Layer:
    """A writable copy of a root that costs only what is changed; mounted in the mount namespace of whoever uses it."""

    lower: list[Path]
    folder: Path

    @classmethod
    def over(cls, *lower: Path, folder: Path | None = None) -> Layer:
        """A fresh layer; `lower` from the top downwards."""
        home = folder or Path(tempfile.mkdtemp(prefix="layer-", dir=CACHE))
        layer = cls(list(lower), home)
        for part in (layer.upper, layer.work, layer.merged):
            part.mkdir(parents=True, exist_ok=True)
        # The root folder's own mode is the layer's.
        layer.upper.chmod(0o755)
        return layer

    @property
    def upper(self) -> Path:
        return self.folder / "upper"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def merged(self) -> Path:
        return self.folder / "merged"

    def mount_command(self) -> str:
        """A line of shell that mounts it; for use after `unshare --mount`."""
        lower = ":".join(str(path) for path in self.lower)
        options = f"lowerdir={lower},upperdir={self.upper},workdir={self.work},xino=off"
        return f"mount -t overlay overlay -o {options} {self.merged}"

    def in_chroot(self, script: str, timeout: float = 600) -> str:
        """Run shell in it, without booting it. For preparing a root, never for proving something."""
        return self.with_mounted(f"chroot {self.merged} sh -ec {_quoted(script)}", timeout)

    def with_mounted(self, script: str, timeout: float = 600) -> str:
        """Run shell on the host while it is mounted at `merged`."""
        return run("unshare", "--mount", "sh", "-ec", f"{self.mount_command()}\n{script}", timeout=timeout)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def disk_image(layer: Layer, raw: Path, gigabytes: int = 8) -> Path:
    """A raw ext4 disk with what the layer holds; sparse. Needs no loop device."""
    raw.unlink(missing_ok=True)
    layer.with_mounted(f"mke2fs -q -t ext4 -L root -d {layer.merged} {raw} {gigabytes}G")
    return raw
