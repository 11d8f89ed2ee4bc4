"""Everything that custody asks of the machine itself: the encrypted volume, its file system, systemd.

Owns: the only calls of cryptsetup, mkfs and systemctl. A key goes to cryptsetup on its standard input, never as an
argument. Must never see: a card, or the root secret. Tests put another Machine in this one's place.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from appliance.errors import WardwellError
from appliance.layout import lay_out
from appliance.settings import Home

MAPPED = "wardwell-data"
MOUNT_UNIT = "var-lib-wardwell.mount"
TARGET = "wardwell.target"
# The passphrase is 256 random bits, so guessing it is hopeless at any cost. The cost is pinned (64 MiB, 4 passes, one
# thread) because cryptsetup's benchmark gives other values on every machine, and fails on one with little memory.
_PBKDF = (
    *("--pbkdf", "argon2id"),
    *("--pbkdf-memory", "65536", "--pbkdf-force-iterations", "4", "--pbkdf-parallel", "1"),
)
_SECONDS = 300


class Machine:
    """The real machine; every method needs root. Raises WardwellError with the tool's name when a tool fails."""

    def contents(self, device: str) -> str:
        """What is on `device`: "" for nothing at all, "crypto_LUKS", a file system's type, or "partitions"."""
        try:
            # blkid answers the same for a device that cannot be read as for a blank one; only blank is blank.
            with open(device, "rb", buffering=0) as file:
                file.read(4096)
        except OSError:
            raise WardwellError(f"{device} cannot be read.", "Check `[disk] device` in wardwell.toml.") from None
        probed = self._try(["blkid", "--probe", "--output", "export", device])
        if probed.returncode == 2:
            return ""
        values = dict(line.split("=", 1) for line in probed.stdout.decode().splitlines() if "=" in line)
        # 8 is "ambivalent": traces of more than one kind.
        return values.get("TYPE", "partitions")

    def format(self, device: str, key: str) -> None:
        """Make a LUKS2 volume of `device`, which must be blank."""
        luks = ["cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", "--label", MAPPED]
        self._run([*luks, *_PBKDF, "--key-file", "-", device], key)

    def fits(self, device: str, key: str) -> bool:
        """Whether `key` opens `device`."""
        test = ["cryptsetup", "open", "--test-passphrase", "--key-file", "-", device]
        return self._try(test, key.encode()).returncode == 0

    def add_key(self, device: str, key: str, new: str) -> None:
        """Let `new` open `device` as well as `key`."""
        # Two secrets and one standard input: each comes through a pipe of its own, and neither touches a disk.
        reading, writing = os.pipe()
        os.write(writing, new.encode())
        os.close(writing)
        try:
            add = ["cryptsetup", "luksAddKey", "--batch-mode", *_PBKDF, "--key-file", "-", device, f"/dev/fd/{reading}"]
            self._run(add, key, pass_fds=[reading])
        finally:
            os.close(reading)

    def remove_key(self, device: str, key: str) -> None:
        """Let `key` open `device` no longer."""
        self._run(["cryptsetup", "luksRemoveKey", "--batch-mode", "--key-file", "-", device], key)

    def is_open(self) -> bool:
        """Whether the data volume is unlocked."""
        return self.volume.exists()

    @property
    def volume(self) -> Path:
        """The unlocked volume's device."""
        return Path("/dev/mapper") / MAPPED

    def open(self, device: str, key: str) -> None:
        """Unlock `device` as `volume`."""
        self._run(["cryptsetup", "open", "--type", "luks2", "--key-file", "-", device, MAPPED], key)

    def close(self) -> None:
        """Lock the volume; its key leaves the kernel's memory."""
        self._run(["cryptsetup", "close", MAPPED])

    def make_file_system(self) -> None:
        """ext4 with quotas (a feed may fill only its share) on the unlocked volume, which must be blank."""
        quiet = ["mkfs.ext4", "-q", "-L", MAPPED, "-O", "quota", "-m", "1"]
        self._run([*quiet, str(self.volume)])

    def is_mounted(self, home: Home) -> bool:
        """Whether the data volume is mounted at `home`."""
        return os.path.ismount(home.root)

    def mount(self, home: Home) -> None:
        """Mount the volume. systemd does it: a mount of this process's own would be seen by nobody else."""
        self._run(["systemctl", "start", MOUNT_UNIT])

    def unmount(self, home: Home) -> None:
        """Take the volume away again. Fails while anything holds a file of it open."""
        self._run(["systemctl", "stop", MOUNT_UNIT])

    def lay_out(self, home: Home) -> list[str]:
        """Have every folder of the data volume, with owner and mode; what was changed."""
        return lay_out(home)

    def start(self) -> None:
        """Start the compartments; does not wait for them to serve."""
        self._run(["systemctl", "start", "--no-block", TARGET])

    def stop(self) -> None:
        """Stop the compartments, and wait until they ended: the volume is in use until then."""
        # Stopping the target stops its parts as well, but waits for none of them unless it is named.
        shown = self._try(["systemctl", "show", "--property=ConsistsOf", "--value", TARGET])
        self._run(["systemctl", "stop", TARGET, *sorted(shown.stdout.decode().split())])

    def _run(self, command: Sequence[str], key: str = "", pass_fds: Sequence[int] = ()) -> None:
        done = self._try(command, key.encode(), pass_fds)
        if done.returncode != 0:
            # The tool's own words name a device and a reason; a key is never among them.
            reason = done.stderr.decode(errors="replace").strip().splitlines()
            raise WardwellError(
                f"`{' '.join(command[:2])}` failed{': ' + reason[-1].rstrip('.') if reason else ''}.",
                "Read `journalctl -b`; fix what it says, then try again.",
            )

    def _try(
        self, command: Sequence[str], key: bytes = b"", pass_fds: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                command,
                input=key,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
                pass_fds=pass_fds,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
            )
        except FileNotFoundError:
            raise WardwellError(f"`{command[0]}` is not installed.", "Run `wardwell apply`.") from None
        except subprocess.TimeoutExpired:
            raise WardwellError(f"`{command[0]}` did not end.", "Look at the disk's health, and do it again.") from None
