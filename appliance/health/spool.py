"""No message between compartments waits for long, and none was set aside."""

from __future__ import annotations

from appliance.health.check import Check, fine, wrong
from appliance.health.waiting_files import oldest
from appliance.settings import Home

SPOOL_SECONDS = 120


def check(home: Home) -> list[Check]:
    longest, waiting, refused = 0.0, 0, 0
    late: set[str] = set()
    for folder in sorted((home.root / "spool").glob("*-to-*")):
        age, count = oldest(folder.glob("[0-9]*.json"))
        waiting += count
        longest = max(longest, age)
        if age > SPOOL_SECONDS:
            late.add(folder.name.partition("-to-")[2])
        refused += sum(1 for _ in (folder / ".refused").glob("*"))
    receivers = " and ".join(sorted(late))
    if late:
        checks = [wrong("spool", f"messages wait for {receivers} for {longest:.0f} s", f"Start {receivers} again.")]
    else:
        checks = [fine("spool", f"{waiting} waiting, the oldest {longest:.0f} s")]
    if refused:
        fix = f"Have someone look at the `.refused` folders under {home.root / 'spool'}, then remove them."
        checks.append(wrong("spool refused", f"{refused} messages were not valid", fix))
    return checks
