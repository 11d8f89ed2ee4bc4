"""Holding the appliance still: for a snapshot of the machine, or work on the network around it.

Owns: `/run/wardwell/maintenance` and the order in which the compartments stop and start. Must never see: what they
hold. While it is on, every host answers with a page that says so; crisis numbers, resources and the directory go on,
and exports that arrive wait in their folders. A restart of the machine ends it, since a sealed appliance is still
anyway.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from appliance.errors import WardwellError
from appliance.health import processes
from appliance.settings import MAINTENANCE, UNSEALED, Home

# The ledger goes last: whoever still answers a request must be able to write it down first.
STOPPED = ("intake", "press", "desk", "post", "ledger")
_ANSWER_SECONDS = 60.0

Run = Callable[[list[str]], None]


def systemctl(words: list[str]) -> None:
    """Run systemctl. Raises WardwellError with its last line when it fails."""
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise WardwellError(f"systemctl {words[0]} failed: {reason}.", "Read `journalctl -u 'wardwell@*' -n 50`.")


def begin(run: Run = systemctl, mark: Path = MAINTENANCE, unsealed: Path = UNSEALED) -> None:
    """Show the page, then stop the compartments in order. Raises WardwellError when the appliance is sealed."""
    if not unsealed.exists():
        raise WardwellError("The appliance is sealed, so it is still already.", "Do your work, then unseal it.")
    mark.touch()
    for name in STOPPED:
        run(["stop", f"wardwell@{name}.service"])


def end(home: Home, run: Run = systemctl, mark: Path = MAINTENANCE, seconds: float = _ANSWER_SECONDS) -> None:
    """Start the compartments, and take the page away once all answer.

    Raises WardwellError when one does not answer within `seconds`; the page then stays.
    """
    run(["start", "wardwell.target"])
    until = time.monotonic() + seconds
    while silent := [process.name for process in processes.check(home) if not process.ok]:
        if time.monotonic() > until:
            raise WardwellError(
                f"{' and '.join(silent)} did not answer, so the maintenance page stays.",
                "Read `wardwell doctor`, fix it, then end maintenance again.",
            )
        time.sleep(0.5)
    mark.unlink(missing_ok=True)
