"""The disk's reserve is there, and does not run out soon."""

from __future__ import annotations

from appliance import disk
from appliance.health.check import Check, fine, wrong
from appliance.settings import Home

_GIB = 1 << 30


def check(home: Home) -> list[Check]:
    room = disk.room(home.root)
    free = f"{room.free / _GIB:.1f} GiB free of {room.total / _GIB:.1f}"
    reserve = f"{room.reserve / _GIB:.1f} GiB are kept for sign-in and the access log"
    if room.low:
        fix = f"Free space on the volume of {home.root}, or enlarge it; sign-in, crisis pages and reading go on."
        return [wrong("disk", f"{free}: exports and uploads are refused, since {reserve}", fix)]
    if room.free < 2 * room.reserve:
        fix = f"Free space on the volume of {home.root}, or enlarge it, before exports are refused."
        return [wrong("disk", f"{free}, nearly at the reserve: {reserve}", fix)]
    return [fine("disk", free)]
