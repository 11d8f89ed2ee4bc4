"""Feeds go on dropping files, and these look like those before."""

from __future__ import annotations

import contextlib

from appliance.desk.feeds import baseline
from appliance.health.check import Check, wrong
from appliance.settings import Home
from appliance.storage import open_store


def check(home: Home) -> list[Check]:
    if not home.database("desk").exists():
        return []
    with contextlib.closing(open_store(home, "desk")) as store, store.read() as session:
        return [wrong(f"feed {alert.feed}", alert.words, alert.fix) for alert in baseline.alerts(session)]
