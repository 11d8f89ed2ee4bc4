"""Waiting for what another process or thread does. No other file of the tests sleeps (tests/suite/test_sleeps.py)."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

Value = TypeVar("Value")

# For a unit test whose subject is a server, a client or a name: it may look up and open, but connect to loopback only.
LOOPBACK = pytest.mark.allow_hosts(["127.0.0.1", "::1"])


def answers(port: int) -> bool:
    """Whether something listens at this port of this machine."""
    with socket.socket() as asked:
        asked.settimeout(0.5)
        return asked.connect_ex(("127.0.0.1", port)) == 0


def until(
    look: Callable[[], Value],
    seconds: float = 20.0,
    every: float = 0.05,
    *,
    not_yet: type[Exception] | tuple[type[Exception], ...] = (),
    explain: Callable[[], object] = lambda: "",
) -> Value:
    """The first true value of `look()`, which is called every `every` seconds.

    An exception of `not_yet` counts as a false value. Fails the test after `seconds` with what was seen last, and with
    what `explain()` says, such as a log.
    """
    deadline = time.monotonic() + seconds
    while True:
        seen: object
        try:
            value = look()
            if value:
                return value
            seen = value
        except not_yet as error:
            seen = error
        assert time.monotonic() < deadline, f"not within {seconds} s: {seen!r} {explain()}"
        time.sleep(every)


def pause(seconds: float, why: str) -> None:
    """Let time pass where that is the subject: a random moment of a kill, a slow server. `why` is for the reader."""
    assert why
    time.sleep(seconds)


def pause_page(page: Any, seconds: float, why: str) -> None:
    """Like `pause`, while the browser's events still reach the test."""
    assert why
    page.wait_for_timeout(seconds * 1000)
