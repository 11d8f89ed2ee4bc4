"""The only clock of the appliance.

Owns: the present time (always aware, always UTC) and nothing else. Everything that needs the time asks here, so
that tests can hold it still and nothing shifts wall time. The epoch is not a time: it is an integer that one
function in `appliance.post.epochs` advances.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

_held: datetime | None = None


def now() -> datetime:
    """The present time: timezone-aware, UTC, microseconds kept."""
    return _held if _held is not None else datetime.now(UTC)


def offset() -> float:
    """Seconds between the wall clock and the machine's own timer: it changes when somebody sets the clock, else not."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


@contextmanager
def held(at: datetime) -> Iterator[None]:
    """Hold the clock still at `at` (aware) inside a test."""
    global _held
    if at.tzinfo is None:
        raise ValueError("hold the clock at an aware time")
    before, _held = _held, at.astimezone(UTC)
    try:
        yield
    finally:
        _held = before
