"""What each compartment last said of itself, and whether it still says anything."""

from __future__ import annotations

import contextlib

from appliance.desk import health
from appliance.health.check import Check, judged
from appliance.settings import Home
from appliance.storage import open_store

NOT_WELL, SILENT = "is not well", "has gone silent"


def check(home: Home) -> list[Check]:
    if not home.database("desk").exists():
        return []
    with contextlib.closing(open_store(home, "desk")) as store:
        lines = [line for line in health.shown(store) if line.at is not None]
    says = {line.compartment: "says it is well" if line.ok else SILENT if line.silent else NOT_WELL for line in lines}
    return [judged(f"health {line.compartment}", line.ok, says[line.compartment], line.fix) for line in lines]
