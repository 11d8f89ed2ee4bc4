"""Commands on the appliance, as its administrator gives them: over ssh from the agency's network.

`nsenter` into a container would pass by the limits that the container has; ssh meets what an administrator meets.
"""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.appliance.rootfs import ADDRESS, ssh_key
from tests.support.waiting import until

PROMPT = "sudo-password:"


class CommandFailedError(AssertionError):
    """A command on the appliance ended with another status than 0."""


@dataclass
class Shell:
    """ssh to the appliance: as root on a stock machine, as `wardwell-admin` by sudo on an installed one.

    ssh takes the key alone; `password` is what sudo asks for.
    """

    prefix: Sequence[str]
    folder: Path
    user: str = "root"
    password: str = ""
    log: Path | None = None
    options: list[str] = field(default_factory=list)

    def _ssh(self, program: str = "ssh") -> list[str]:
        known = self.folder / "known_hosts"
        return [
            *self.prefix,
            *(program, "-q", "-i", str(ssh_key()), "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"),
            *("-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={known}", "-o", "ConnectTimeout=10"),
            *("-F", "none", "-o", "ControlMaster=auto", "-o", "ControlPersist=60"),
            *("-o", f"ControlPath={self.folder}/%r", "-o", "ServerAliveInterval=10"),
            *self.options,
        ]

    def run(
        self, command: str, *, check: bool = True, input: str | None = None, timeout: float = 300, sudo: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run shell on the appliance as root (`sudo=False`: as the one who signed in)."""
        remote, typed = self._as_root(command) if sudo else (command, "")
        done = subprocess.run(
            [*self._ssh(), f"{self.user}@{ADDRESS}", remote],
            input=typed + (input or ""),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if self.log:
            with open(self.log, "a") as file:
                file.write(f"$ {command}\n{done.stdout}{done.stderr}[{done.returncode}]\n")
        if check and done.returncode:
            raise CommandFailedError(
                f"{command!r} ended with {done.returncode}:\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
            )
        return done

    def interactive(self, command: str) -> list[str]:
        """What runs a command of root's with a terminal of its own."""
        # In a terminal of its own sudo asks there; see `Terminal`.
        remote = f"sudo -k -p {PROMPT} -- {command}" if self.user != "root" else command
        return [*self._ssh(), "-tt", f"{self.user}@{ADDRESS}", remote]

    def output(self, command: str, timeout: float = 300) -> str:
        """What a command that has to succeed prints, without the line's end."""
        return self.run(command, timeout=timeout).stdout.strip()

    def put(self, local: Path, remote: str) -> None:
        """Copy a file to the appliance (root's, mode 0600)."""
        command, typed = self._as_root(f"umask 077; cat > {shlex.quote(remote)}")
        content = typed.encode() + local.read_bytes()
        subprocess.run([*self._ssh(), f"{self.user}@{ADDRESS}", command], input=content, timeout=600, check=True)

    def write(self, remote: str, text: str) -> None:
        """Make a small file on the appliance (root's, mode 0600)."""
        self.run(f"umask 077; cat > {shlex.quote(remote)}", input=text)

    def get(self, remote: str) -> bytes:
        """The bytes of a file of the appliance."""
        command, typed = self._as_root(f"cat {shlex.quote(remote)}")
        return subprocess.run(
            [*self._ssh(), f"{self.user}@{ADDRESS}", command],
            input=typed.encode(),
            capture_output=True,
            timeout=600,
            check=True,
        ).stdout

    def _as_root(self, command: str) -> tuple[str, str]:
        """How to run a command as root, and what is typed before its own input."""
        if self.user == "root":
            return command, ""
        # `-k`: it asks each time, so that what is typed is never taken for the command's input.
        return f"sudo -k -S -p '' -- sh -c {shlex.quote(command)}", f"{self.password}\n"

    def wait(self, alive: object, timeout: float) -> float:
        """Until somebody can sign in; seconds. `alive` is the process that runs the appliance."""

        def signs_in() -> bool:
            assert alive.poll() is None, "the appliance ended while it was starting"  # type: ignore[attr-defined]
            return self.run("true", check=False, timeout=30, sudo=False).returncode == 0

        started = time.monotonic()
        until(signs_in, timeout, 0.3, not_yet=subprocess.TimeoutExpired)
        return time.monotonic() - started

    def forget(self) -> None:
        """Close the shared connection (after a restart, or to sign in anew)."""
        subprocess.run(
            [*self._ssh(), "-O", "exit", f"{self.user}@{ADDRESS}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )


def listens(server: subprocess.Popen[bytes], log: Path) -> bool:
    """Whether this sshd says in its log that it listens; it must not have ended."""
    assert server.poll() is None, log.read_text()
    return "listening" in log.read_text()
