"""What an update asks of the machine: releases and links, the backup, the playbook, systemd, and the health check.

Owns: `/opt/wardwell/{releases,current,previous,update.json,files-are-accepted}` and `before-update/` on the data
volume. Must never see: a row; the copies of databases are as encrypted as the databases. Tests put another Machine in
this one's place.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

import msgspec

from appliance import durable
from appliance.crypto import sshsig
from appliance.errors import Refused, WardwellError
from appliance.operate import maintenance
from appliance.settings import COMPARTMENTS, CONFIGURATION, MAINTENANCE, UNSEALED, Home

BASE = Path("/opt/wardwell")
# Longest time in which a new version has to be in order, in seconds.
HEALTHY_SECONDS = 120.0
# A program that dies and is started again is in order between two deaths, so a version has to stay in order this long.
STEADY_SECONDS = 20.0
# Headings of `wardwell status` that a version is answerable for; a directory that is down is not its fault.
ESSENTIAL = ("settings", "charter", "units", "database ", "process ", "health ", "access log", "spool")
COPIED = (*COMPARTMENTS, "spool")
# Compares the system's files with the accepted reading, or accepts them (role audit); and that reading.
COMPARISON, READING = Path("/usr/local/lib/wardwell/aide_check"), Path("/var/lib/aide/wardwell.db")


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a change of version stands. `log` is the access log's head when the databases were copied; `boot` names
    the run of the machine; `moves` says that the new version brings other schemas."""

    step: Literal["hold", "trial", "back", "accept"]
    old: str
    new: str
    moves: bool
    boot: str
    log: str
    why: str = ""


