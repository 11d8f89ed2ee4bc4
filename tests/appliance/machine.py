"""A root booted as a real machine: its own kernel, under qemu's software emulation (no KVM is needed or used).

Code in it runs 8 to 20 times slower than here. Two ways to be on the network, both without a way out: `cable` (a tap
device inside the agency's namespace) and `restricted` (qemu's user network with `restrict=on`, in that namespace too).
"""

from __future__ import annotations

import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.appliance.network import DIRECTORY, WORKSTATION, Network
from tests.appliance.rootfs import ADDRESS, kernel_of, run
from tests.appliance.ssh import Shell


@dataclass
class Disk:
    """A drive of the machine. `source`: a raw or qcow2 file that stays as it is; without it an empty one."""

    name: str
    source: Path | None = None
    gigabytes: int = 2
    readonly: bool = False


@dataclass
class Machine:
    """One emulated machine. `folder` holds its disks and logs. `durable`: what the guest flushed survives `kill`."""

    folder: Path
    network: Network
    kernel_root: Path | None
    disks: list[Disk]
    mode: Literal["cable", "restricted"] = "cable"
    memory: int = 4096
    durable: bool = False
    extra: list[str] = field(default_factory=list)
    append: str = ""
    boot_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.console = self.folder / "console.log"
        self.shell = Shell(self.network.prefix(), self.folder, log=self.folder / "commands.log")
        self._process: subprocess.Popen[bytes] | None = None
        for disk in self.disks:
            if not disk.readonly:
                self._make(disk)

    def file(self, name: str) -> Path:
        """The machine's own file of a drive."""
        return self.folder / f"{name}.qcow2"

    def _make(self, disk: Disk) -> None:
        target = self.file(disk.name)
        if target.exists():
            return  # kept from an earlier run
        if disk.source:
            form = "qcow2" if disk.source.suffix == ".qcow2" else "raw"
            run("qemu-img", "create", "-q", "-f", "qcow2", "-b", disk.source.resolve(), "-F", form, target)
        else:
            run("qemu-img", "create", "-q", "-f", "qcow2", target, f"{disk.gigabytes}G")

    def _network(self) -> list[str]:
        if self.mode == "cable":
            wire = "tap,id=lan,ifname=lan0,script=no,downscript=no"
        else:
            # `restrict=on` leaves nothing but these: ssh, exports and HTTPS inwards, and the agency's directory.
            forwards = [f"hostfwd=tcp:{ADDRESS}:{port}-{ADDRESS}:{port}" for port in (22, 2222, 443, 80)]
            directory = f"guestfwd=tcp:{DIRECTORY}:636-cmd:socat - TCP:{DIRECTORY}:636"
            net = f"net=10.77.0.0/24,host={WORKSTATION},dhcpstart={ADDRESS}"
            wire = ",".join(["user,id=lan,restrict=on", net, *forwards, directory])
        return ["-netdev", wire, "-device", "virtio-net-pci,netdev=lan,mac=52:54:00:77:00:02"]

    def command(self) -> list[str]:
        """What runs it."""
        words = [
            *("qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi,tb-size=1024"),
            # Emulated, AVX costs more than it saves: in two comparisons programs loaded 15 % sooner without it.
            *("-cpu", "max,-avx,-avx2", "-smp", "2", "-m", str(self.memory), "-display", "none", "-monitor", "none"),
            *("-serial", f"file:{self.console}", "-device", "virtio-rng-pci", "-no-reboot", *self._network()),
        ]
        if self.kernel_root:
            kernel, initrd = kernel_of(self.kernel_root)
            line = f"root=/dev/vda rw console=ttyS0 quiet {self.append}".strip()
            words += ["-kernel", str(kernel), "-initrd", str(initrd), "-append", line]
        for disk in self.disks:
            if disk.readonly:
                words += ["-drive", f"file={disk.source},if=virtio,format=raw,readonly=on"]
            else:
                # With `unsafe` qemu keeps the disk's own tables to itself: a kill would break what no power cut does.
                cache = "writeback" if self.durable else "unsafe"
                words += ["-drive", f"file={self.file(disk.name)},if=virtio,format=qcow2,cache={cache},discard=unmap"]
        return words + self.extra

    def start(self, timeout: float = 300) -> float:
        """Boot it; seconds until somebody can sign in over ssh."""
        assert self._process is None
        if self.mode == "cable":
            self.network.replace_cable()
        else:
            # qemu listens on the appliance's address; who connects does so as a workstation, or the answers go nowhere.
            local = ["local", f"{ADDRESS}/32", "dev", "lo", "src", WORKSTATION, "table", "local"]
            run("ip", "-n", self.network.agency, "route", "replace", *local)
        self._process = self.network.start(*self.command(), log=self.folder / "qemu.log")
        try:
            return self.shell.wait(self._process, timeout)
        except AssertionError as reason:
            logs = [self.folder / "qemu.log", self.console]
            tail = "".join(log.read_text(errors="replace")[-3000:] for log in logs if log.exists())
            raise AssertionError(f"{reason}\n{tail}") from None

    def running(self, timeout: float = 300) -> None:
        """Until systemd calls itself up and in order."""
        state = self.shell.run("systemctl is-system-running --wait", check=False, timeout=timeout).stdout.strip()
        failed = self.shell.run("systemctl list-units --failed --no-legend --plain", check=False).stdout
        assert state == "running", f"{state}: {failed}"

    def stop(self, timeout: float = 180) -> None:
        """Shut it down in order."""
        if self._process is None:
            return
        self.shell.run("systemctl poweroff", check=False, timeout=30)
        self.shell.forget()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the machine did not power off within {timeout:.0f} s") from None
        self._process = None

    def kill(self) -> None:
        """A power cut."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(30)
        self._process = None
        self.shell.forget()

    def close(self) -> None:
        """Off, and its disks removed."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
