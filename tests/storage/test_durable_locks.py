"""Promise: a lock is held by one process at a time, is let go however that process ends, and is never lost."""

from __future__ import annotations

import contextlib
import multiprocessing
import stat
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from appliance import durable
from appliance.errors import Refused

_fork = multiprocessing.get_context("fork")
BUSY = Refused("Another is at work.", "Wait.")


def _hold(path: Path, shared: bool, pipe: Connection) -> None:
    with durable.locked(path, shared=shared):
        pipe.send("held")
        pipe.recv()


@contextlib.contextmanager
def _holder(path: Path, shared: bool = False) -> Iterator[tuple[Any, Connection]]:
    """A process that holds the lock until it is told otherwise."""
    ours, theirs = _fork.Pipe()
    process = _fork.Process(target=_hold, args=(path, shared, theirs))
    process.start()
    try:
        assert ours.poll(60) and ours.recv() == "held"
        yield process, ours
    finally:
        if process.is_alive():
            process.kill()
        process.join()


def test_a_lock_keeps_other_processes_out_until_it_is_let_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with _holder(path) as (process, pipe):
        with pytest.raises(Refused, match="Another is at work"), durable.locked(path, refusal=BUSY):
            raise AssertionError("two hold it")
        pipe.send("let go")
        process.join()
        with durable.locked(path, refusal=BUSY):
            pass
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_whoever_waits_for_a_lock_gets_it_when_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with _holder(path) as (process, pipe):
        ours, theirs = _fork.Pipe()
        waiting = _fork.Process(target=_hold, args=(path, False, theirs))
        waiting.start()
        assert not ours.poll(0.3)  # it waits
        pipe.send("let go")
        assert ours.poll(60) and ours.recv() == "held"
        ours.send("let go")
        waiting.join()
        process.join()


def test_a_lock_outlives_no_process_and_no_error(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with _holder(path) as (process, _pipe):
        process.kill()
        process.join()
        with durable.locked(path, refusal=BUSY):
            pass
    with pytest.raises(BlockingIOError), durable.locked(path, refusal=BUSY):
        raise BlockingIOError("from the work, not from the lock")
    with durable.locked(path, refusal=BUSY):
        pass


def test_those_that_share_a_lock_hold_it_together_and_keep_a_writer_out(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with _holder(path, shared=True):
        with durable.locked(path, refusal=BUSY, shared=True):
            pass
        with pytest.raises(Refused), durable.locked(path, refusal=BUSY):
            raise AssertionError("a writer got in")


def test_a_lock_is_not_lost_when_the_file_beside_it_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with durable.locked(path):
        before = path.stat().st_ino
        durable.replace(tmp_path / "file", b"new")
    with durable.locked(path):
        assert path.stat().st_ino == before
