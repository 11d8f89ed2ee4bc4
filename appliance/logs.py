"""How the appliance's programs write their logs, and for how long they write more.

Owns: the form of a line (time in UTC, level, event, fields) and the switch that lets lines of level debug through until
a moment that lies in the switch itself. Must never see: values of a row or a request. A failure is written as its kind
and the places in the code that it went through; its words may carry what somebody typed.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import MutableMapping
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from appliance.settings import RUNTIME, Home

_DEEPEST = 12


def switch(home: Home) -> Path:
    """The file whose time of change says until when debug lines are written; none: they are not."""
    return (RUNTIME if home.production else home.run) / "debug-until"


def configure(home: Home) -> None:
    """Write lines in the one form, for every program of `home`."""
    until = switch(home)

    def only_while_asked(_: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if method == "debug" and not is_on(until):
            raise structlog.DropEvent
        return event

    structlog.configure(
        processors=[
            only_while_asked,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=False),
        ]
    )


def is_on(until: Path) -> bool:
    """Whether the moment in the switch is still to come. It ends by itself, also when nobody is there to end it."""
    try:
        return until.stat().st_mtime > time.time()
    except OSError:
        return False


def places(error: BaseException) -> list[str]:
    """Where `error` went through, innermost last: "file:line function", without a value."""
    frames = traceback.extract_tb(error.__traceback__)[-_DEEPEST:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def let_through(until: Path, moment: datetime) -> None:
    """Set the switch to `moment` (aware)."""
    until.parent.mkdir(parents=True, exist_ok=True)
    until.touch()
    os.utime(until, (moment.timestamp(), moment.timestamp()))
