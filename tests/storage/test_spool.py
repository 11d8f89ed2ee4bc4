"""Promise: a message crosses exactly once, and nothing that is no message crosses at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import func, select

from appliance import clock
from appliance.charter import load_charter
from appliance.desk import worker as desk_worker
from appliance.desk.models.base import Outbox, SeenMessage
from appliance.intake import serve as intake_serve
from appliance.ledger import log as ledger_log
from appliance.press import worker as press_worker
from appliance.settings import Home
from appliance.spool import delivery, messages
from appliance.spool.messages import EpochTurned, Health, Message
from appliance.storage import Store


def _health(compartment: str = "post") -> Health:
    return Health(compartment=compartment, at=clock.now(), ok=True, facts={}, fix="")


def test_a_message_is_acted_on_once_even_when_the_file_comes_twice(store_of: Callable[[str], Store]) -> None:
    desk = store_of("desk")
    delivery.send(desk.home, "post", "desk", _health())
    path = next(desk.home.spool("post", "desk").glob("*.json"))
    copy = path.read_bytes()
    got: list[Any] = []
    handlers: Mapping[type[Message], delivery.Handler] = {Health: lambda _session, message: got.append(message)}
    assert delivery.receive(desk, SeenMessage, handlers, ("post",)) == 1
    path.write_bytes(copy)
    assert delivery.receive(desk, SeenMessage, handlers, ("post",)) == 0
    assert len(got) == 1


def test_an_effect_that_fails_leaves_the_message_for_the_next_time(store_of: Callable[[str], Store]) -> None:
    desk = store_of("desk")
    delivery.send(desk.home, "post", "desk", _health())

    def fail(_session: Any, _message: Any) -> None:
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        delivery.receive(desk, SeenMessage, {Health: fail}, ("post",))
    with desk.read() as session:
        assert session.scalar(select(func.count()).select_from(SeenMessage)) == 0
    assert delivery.receive(desk, SeenMessage, {Health: lambda *_: None}, ("post",)) == 1


@pytest.mark.parametrize("body", [b"{}", b"not json", b'{"message":"Health"}'])
def test_what_is_no_message_is_set_aside(store_of: Callable[[str], Store], body: bytes) -> None:
    desk = store_of("desk")
    delivery.write_messages(desk.home.spool("post", "desk"), [("000000000000-" + "0" * 32, body)])
    delivery.send(desk.home, "post", "desk", _health())
    assert delivery.receive(desk, SeenMessage, {Health: lambda *_: None}, ("post",)) == 1
    assert len(list((desk.home.spool("post", "desk") / ".refused").iterdir())) == 1


def test_a_message_from_the_wrong_sender_is_set_aside(store_of: Callable[[str], Store]) -> None:
    desk = store_of("desk")
    delivery.send(desk.home, "intake", "desk", EpochTurned(epoch=1))
    assert delivery.receive(desk, SeenMessage, {EpochTurned: lambda *_: None}, ("intake",)) == 0


def test_no_message_gets_its_name_before_all_of_its_group_are_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int]] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        fsync(descriptor)
        named = len(list(tmp_path.glob("*.json")))
        seen.append(("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file", named))

    monkeypatch.setattr(os, "fsync", watched)
    delivery.write_messages(tmp_path, [(f"{number:012d}-{number:032x}", b"{}") for number in range(40)])
    assert seen == [("file", 0)] * 40 + [("folder", 40)]


def test_a_disk_that_fails_leaves_the_message_in_the_outbox(
    store_of: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = store_of("desk")
    with desk.write() as session:
        for epoch in range(3):
            delivery.enqueue(session, Outbox, EpochTurned(epoch=epoch), receiver="ledger")
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", _fail)
        with pytest.raises(OSError, match="worn out"):
            delivery.flush(desk, Outbox)
        assert not list(desk.home.spool("desk", "ledger").glob("*.json"))
    assert delivery.flush(desk, Outbox) == 3


def _fail(_descriptor: int) -> None:
    raise OSError("worn out")


def test_only_parts_that_were_left_long_ago_are_swept(store_of: Callable[[str], Store]) -> None:
    desk = store_of("desk")
    folder = desk.home.spool("desk", "ledger")
    folder.mkdir(parents=True)
    old, fresh = folder / ".1.json.0123abcd.part", folder / ".2.json.0123abcd.part"
    for part in (old, fresh):
        part.touch()
    os.utime(old, (0, 0))
    with desk.write() as session:
        delivery.enqueue(session, Outbox, EpochTurned(epoch=1), receiver="ledger")
    delivery.flush(desk, Outbox)
    assert (old.exists(), fresh.exists()) == (False, True)


def test_the_outbox_is_flushed_in_order(store_of: Callable[[str], Store]) -> None:
    desk = store_of("desk")
    with desk.write() as session:
        for epoch in range(3):
            delivery.enqueue(session, Outbox, EpochTurned(epoch=epoch), receiver="ledger")
    assert delivery.flush(desk, Outbox) == 3
    assert delivery.flush(desk, Outbox) == 0
    names = sorted(desk.home.spool("desk", "ledger").glob("*.json"))
    assert [path.read_bytes().count(b'"epoch":%d' % n) for n, path in enumerate(names)] == [1, 1, 1]
    # What is sent later comes later, although the outbox was empty in between.
    with desk.write() as session:
        delivery.enqueue(session, Outbox, EpochTurned(epoch=3), receiver="ledger")
    delivery.flush(desk, Outbox)
    assert b'"epoch":3' in sorted(desk.home.spool("desk", "ledger").glob("*.json"))[-1].read_bytes()


def test_whatever_may_cross_has_somebody_who_takes_it(home: Home) -> None:
    """A message that is left out of `AnyMessage`, or that its receiver has no handler for, would be set aside."""
    on_the_socket = {messages.Append, messages.Appended, messages.Refused}
    crossing = set(get_args(messages.AnyMessage))
    assert {kind for kind in Message.__subclasses__() if kind.__module__ == messages.__name__} == (
        crossing | on_the_socket
    )
    takers = {
        "desk": desk_worker.handlers(load_charter(home)),
        "intake": intake_serve.HANDLERS,
        "ledger": ledger_log.HANDLERS,
        "press": press_worker.HANDLERS,
    }
    assert [kind.__name__ for kind in crossing if kind not in takers[kind.crosses[1]]] == []
