"""The agency's network for one appliance: two network namespaces and one cable, and nothing behind them.

    agency namespace                          appliance namespace
    10.77.0.1   workstations, the tests  ----  10.77.0.2  the appliance
    10.77.0.10  the directory
    10.77.0.11  the time server
    10.77.0.20  somebody else, whom the appliance may not speak to

Neither has a default route, so nothing outside can be reached, and nothing outside is ever probed.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.appliance.rootfs import ADDRESS, run

WORKSTATION = "10.77.0.1"
DIRECTORY = "10.77.0.10"
TIME_SERVER = "10.77.0.11"
ELSEWHERE = "10.77.0.20"
_CLONE_NEWNET = 0x40000000
_NAMES = Path("/run/netns")


@dataclass
class Network:
    """A made network; `close` removes it."""

    name: str

    @classmethod
    def make(cls) -> Network:
        network = cls(f"ww-{os.getpid()}-{secrets.token_hex(2)}")
        for side in (network.agency, network.appliance):
            run("ip", "netns", "add", side)
            run("ip", "-n", side, "link", "set", "lo", "up")
        run(
            *("ip", "-n", network.agency, "link", "add", "name", "lan0", "type", "veth"),
            *("peer", "name", "lan0", "netns", network.appliance),
        )
        for address in (WORKSTATION, DIRECTORY, TIME_SERVER, ELSEWHERE):
            run("ip", "-n", network.agency, "address", "add", f"{address}/24", "dev", "lan0")
        run("ip", "-n", network.appliance, "address", "add", f"{ADDRESS}/24", "dev", "lan0")
        for side in (network.agency, network.appliance):
            run("ip", "-n", side, "link", "set", "lan0", "up")
        return network

    @property
    def agency(self) -> str:
        return f"{self.name}-agency"

    @property
    def appliance(self) -> str:
        return f"{self.name}-appliance"

    def replace_cable(self) -> None:
        """A virtual machine instead of the container: a tap device takes the cable's end on the agency's side."""
        run("ip", "-n", self.agency, "link", "del", "lan0")
        run("ip", "-n", self.agency, "tuntap", "add", "dev", "lan0", "mode", "tap")
        for address in (WORKSTATION, DIRECTORY, TIME_SERVER, ELSEWHERE):
            run("ip", "-n", self.agency, "address", "add", f"{address}/24", "dev", "lan0")
        run("ip", "-n", self.agency, "link", "set", "lan0", "up")

    def prefix(self) -> list[str]:
        """Words that make a command run at the agency."""
        return ["ip", "netns", "exec", self.agency]

    def start(self, *command: str | Path, log: Path) -> subprocess.Popen[bytes]:
        """A server of the agency; the caller ends it."""
        with open(log, "ab") as out:
            return subprocess.Popen(
                [*self.prefix(), *map(str, command)], stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets that this thread opens inside are the agency's."""
        libc = ctypes.CDLL(None, use_errno=True)
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(_NAMES / self.agency, os.O_RDONLY)
        try:
            assert libc.setns(there, _CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            yield
        finally:
            assert libc.setns(here, _CLONE_NEWNET) == 0
            os.close(here)
            os.close(there)

    def close(self) -> None:
        for side in (self.agency, self.appliance):
            with suppress(AssertionError):
                run("ip", "netns", "del", side)
