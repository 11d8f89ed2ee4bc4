"""A root booted in a container: systemd as its first process within a second, in a network of its own.

What a container cannot prove (memory limits, kernel settings, AppArmor, auditd, an opened LUKS volume) is proven in
`machine.py`. The container is never killed: its first process would stay behind.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tests.appliance.network import Network
from tests.appliance.rootfs import Layer, run
from tests.appliance.ssh import Shell


class Container:
    """One booted root. `shell` speaks to it."""

    def __init__(self, layer: Layer, network: Network, *, media: Path | None = None, device: str = "") -> None:
        """`media`: a folder that is in it read-only under /media/usb, as a stick in the machine.

        `device`: the path of an empty disk of 9 GiB in it, which can be seen there but not encrypted.
        """
        self.layer, self.network, self.media, self.device = layer, network, media, device
        self.log = layer.folder / "console.log"
        self.shell = Shell(network.prefix(), layer.folder, log=layer.folder / "commands.log")
        self._process: subprocess.Popen[bytes] | None = None
        self._loop_device = ""
        self._group = Path("/sys/fs/cgroup") / f"wardwell-{layer.folder.name}"

    def start(self, timeout: float = 60) -> float:
        """Boot it; seconds until it is up. An `AssertionError` with the failed units when it is not in order."""
        assert self._process is None
        nspawn = [
            *("systemd-nspawn", "-q", "-D", str(self.layer.merged), "--boot", "--register=no", "--keep-unit"),
            *(f"--network-namespace-path=/run/netns/{self.network.appliance}", "--capability=CAP_NET_ADMIN"),
            *("--console=read-only", "--link-journal=no", "--resolv-conf=off", "--timezone=off"),
            *([f"--bind-ro={self.media}:/media/usb"] if self.media else []),
            *([f"--bind={self._loop()}:{self.device}"] if self.device else []),
        ]
        script = f"""
            mount -t cgroup2 none /sys/fs/cgroup
            mkdir -p {self._group} && echo $$ > {self._group}/cgroup.procs
            {self.layer.mount_command()}
            exec {shlex.join(nspawn)}
        """
        started = time.monotonic()
        with open(self.log, "ab") as out:
            self._process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-ec", script], stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        try:
            self.shell.wait(self._process, timeout)
            state = self.shell.run("systemctl is-system-running --wait", check=False, timeout=timeout).stdout.strip()
            assert state == "running", f"{state}:\n{self.failures()}"
        except BaseException:
            self.stop()
            raise
        return time.monotonic() - started

    def _loop(self) -> str:
        """A loop device of this machine on an empty file; made anew at each start, freed by `stop`."""
        file = self.layer.folder / "device.raw"
        with open(file, "wb") as raw:
            raw.truncate(9 << 30)
        self._loop_device = run("losetup", "--find", "--show", file).strip()
        return self._loop_device

    def failures(self) -> str:
        """The units that failed and the last lines of each."""
        return self.shell.run(
            "systemctl list-units --failed --no-legend --plain | while read unit _; do"
            ' echo "== $unit"; journalctl -n 15 --no-pager -u "$unit"; done',
            check=False,
        ).stdout

    def _first_process(self) -> int | None:
        """systemd in it, seen from here: the one child of the container's supervisor."""
        assert self._process
        with suppress(OSError, ValueError):
            return int(Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()[0])
        return None

    def stop(self, timeout: float = 90) -> None:
        """Power it off as its own `systemctl poweroff` does."""
        if self._process is None:
            return
        self.shell.forget()
        first = self._first_process()
        if first and self._process.poll() is None:
            os.kill(first, signal.SIGRTMIN + 4)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            # Its first process, not its supervisor: with that one gone the kernel ends everything in it.
            if first:
                os.kill(first, signal.SIGKILL)
            self._process.wait(20)
            raise AssertionError(f"the container did not power off within {timeout:.0f} s") from None
        finally:
            self._process = None
            self._remove_group()
            if self._loop_device:
                run("losetup", "--detach", self._loop_device)
                self._loop_device = ""

    def _remove_group(self) -> None:
        """Its control groups are empty now; they lie in the host's hierarchy and would pile up."""
        script = (
            f"mount -t cgroup2 none /sys/fs/cgroup; find {self._group} -depth -type d -exec rmdir {{}} + 2>/dev/null"
        )
        subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, timeout=30, check=False)

    def restart(self, timeout: float = 60) -> float:
        """Power off and boot again."""
        self.stop()
        return self.start(timeout)

    def close(self) -> None:
        """Stop it and remove its layer."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.layer.folder, ignore_errors=True)
