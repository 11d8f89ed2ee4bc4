"""What the ledger's tests share: requests, the witness's folders, a ledger served in its own process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from appliance.crypto.notes import Checkpoint
from appliance.crypto.tiles import Builder, publish
from appliance.kit.witness import Folders
from appliance.ledger import keys
from appliance.ledger.log import Log
from appliance.ledger.server import Server
from appliance.runtime.turns import Control
from appliance.settings import Home
from appliance.spool.log_entries import RosterTaken, request
from appliance.spool.messages import About, Append
from appliance.storage import Store
from tests.support.waiting import until


def body(**changed: Any) -> dict[str, Any]:
    """An entry's body with the contract's fields."""
    return {
        "actor": "Coordinator",
        "actor_role": "coordinator",
        "category": "attendance",
        "purpose": "duty_of_care",
        "outcome": "allowed",
        "incident": "I-1",
        "everyone": True,
        "note": "",
        **changed,
    }


def about(*handles: str) -> Append:
    """A look at these people."""
    return Append(kind="about", about=[About(handle, body()) for handle in handles])


def folders_of(home: Home) -> Folders:
    return Folders(home.root / "demo" / "witness", home.public / "ledger", home.public / "witness")


class Served:
    """`wardwell ledger serve` in a process of its own."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "provisioning.cli", "ledger", "serve"]
        environment = {**os.environ, "WARDWELL_HOME": str(self.home.root)}
        output = open(self.home.log / "ledger.log", "ab")  # noqa: SIM115  (the process holds it)
        with output:
            self.process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        self.until(self.home.socket("ledger").exists)

    def until(self, there: Callable[[], bool], seconds: float = 15.0) -> None:
        """Wait until `there()`; fails when the process ended or it takes too long."""
        process = self.process
        assert process is not None
        until(lambda: process.poll() is not None or there(), seconds, every=0.02)
        assert process.poll() is None, (self.home.log / "ledger.log").read_text()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.home.socket("ledger").unlink(missing_ok=True)

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=10)


def spooled(home: Home) -> list[Path]:
    """Messages from the ledger that wait for desk, in order."""
    return sorted(home.spool("ledger", "desk").glob("[0-9]*.json"))


def numbered(number: int) -> Append:
    """A public entry that carries `number`."""
    return request(RosterTaken(version=number, headcount=0, sha256=""))


def grow(log: Log, count: int) -> None:
    """Append `count` public entries, numbered from 0, and publish."""
    log.append_all([numbered(number) for number in range(count)])
    log.publish()


@contextlib.contextmanager
def serving(home: Home, store: Store) -> Iterator[Log]:
    """The real server in a thread of this process."""
    log, ready = Log(store), threading.Event()
    loop = asyncio.new_event_loop()
    control = Control()

    async def main() -> None:
        loop.call_later(0.01, ready.set)
        await Server(home, log).run(control)

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield log
    finally:
        control.stop()
        thread.join(10)
        loop.close()


def forge(home: Home, entries: list[bytes]) -> Path:
    """The public folder as root with the ledger's key would forge it: whole, signed, another history."""
    folder = home.public / "ledger"
    shutil.rmtree(folder / "tile")
    builder, signer = Builder(), keys.load(home)
    for entry in entries:
        builder.add(entry)
    note = signer.sign(Checkpoint(signer.name, builder.size, builder.root()).text())
    publish(folder, builder.take_full(), builder.take_partial(), note)
    return folder
