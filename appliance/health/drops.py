"""Dropped exports are taken soon after they arrive."""

from __future__ import annotations

from appliance.health.check import Check, judged, wrong
from appliance.health.waiting_files import oldest
from appliance.settings import Feed, Home

DROP_SECONDS = 900


def check(home: Home) -> list[Check]:
    return [_drop(home, feed) for feed in home.settings().feeds]


def _drop(home: Home, feed: Feed) -> Check:
    name, folder = f"drop {feed.name}", home.drop(feed.name)
    if not folder.is_dir():
        return wrong(name, "its folder is missing", f"Make {folder} for the CAD export job.")
    # An export under its temporary name is still being written; it counts as well once it is old.
    age, count = oldest(path for path in folder.iterdir() if not path.is_dir())
    fix = f"Read {home.logs('intake') / 'intake.log'}, and the receipts page, for why the file is not taken."
    return judged(name, age <= DROP_SECONDS, f"{count} files waiting, the oldest {age:.0f} s", fix)
