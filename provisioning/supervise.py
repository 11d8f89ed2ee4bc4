"""One supervisord: its configuration from the parts in `provisioning/supervisor/`, its start and its exact stop.

Owns: `run/supervisord.conf` and `run/started.json` under the home. Every process that supervisord starts carries a
random mark in its environment; stopping ends what carries that mark and nothing else, also when supervisord itself was
killed. Must never see: what the processes do.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client  # talks to our own supervisord, over a unix socket in our own folder
from pathlib import Path
from typing import Any, cast
from xml.parsers.expat import ExpatError

from appliance.errors import WardwellError
from appliance.settings import RUNTIME, Home
from provisioning.front import ROOT, fill

# Where a compartment's supervisord keeps its number in production: the unit's RuntimeDirectory.
CONTROL = RUNTIME / "units"
PARTS = ROOT / "provisioning" / "supervisor"
COMPARTMENT_PARTS = ("ledger", "desk", "post", "intake", "press")
SOCKETS = ("desk", "post", "ledger")
_MARK = "WARDWELL_STARTED"
_STOP_SECONDS = 30.0
# Unix socket addresses hold 108 bytes on Linux.
_LONGEST_SOCKET = 107


def render(home: Home, parts: tuple[str, ...], commands: dict[str, list[str]]) -> str:
    """The configuration that runs `parts` as one user; `commands` fills in what only this machine knows."""
    return _fill(
        ("control", *parts),
        {
            "HOME": str(home.root),
            "ROOT": str(ROOT),
            "LOG": str(home.log),
            "RUN": str(home.run),
            "CONTROL": str(home.run),
            "UMASK": "077",
            "RETRIES": "10",
            "BIN": str(Path(sys.executable).parent),
            **{name.upper(): " ".join(words) for name, words in commands.items()},
        },
    )


def render_compartment(home: Home, compartment: str, code: Path) -> str:
    """The configuration of one compartment's own supervisord in production, run from `code` (with `src` and `venv`)."""
    return _fill(
        (compartment,),
        {
            "HOME": str(home.root),
            "ROOT": str(code / "src"),
            "LOG": str(home.logs(compartment)),
            "RUN": str(home.run),
            "CONTROL": str(CONTROL / compartment),
            # What it writes is for the group of each folder too: a message's receiver, the readers of public files.
            "UMASK": "027",
            # Never given up: what hinders a program (a full disk, a ledger that is down) passes. Each wait is a second
            # longer than the one before, so that after a day it is about seven minutes.
            "RETRIES": "1000000",
            "BIN": str(code / "venv" / "bin"),
        },
    )


def _fill(parts: tuple[str, ...], values: dict[str, str]) -> str:
    text = "".join((PARTS / f"{part}.conf.in").read_text() for part in ("supervisord", *parts))
    return fill(text, values)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=20)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Supervisor:
    """The supervisord of `home`."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.run = home.run
        self.configuration = self.run / "supervisord.conf"
        self._started = self.run / "started.json"

    def _ours(self) -> list[int]:
        """Process ids that carry the mark of the last start."""
        try:
            mark = str(json.loads(self._started.read_text())["mark"])
        except (FileNotFoundError, ValueError, KeyError):
            return []
        wanted = f"{_MARK}={mark}".encode()
        pids = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                carries = wanted in (folder / "environ").read_bytes().split(b"\0")
                # A zombie has nothing left to stop; its parent will collect it.
                alive = (folder / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
            except OSError:
                continue
            if carries and alive:
                pids.append(int(folder.name))
        return pids

    def _ask(self, method: str, *arguments: Any) -> Any:
        """One call to supervisord's XML-RPC interface. Raises OSError, HTTPException or xmlrpc.client.Error."""
        connection = _UnixConnection(self.run / "supervisor.sock")
        try:
            body = xmlrpc.client.dumps(arguments, f"supervisor.{method}")
            connection.request("POST", "/RPC2", body.encode(), {"Content-Type": "text/xml"})
            with connection.getresponse() as response:
                content = response.read()
            return xmlrpc.client.loads(content)[0][0]
        finally:
            connection.close()

    def states(self) -> dict[str, str]:
        """Program -> state name as supervisord says it ("RUNNING", "BACKOFF", ...); empty when it does not answer."""
        try:
            infos = cast("list[dict[str, Any]]", self._ask("getAllProcessInfo"))
        except (OSError, xmlrpc.client.Error, http.client.HTTPException, ExpatError):
            return {}
        return {str(info["name"]): str(info["statename"]) for info in infos}

    def is_running(self) -> bool:
        return bool(self._ours()) and bool(self.states())

    def runs(self, configuration: str, code: str) -> bool:
        """Whether it runs with just this configuration and this state of the code."""
        try:
            started = json.loads(self._started.read_text())
        except (FileNotFoundError, ValueError):
            return False
        same = started.get("code") == code and self.configuration.is_file()
        return same and self.configuration.read_text() == configuration and self.is_running()

    def start(self, configuration: str, code: str) -> None:
        """Start supervisord in the background. Raises WardwellError when it does not come up."""
        for name in SOCKETS:
            self.home.socket(name).parent.mkdir(parents=True, exist_ok=True)
        self.home.log.mkdir(parents=True, exist_ok=True)
        longest = max(len(str(self.run / name)) for name in ("supervisor.sock.99999", "ledger/ledger.sock"))
        if longest > _LONGEST_SOCKET:
            raise WardwellError("The state folder's path is too long for unix sockets.", "Set WARDWELL_HOME shorter.")
        self.stop()
        mark = secrets.token_hex(16)
        self.configuration.write_text(configuration)
        self._started.write_text(json.dumps({"mark": mark, "code": code}))
        done = subprocess.run(
            [str(Path(sys.executable).parent / "supervisord"), "-c", str(self.configuration)],
            env={**os.environ, _MARK: mark, "WARDWELL_HOME": str(self.home.root)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise WardwellError(f"supervisord did not start: {done.stdout[-300:]}", "Read log/supervisord.log.")
        deadline = time.monotonic() + 10
        while not self.states():
            if time.monotonic() > deadline:
                raise WardwellError("supervisord does not answer.", f"Read {self.home.log / 'supervisord.log'}.")
            time.sleep(0.1)

    def stop(self) -> int:
        """End every process of the last start, gently first; how many there were. Harmless when none is left."""
        ours = self._ours()
        count = len(ours)
        leader = self._leader(ours)
        deadline = time.monotonic() + _STOP_SECONDS
        if leader is not None:
            _signal([leader], signal.SIGTERM)
            while self._ours() and time.monotonic() < deadline:
                time.sleep(0.1)
        for severity in (signal.SIGTERM, signal.SIGKILL):
            left = self._ours()
            if not left:
                break
            _signal(left, severity)
            until = time.monotonic() + 5
            while self._ours() and time.monotonic() < until:
                time.sleep(0.1)
        self._started.unlink(missing_ok=True)
        return count

    def _leader(self, ours: list[int]) -> int | None:
        try:
            pid = int((self.run / "supervisord.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if pid in ours else None


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
