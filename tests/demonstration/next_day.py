"""`wardwell-demo next-day`: what happens between two days, at once. No clock is moved.

Owns: the order: post closes its epoch and publishes the boards, the ledger writes the heads, desk hands them on.
Must never see: a cell's content.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from appliance.errors import WardwellError
from appliance.settings import Home
from tests.demonstration.up import wardwell

_SECONDS = 20.0


def _newest(home: Home) -> int:
    path = home.public / "boards" / "index.json"
    return max((int(row["epoch"]) for row in json.loads(path.read_text())), default=0) if path.exists() else 0


def turn(home: Home) -> Iterator[str]:
    """Turn the epoch; one line per thing that happened. Raises WardwellError when the boards do not come out."""
    before = _newest(home)
    yield wardwell(home, "post", "close", "--force").strip()
    deadline = time.monotonic() + _SECONDS
    while (epoch := _newest(home)) <= before:
        if time.monotonic() > deadline:
            raise WardwellError("The boards were not published.", f"Read {home.log / 'post-work.log'}.")
        time.sleep(0.2)
    listed = json.loads((home.public / "boards" / "index.json").read_text())
    cells = {row["kind"]: row["cells"] for row in listed if row["epoch"] == epoch}
    yield f"Boards of epoch {epoch}: " + ", ".join(f"{count} {kind}" for kind, count in sorted(cells.items())) + "."
    spool = home.spool("post", "ledger")
    while any(spool.glob("[0-9]*.json")) and time.monotonic() < deadline:
        time.sleep(0.2)
    yield "The access log's heads for the epoch are written; it is the next day."
