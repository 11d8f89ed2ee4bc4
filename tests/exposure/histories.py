"""Generated histories with the sums that the Python reference gives, for the browser's twin to agree with.

`python -m tests.exposure.histories OUT.json [N]` writes a list of `{at, time_zone, contributions, expected}`.
"""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from appliance.kit.exposure import Contribution, summarize
from appliance.model.exposure import load_model

ZONES = ["America/Los_Angeles", "America/New_York", "America/Phoenix", "UTC"]
_BASE = datetime(2026, 3, 8, 12, tzinfo=UTC)  # the day the clocks change in the United States


def history(seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    types = [kind.id for kind in load_model().types] + ["no-such-type"]
    at = _BASE + timedelta(minutes=chance.randrange(-400_000, 400_000))
    contributions = []
    for number in range(chance.randrange(0, 60)):
        day = chance.choice([3, 10, 40, 200, 800])
        then = at - timedelta(milliseconds=chance.randrange(-3_600_000, day * 86_400_000))
        contributions.append(
            Contribution(
                id=f"{number if chance.random() < 0.9 else 0:032x}",
                at=then.replace(microsecond=then.microsecond // 1000 * 1000),
                type=chance.choice(types),
                role=chance.choice(["primary", "responding", "dispatch"]),
                minutes=chance.randrange(300),
                revision=chance.randrange(1, 4) * 100 + number,
                gone=chance.random() < 0.1,
            )
        )
    zone = chance.choice(ZONES)
    return {
        "at": at,
        "time_zone": zone,
        "contributions": contributions,
        "expected": summarize(contributions, at, zone),
    }


if __name__ == "__main__":
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    Path(sys.argv[1]).write_bytes(msgspec.json.encode([history(seed) for seed in range(count)]))
