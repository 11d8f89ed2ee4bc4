"""What taking a file is given and what it amounts to.

Owns: these two shapes. Must never see: a call.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Source:
    """Where calls come from: the feed's name, the agency's zone, and after what time an open call is settled."""

    feed: str
    zone: ZoneInfo
    settled: timedelta


@dataclass
class Tally:
    """What one file amounted to."""

    calls: int = 0
    updates: int = 0
    repeats: int = 0
    involvements: int = 0
