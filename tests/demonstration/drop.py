"""What `wardwell-demo drop` does: one more export arrives in the drop folder, with a critical incident in it.

Owns: that file. Must never see: what the appliance makes of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance import clock
from appliance.settings import Home
from tests.demonstration import cad_csv
from tests.demonstration.agency import Agency
from tests.demonstration.calls import CRITICAL_KINDS, Call, critical_call

FEED = "cad"


@dataclass(frozen=True)
class Dropped:
    """The file that was dropped, and the call in it."""

    path: Path
    call: Call


def feed_folder(home: Home) -> Path:
    """The drop folder of the demonstration's own call CSV."""
    return home.drop(FEED)


def drop(home: Home, agency: Agency, kind: str) -> Dropped:
    """Drop an export with one critical incident that ended a little while ago. `kind` is a key of CRITICAL_KINDS."""
    zone = ZoneInfo(home.settings().time_zone)
    now = clock.now().astimezone(zone).replace(tzinfo=None)
    received = (now - timedelta(hours=3)).replace(second=0, microsecond=0)
    # Another one each time, and from 1000 on: the generated days use none of those.
    serial = 1000 + round((now - now.replace(hour=0, minute=0, second=0, microsecond=0)) / timedelta(milliseconds=100))
    call = critical_call(agency, received, serial, CRITICAL_KINDS[kind])
    folder = feed_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"cad_export_{now:%Y%m%d_%H%M%S_%f}.csv"
    cad_csv.put(path, cad_csv.render([cad_csv.row(call, complete=True)]))
    return Dropped(path, call)
