"""The witness cosigned within the charter's time, and has raised no alarm."""

from __future__ import annotations

from datetime import timedelta

from appliance import clock
from appliance.charter import load_charter
from appliance.crypto.trusted_keys import witnessed
from appliance.health.check import Check, judged, wrong
from appliance.settings import Home


def check(home: Home) -> list[Check]:
    hours = load_charter(home).constants.cosignature_age_hours
    seen = witnessed(home)
    age = clock.now() - seen.at
    says = f"cosigned {seen.log.size} entries {_in_words(age)} ago, at most {hours} h allowed"
    fix = "See that the witness runs and reaches the log; tell the officers' trustee."
    checks = [judged("witness", age <= timedelta(hours=hours), says, fix)]
    if (home.public / "witness" / "alarm.json").exists():
        checks.append(wrong("witness alarm", "the witness refuses this log", "Call the officers' trustee now."))
    return checks


def _in_words(age: timedelta) -> str:
    seconds = max(int(age.total_seconds()), 0)
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
