"""The last backup succeeded, and not long ago."""

from __future__ import annotations

from appliance.backup import last_run
from appliance.health.check import Check, judged
from appliance.settings import Home


def check(home: Home) -> list[Check]:
    ok, says, fix = last_run.standing(home)
    return [judged("backup", ok, says, fix)]