class Machine:
    """The real machine; every method needs root. Raises WardwellError with the tool's last lines when a tool fails."""

    def __init__(self, home: Home, base: Path = BASE) -> None:
        self.home, self.base = home, base

    # --- what is there ---

    def fingerprint(self) -> str:
        """The fingerprint of the release key that this appliance was installed with. Raises Refused without one."""
        try:
            return sshsig.fingerprint((CONFIGURATION / "release.pub").read_text().strip())
        except OSError:
            raise Refused("This appliance trusts no release key.", "Put /etc/wardwell/release.pub back.") from None

    def debian(self) -> str:
        """The release of this machine's Debian, such as `12`."""
        lines = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
        return lines.get("VERSION_ID", "").strip('"')

    def boot(self) -> str:
        """A name for the time since the machine started."""
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()

    def release(self, version: str) -> Path:
        return self.base / "releases" / version

    def leads(self, link: str) -> str:
        """The version that `current` or `previous` leads to; "" when the link is not there."""
        path = self.base / link
        return path.readlink().name if path.is_symlink() else ""

    def staged(self, version: str) -> bool:
        """Whether that version lies here whole."""
        return (self.release(version) / "complete").is_file()

    def schemas(self, version: str) -> set[str]:
        """The schema steps that a version knows, as `<compartment>/<file>`."""
        folder = self.release(version) / "src/appliance/storage/migrations/versions"
        return {f"{path.parent.name}/{path.name}" for path in folder.glob("*/[0-9]*.py")}

    def unsealed(self) -> bool:
        return UNSEALED.exists()

    def head(self) -> str:
        """The access log's published size and root."""
        return "\n".join((self.home.public / "ledger" / "checkpoint").read_text().splitlines()[:3])

    # --- the state of a change ---

    def state(self) -> State | None:
        """What is under way, or was interrupted. Raises WardwellError when its file is damaged."""
        path = self.base / "update.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=State)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, msgspec.ValidationError):
            raise WardwellError(
                f"{path} is damaged.", "Compare /opt/wardwell/current, then remove that file."
            ) from None

    def keep(self, state: State | None) -> None:
        """Note where the change stands, so that it outlasts a power cut."""
        path = self.base / "update.json"
        if state is None:
            path.unlink(missing_ok=True)
            durable.sync(self.base)
        else:
            durable.replace(path, msgspec.json.encode(state))

    def alone(self, *, wait: bool = False) -> AbstractContextManager[None]:
        """Hold the lock of updates. Raises Refused when another one is going on, unless `wait`."""
        busy = None if wait else Refused("An update is in progress.", "Wait until it is done.")
        return durable.locked(self.base / ".update.lock", refusal=busy)

    # --- what is done ---

    def stage(self, unpacked: Path) -> None:
        """Put an unpacked bundle beside the running version."""
        self._run(["sh", str(unpacked / "install.sh"), "--stage"], "putting the new version in its place")

    def sweep(self, keep: set[str]) -> None:
        """Remove releases that nothing leads to, and what an interrupted unpacking left."""
        for path in (self.base / "releases").iterdir():
            if path.name not in keep:
                shutil.rmtree(path)
        for path in self.base.glob(".unpacking-*"):
            shutil.rmtree(path)

    def backup(self) -> None:
        """One backup, read back, in its own sandbox. Raises WardwellError when it failed."""
        self._run(["systemctl", "start", "wardwell-backup.service"], "the backup before the update")

    def compare_files(self) -> bool | None:
        """Whether the system's files are the accepted ones, noted until `accept_files`; None without a reading."""
        note = self.base / "files-are-accepted"
        note.unlink(missing_ok=True)
        if not READING.exists():
            return None
        done = subprocess.run(["nice", "-n", "10", str(COMPARISON)], capture_output=True, check=False)
        if done.returncode == 0:
            note.touch()
        return done.returncode == 0

    def accept_files(self) -> bool:
        """Take the files as the update left them for the accepted ones, if they were that before it; whether so.

        Raises WardwellError when no reading could be made.
        """
        note = self.base / "files-are-accepted"
        if not note.exists():
            return False
        self._run(["nice", "-n", "10", str(COMPARISON), "accept"], "reading the system's files anew")
        note.unlink()
        return True

    def hold(self) -> None:
        """Show the page of maintenance and stop the compartments."""
        maintenance.begin()

    def stop(self) -> None:
        """Stop what runs."""
        if self.unsealed():
            maintenance.begin()

    def room(self) -> bool:
        """Whether the data volume takes a second copy of the databases and still has its reserve."""
        from appliance import disk

        size = sum(file.stat().st_size for name in COPIED for file in (self.home.root / name).rglob("*"))
        return shutil.disk_usage(self.home.root).free > size + disk.reserve_bytes(self.home.root)

    def copy(self) -> None:
        """Copy the stopped databases and the messages between them to `before-update/data`."""
        self.drop_copy()
        part = self.home.root / "before-update" / "data.part"
        part.mkdir(parents=True, mode=0o700)
        paths = [str(self.home.root / name) for name in COPIED]
        self._run(["cp", "-a", "--reflink=auto", *paths, str(part)], "copying the databases")
        self._run(["sync", "-f", str(part)], "copying the databases")
        part.rename(part.with_name("data"))
        durable.sync(part.parent)

    def put_back(self) -> None:
        """Put the copies back in their places. Repeating it after an interruption goes on."""
        data = self.home.root / "before-update" / "data"
        for name in COPIED:
            if (data / name).is_dir():
                shutil.rmtree(self.home.root / name, ignore_errors=True)
                (data / name).rename(self.home.root / name)
        durable.sync(self.home.root)

    def drop_copy(self) -> None:
        """Remove the copies: what people erase from now on must not live on in them."""
        shutil.rmtree(self.home.root / "before-update", ignore_errors=True)

    def switch(self, version: str, previous: str) -> None:
        """Make `version` the current one, by rename, and `previous` the one to go back to."""
        for link, target in (("previous", previous), ("current", version)):
            durable.replace_link(self.base / link, f"releases/{target}")
        durable.sync(self.base)

    def configure(self, version: str) -> None:
        """Bring units, front and sandbox to that version: its own `wardwell apply`."""
        source = "/etc/apt/sources.list.d/wardwell.sources"
        options = [f"Dir::Etc::sourcelist={source}", "Dir::Etc::sourceparts=/dev/null", "APT::Get::List-Cleanup=0"]
        apt = ["apt-get", "-q", *(word for option in options for word in ("-o", option)), "update"]
        self._run(apt, "reading the packages of that version")
        self._run([str(self.release(version) / "venv/bin/wardwell"), "apply"], f"wardwell apply of version {version}")

    def start(self) -> None:
        """Start the compartments; the page of maintenance stays."""
        units = [f"wardwell@{name}.service" for name in reversed(maintenance.STOPPED)]
        self._run(["systemctl", "start", "wardwell.target", *units], "starting the compartments")

    def wrong(self, version: str) -> set[str]:
        """What that version is answerable for and is not in order, by its own `wardwell status`."""
        command = [str(self.release(version) / "venv/bin/wardwell"), "status", "--json"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
            checks = json.loads(done.stdout)["checks"]
            return {check["name"] for check in checks if not check["ok"] and check["name"].startswith(ESSENTIAL)}
        except (subprocess.TimeoutExpired, ValueError, KeyError, OSError):
            return {"status"}

    def wait_healthy(self, version: str, allowed: set[str], seconds: float = HEALTHY_SECONDS) -> set[str]:
        """What is still wrong after `seconds` at most, beyond what was wrong before; empty once it stays in order."""
        begun = time.monotonic()
        since = None
        while True:
            wrong = self.wrong(version) - allowed
            now = time.monotonic()
            since = None if wrong else since or now
            if since and now - since >= STEADY_SECONDS:
                return set()
            if wrong and now - begun >= seconds:
                return wrong
            time.sleep(2)

    def open(self) -> None:
        """Take the page of maintenance away, and have what runs outside the compartments use the version too."""
        MAINTENANCE.unlink(missing_ok=True)
        self._run(["systemctl", "try-restart", "wardwell-custody", "wardwell-sealed"], "starting custody again")

    def _run(self, command: list[str], what: str) -> None:
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "WARDWELL_UNATTENDED": "yes"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if done.returncode:
            lines = [line.strip() for line in (done.stdout + "\n" + done.stderr).splitlines() if line.strip()]
            reason = " / ".join(lines[-4:]) or "it gave no reason"
            raise WardwellError(f"This failed: {what}: {reason}", "Fix what it names, then update again.")
