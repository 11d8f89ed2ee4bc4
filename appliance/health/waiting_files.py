"""How long files have been waiting in a folder."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path


def oldest(paths: Iterable[Path]) -> tuple[float, int]:
    """Age in seconds of the oldest file, and how many there are; files that vanish meanwhile do not count."""
    ages = []
    for path in paths:
        try:
            ages.append(time.time() - path.stat().st_mtime)
        except FileNotFoundError:
            continue
    return max(ages, default=0.0), len(ages)
