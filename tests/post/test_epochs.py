"""Post's half without a server: what is taken, when a board closes, and that it never changes afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance import clock
from appliance.charter import load_charter
from appliance.errors import WardwellError
from appliance.post import boards, epochs, worker
from appliance.post.arrivals import NoTicket, WrongSize, take
from appliance.post.commands import post as commands
from appliance.post.memory import Memory
from appliance.post.tickets import TicketKeys
from appliance.rules import months
from appliance.settings import Home
from appliance.spool.append import LedgerDown
from appliance.spool.messages import EpochTurned
from appliance.storage import Store, open_store
from appliance.storage.migrate import differences, upgrade
from tests.post.post_site import Desk, cell
from tests.post.small_ledger import SmallLedger


def index(home: Home) -> dict[tuple[int, str], dict[str, object]]:
    entries = json.loads((home.public / "boards" / "index.json").read_text())
    return {(e["epoch"], e["kind"]): e for e in entries}


def test_a_valid_ticket_is_taken_once(post: Store, memory: Memory, desk: Desk) -> None:
    keys, (first, second) = TicketKeys(post.home), desk.draw(1)
    take(post, memory, keys, "requests", cell() + first)
    with pytest.raises(NoTicket):
        take(post, memory, keys, "requests", cell() + first)
    take(post, memory, keys, "requests", cell() + second)
    assert memory.count(1, "requests") == 2


def test_wrong_tickets_are_refused(post: Store, memory: Memory, desk: Desk) -> None:
    keys = TicketKeys(post.home)
    good, other = desk.draw(1)
    reply = desk.draw(1, "reply")[0]
    future = desk.draw(2)[0]
    next_month = desk.draw(1, period=months.month_after(months.month_of(clock.now())))
    flipped = good[:-1] + bytes([good[-1] ^ 1])
    moved = (2).to_bytes(4) + good[4:]
    swapped = good[:68] + other[68:]
    for ticket in (flipped, moved, swapped, future, reply, secrets.token_bytes(324), *next_month):
        with pytest.raises(NoTicket):
            take(post, memory, keys, "requests", cell() + ticket)
    for body in (b"", cell(), cell() + good + b"!", cell()[1:] + good):
        with pytest.raises(WrongSize):
            take(post, memory, keys, "requests", body)
    assert memory.count(1, "requests") == 0
    take(post, memory, keys, "requests", cell() + good)  # control: the ticket itself was good
    take(post, memory, keys, "replies", cell() + reply)


def test_a_key_that_is_not_in_the_log_signs_nothing(post: Store, memory: Memory, desk: Desk) -> None:
    good = desk.draw(1)[0]
    path = post.home.public / "desk" / "ticket-keys.json"
    published = json.loads(path.read_text())
    for entry in published:
        entry["leaf_index"] = (entry["leaf_index"] + 1) % 4
    path.write_text(json.dumps(published))
    with pytest.raises(NoTicket):
        take(post, memory, TicketKeys(post.home), "requests", cell() + good)


def test_tickets_of_the_epoch_before_are_good_for_one_more(post: Store, memory: Memory, desk: Desk) -> None:
    keys, (first, second) = TicketKeys(post.home), desk.draw(1)
    take(post, memory, keys, "requests", cell() + first)
    epochs.turn(post, memory)
    with pytest.raises(NoTicket):
        take(post, memory, keys, "requests", cell() + first)  # spent stays spent across the turn
    late = cell()
    take(post, memory, keys, "requests", late + second)
    epochs.turn(post, memory)
    assert late in boards.path_of(post.home, 2, "requests").read_bytes()
    third = desk.draw(1)[0]
    with pytest.raises(NoTicket):
        take(post, memory, keys, "requests", cell() + third)


def test_a_board_is_sorted_ledgered_and_never_changes(
    post: Store, memory: Memory, desk: Desk, ledger: SmallLedger
) -> None:
    keys, sent = TicketKeys(post.home), [cell() for _ in range(6)]
    for number in range(3):
        for one, ticket in zip(sent[2 * number :], desk.draw(1), strict=False):
            take(post, memory, keys, "requests", one + ticket)
    assert epochs.turn(post, memory) == 1
    board = boards.path_of(post.home, 1, "requests")
    data = board.read_bytes()
    assert data == b"".join(sorted(sent)) and data != b"".join(sent)
    assert boards.path_of(post.home, 1, boards.REQUEST_IDS).read_bytes() == b"".join(c[:16] for c in sorted(sent))
    entry = index(post.home)[(1, "requests")]
    assert (entry["sha256"], entry["cells"]) == (hashlib.sha256(data).hexdigest(), 6)
    leaf = ledger.entries[int(str(entry["leaf_index"]))]
    assert (leaf["kind"], leaf["board"], leaf["sha256"]) == ("board", "requests", entry["sha256"])
    assert not any((memory.folder / "cells").iterdir())
    # A late cell of epoch 1 goes to the next board; closing again rewrites nothing.
    before = board.stat().st_mtime_ns
    take(post, memory, keys, "requests", cell() + desk.draw(1)[0])
    boards.publish(post, 1, {"requests": [cell()], "replies": []})
    assert board.read_bytes() == data and board.stat().st_mtime_ns == before
    turned = list(post.home.spool("post", "ledger").glob("*.json"))
    assert len(turned) == 1 and EpochTurned.__name__ in turned[0].read_text()


def test_a_silent_ledger_keeps_boards_unnamed(post: Store, memory: Memory, desk: Desk, ledger: SmallLedger) -> None:
    take(post, memory, TicketKeys(post.home), "requests", cell() + desk.draw(1)[0])
    ledger.down = True
    with pytest.raises(LedgerDown):
        epochs.turn(post, memory)
    assert not (post.home.public / "boards" / "index.json").exists()
    assert epochs.current(post).epoch == 2 and epochs.current(post).publishing == 1
    assert worker.once(post, memory, load_charter(post.home)) is not None
    ledger.down = False
    assert worker.once(post, memory, load_charter(post.home)) is None
    assert index(post.home)[(1, "requests")]["cells"] == 1


def test_when_an_epoch_is_due(post: Store, memory: Memory, noon: datetime) -> None:
    charter = load_charter(post.home)
    epochs.current(post)
    sessions = charter.constants.epoch_min_sessions

    def due_after(days: float) -> bool:
        with clock.held(noon + timedelta(days=days)):
            return epochs.due(post, memory, charter)

    assert not due_after(2)  # too few sessions, too few days
    assert due_after(3)
    for _ in range(2 * sessions - 1):
        memory.put(1, "requests", b"x")
    assert not due_after(1)
    memory.put(1, "requests", b"x")
    assert due_after(1)
    assert not due_after(0.3)  # 8 pm at the agency: today's closing hour has not come
    assert due_after(0.7)  # 5 am


def test_boards_expire_by_epoch(post: Store, memory: Memory, desk: Desk) -> None:
    for _ in range(3):
        epochs.turn(post, memory)
    boards.expire(post, 1)
    assert {epoch for epoch, _ in index(post.home)} == {2, 3}
    assert not boards.path_of(post.home, 1, "requests").exists()
    assert boards.path_of(post.home, 2, "requests").exists()


def test_force_is_for_the_demonstration_only(post: Store, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDWELL_HOME", str(post.home.root))
    assert "Epoch 1 is closed" in CliRunner().invoke(commands, ["close", "--force"], catch_exceptions=False).output
    post.home.settings_file.write_text('agency = "Test Agency"\n')
    refused = CliRunner().invoke(commands, ["close", "--force"])
    assert "never closed early" in str(refused.exception)
    assert epochs.current(post).epoch == 2
    assert "not due" in CliRunner().invoke(commands, ["close"], catch_exceptions=False).output


def test_memory_has_to_be_memory(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/proc")
    with pytest.raises(WardwellError, match="not backed by memory"):
        Memory(home)


def test_migrations_make_the_models(home: Home) -> None:
    store = open_store(home, "post")
    upgrade(store)
    assert differences(store) == []
    store.close()


_CLOSER = """
import os, signal, sys
from appliance.post import boards, epochs
from appliance.post.memory import Memory
from appliance.settings import Home
from appliance.storage import open_store
from appliance.spool import delivery
home, at = Home.find(), sys.argv[1]
def die(*a, **k): os.kill(os.getpid(), signal.SIGKILL)
if at == "before-boards": boards.publish = die
if at == "half-written": boards.append = die
if at == "before-index": boards.write_index = die
if at == "before-spool":
    flushes = iter([lambda *a: 0, die])  # the second comes after the commit that ends the closing
    epochs.flush = lambda *a: next(flushes)(*a)
store = open_store(home, "post")
epochs.turn(store, Memory(home))
"""


@pytest.mark.system
@pytest.mark.parametrize("at", ["before-boards", "half-written", "before-index", "before-spool"])
def test_killed_while_closing_loses_and_doubles_nothing(
    at: str, post: Store, memory: Memory, desk: Desk, tmp_path: Path
) -> None:
    keys, sent = TicketKeys(post.home), [cell(), cell()]
    for one, ticket in zip(sent, desk.draw(1), strict=True):
        take(post, memory, keys, "requests", one + ticket)
    script = tmp_path / "closer.py"
    script.write_text(_CLOSER)
    done = subprocess.run(
        [sys.executable, str(script), at], env={**os.environ, "WARDWELL_HOME": str(post.home.root)}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    epochs.finish(post, memory)
    assert epochs.current(post) == epochs.State(2, epochs.current(post).opened_day, None)
    assert boards.path_of(post.home, 1, "requests").read_bytes() == b"".join(sorted(sent))
    assert len(index(post.home)) == 3
    assert len(list(post.home.spool("post", "ledger").glob("*.json"))) == 1
