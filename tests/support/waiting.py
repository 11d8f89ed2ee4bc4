"""Waiting for what another process or thread does."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

Found = TypeVar("Found")

# For a unit test whose subject is a server, a client or a name: it may look up and open, but connect to loopback only.
LOOPBACK = pytest.mark.allow_hosts(["127.0.0.1", "::1"])


def answers(port: int) -> bool:
    """Whether something listens at this port of this machine."""
    with socket.socket() as asked:
        asked.settimeout(0.5)
        return asked.connect_ex(("127.0.0.1", port)) == 0


def until(look: Callable[[], Found], seconds: float = 20.0, every: float = 0.05) -> Found:
    """The first true value of `look()`; fails the test after `seconds`, with the last one."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {found!r}"
        time.sleep(every)
    return found
