"""What a command of the machine prints."""

from __future__ import annotations

import subprocess


def output_of(command: list[str]) -> str:
    """Standard output of a command; "" when it cannot be run."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
