"""The clock follows the agency's server, was not set since the machine started, and is not behind the log."""

from __future__ import annotations

import contextlib
import subprocess
import time
from pathlib import Path

from appliance import clock
from appliance.health.check import Check, fine, judged, wrong
from appliance.settings import RUNTIME, Home

# Seconds by which the clock may be off, or be set, before it is named: a code of an app lasts 30.
CLOCK_SECONDS = 30.0
_FIX = "Compare it with a telephone; docs/operating.md says what a wrong clock did, and how to go on."


def check(home: Home) -> list[Check]:
    checks = []
    if (off := _seconds_off()) is not None:
        says = f"{off:.3f} s off the agency's server" if off != float("inf") else "no time server is followed"
        fix = "See that the time server named at setup is up and right."
        checks.append(judged("time server", off <= CLOCK_SECONDS, says, fix))
    jumped = _jumped((RUNTIME if home.production else home.run) / "clock")
    newest = home.public / "ledger" / "checkpoint"
    behind = newest.stat().st_mtime - clock.now().timestamp() if newest.exists() else 0.0
    if behind > CLOCK_SECONDS:
        checks.append(wrong("clock", f"the clock is {behind:.0f} s behind the newest entry of the access log", _FIX))
    elif abs(jumped) > CLOCK_SECONDS:
        checks.append(wrong("clock", f"the clock was set by {jumped:+.0f} s since the machine started", _FIX))
    else:
        checks.append(fine("clock", "runs steadily"))
    return checks


def _seconds_off() -> float | None:
    """Seconds off the followed time server; infinity when none is followed, None where chrony is not installed."""
    try:
        done = subprocess.run(["chronyc", "-c", "tracking"], capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return None
    # chronyc(1), -c: the fifth field is the offset of system time, the last the leap status.
    fields = done.stdout.strip().split(",")
    if done.returncode or len(fields) < 14:
        return None
    return float("inf") if fields[-1] == "Not synchronised" else abs(float(fields[4]))


def _jumped(note: Path) -> float:
    """Seconds by which the clock was set since `note` was made; the first check after a start makes it."""
    offset = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    try:
        before, _, of_boot = note.read_text().partition(" ")
        if of_boot == boot:
            return offset - float(before)
    except (OSError, ValueError):
        pass
    with contextlib.suppress(OSError):  # not root: the next caller who is makes it
        note.write_text(f"{offset} {boot}")
    return 0.0
