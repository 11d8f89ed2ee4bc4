"""Generated histories with the sums that the Python reference gives, for the browser's twin to agree with.

`python -m tests.exposure.histories OUT.json [N]` writes a list of
`{at, time_zone, contributions, not_there, expected}`.
"""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from appliance.intake.deliver.contributions import shift_day
from appliance.kit.exposure import Contribution, summarize
from appliance.rules.exposure_model import load_model

ZONES = ["America/Los_Angeles", "America/New_York", "America/Phoenix", "UTC"]
# The days the clocks change in the United States, and one when they do not.
_BASES = [datetime(2026, 3, 8, 12, tzinfo=UTC), datetime(2026, 11, 1, 12, tzinfo=UTC), datetime(2026, 7, 4, tzinfo=UTC)]
_ROLES = ["primary", "responding", "dispatch", "no-such-role"]


def _work(chance: random.Random, at: datetime) -> datetime:
    """A time within the last three weeks, often at the edge of something: midnight, 6:00, 22:00, a change of clocks."""
    day = at.replace(hour=0, minute=0, second=0) - timedelta(days=chance.randrange(22))
    edge = timedelta(hours=chance.choice([0, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 22, chance.randrange(24)]))
    return day + edge + timedelta(minutes=chance.choice([-1, 0, 0, 1, 30]))


def _contribution(chance: random.Random, number: int, at: datetime, zone: ZoneInfo, types: list[str]) -> Contribution:
    if chance.random() < 0.5:
        then = _work(chance, at)
    else:
        day = chance.choice([3, 10, 40, 200, 800])
        then = at - timedelta(milliseconds=chance.randrange(-3_600_000, day * 86_400_000))
    then = then.replace(microsecond=then.microsecond // 1000 * 1000)
    said: dict[str, Any] = {}
    if chance.random() < 0.6:
        # As the intake says it: of when the person's part began, which is somewhat after the call.
        local = (then + timedelta(minutes=chance.randrange(90))).astimezone(zone)
        said = {"hour": local.hour, "shift_day": shift_day(local)}
    return Contribution(
        id=f"{number if chance.random() < 0.9 else 0:032x}",
        at=then,
        type=chance.choice(types),
        role=chance.choice(_ROLES),
        minutes=chance.choice([None, 0, chance.randrange(300)]),
        revision=chance.randrange(1, 4) * 100 + number,
        gone=chance.random() < 0.1,
        **said,
    )


def history(seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    # Few kinds in some, so that one comes again; a type that nobody mapped weighs nothing.
    types = [kind.id for kind in load_model().types] + ["no-such-type", ""]
    types = types if seed % 2 else chance.sample(types, 4)
    at = chance.choice(_BASES) + timedelta(minutes=chance.randrange(-20_000, 20_000))
    zone = chance.choice(ZONES)
    count = chance.randrange(0, 60)
    contributions = [_contribution(chance, number, at, ZoneInfo(zone), types) for number in range(count)]
    not_there = sorted({one.id for one in contributions if chance.random() < 0.1})
    return {
        "at": at,
        "time_zone": zone,
        "contributions": contributions,
        "not_there": not_there,
        "expected": summarize(contributions, at, zone, not_there),
    }


if __name__ == "__main__":
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    Path(sys.argv[1]).write_bytes(msgspec.json.encode([history(seed) for seed in range(count)]))
