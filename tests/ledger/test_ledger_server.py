"""The served ledger: durable before it answers, quick to publish, and not to be harmed by what one asker sends."""

from __future__ import annotations

import contextlib
import json
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from appliance.crypto.tlog import PublicLog
from appliance.kit.verify import verify_files
from appliance.ledger import keys
from appliance.runtime.worker import ask_upkeep
from appliance.settings import Home
from appliance.spool.append import LINE_LIMIT, LedgerDown, append
from appliance.spool.messages import SealedEntry
from tests.ledger.support import Served, about, numbered, spooled
from tests.support.waiting import pause, until

pytestmark = pytest.mark.system
ANN = "a" * 32


def say(home: Home, line: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(10)
        connection.connect(str(home.socket("ledger")))
        connection.sendall(line)
        connection.shutdown(socket.SHUT_WR)
        return connection.makefile("rb").readline()


def entries_of(home: Home) -> list[Path]:
    return [path for path in spooled(home) if b"SealedEntry" in path.read_bytes()]


def _both_have(served: Served, home: Home, size: int) -> None:
    served.until(lambda: len(entries_of(home)) == size)
    served.until(lambda: PublicLog(home.public / "ledger").size == size)


def test_a_look_reaches_desk_and_the_public_files_within_a_second(served: Served, founded: Home) -> None:
    for size in (1, 2, 3):
        before = time.monotonic()
        append(founded, about(ANN))
        _both_have(served, founded, size)
        assert time.monotonic() - before < 1.0
    mode = stat.S_IMODE(founded.socket("ledger").stat().st_mode)
    assert mode == 0o660


def test_it_says_at_once_how_it_is_when_it_is_asked(served: Served, founded: Home) -> None:
    def told() -> int:
        return sum(b'"Health"' in path.read_bytes() for path in spooled(founded))

    served.until(lambda: told() == 1)
    for number in (2, 3, 4):
        assert ask_upkeep(founded)["ledger"] == ""
        assert told() >= number


def test_a_malformed_line_is_refused_and_the_next_is_served(served: Served, founded: Home) -> None:
    malformed = [b"\n", b"", b"{}\n", b"\xff\xfe\n", b"[" * 5000 + b"\n", b'{"message":"Append","kind":7}\n']
    for size, line in enumerate(malformed, start=1):
        refused = {"message": "Refused", "reason": "that line is no request", "version": 1}
        assert json.loads(say(founded, line)) == refused
        assert append(founded, about(ANN)).tree_size == size


def test_an_endless_line_and_a_silent_asker_harm_nobody(served: Served, founded: Home) -> None:
    silent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    silent.connect(str(founded.socket("ledger")))
    silent.sendall(b'{"message"')
    with contextlib.suppress(ConnectionError, TimeoutError):  # hung up on, which is an answer too
        say(founded, b"x" * (LINE_LIMIT + 65_536))
    assert append(founded, about(ANN)).tree_size == 1
    silent.close()


def test_what_was_answered_survives_a_kill_and_nothing_is_doubled(served: Served, founded: Home) -> None:
    acknowledged: list[int] = []
    stop = threading.Event()

    def ask(number: int) -> None:
        handle = f"{number:032x}"
        while not stop.is_set():
            try:
                acknowledged.append(append(founded, about(handle)).about_indexes[handle])
            except LedgerDown:
                pause(0.02, "the ledger is starting")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        before = len(acknowledged)
        until(lambda: len(acknowledged) > before + 10)  # noqa: B023 - called at once
        served.kill()
        served.start()
    before = len(acknowledged)
    until(lambda: len(acknowledged) > before)
    stop.set()
    for thread in threads:
        thread.join()
    assert served.stop() == 0
    log = PublicLog(founded.public / "ledger")
    assert len(acknowledged) > 20
    assert len(set(acknowledged)) == len(acknowledged)
    assert max(acknowledged) < log.size
    report = verify_files(founded.public / "ledger", keys.load(founded).verifier, None, None)
    assert report.ok, report.problem
    sent = [msgspec.json.decode(path.read_bytes(), type=SealedEntry) for path in entries_of(founded)]
    commits = {(entry.handle, entry.sequence) for entry in sent}
    assert {entry.leaf_index for entry in sent} == set(range(log.size))
    assert len(commits) == log.size


def test_many_askers_are_served_in_one_breath(served: Served, founded: Home) -> None:
    sizes: list[int] = []

    def ask(number: int) -> None:
        for _ in range(10):
            sizes.append(append(founded, numbered(number)).public_index)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sizes) == list(range(160))


def test_a_second_ledger_and_an_edited_database_do_not_start(served: Served, founded: Home) -> None:
    command = [sys.executable, "-m", "provisioning.cli", "--home", str(founded.root), "ledger", "serve"]
    second = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert second.returncode == 1
    assert "already serving" in second.stderr
    append(founded, numbered(1))
    assert served.stop() == 0
    from sqlalchemy import update

    from appliance.ledger.models import Leaf
    from appliance.storage import open_store

    store = open_store(founded, "ledger")
    with store.write() as session:
        session.execute(update(Leaf).values(data=b"{}"))
    store.close()
    refused = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert refused.returncode == 1
    assert "disagree at entry 0" in refused.stderr
    with pytest.raises(LedgerDown):
        append(founded, about(ANN))
