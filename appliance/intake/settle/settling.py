"""Calls that nobody closes: after a limit they are settled.

Owns: that limit and closing by it. Must never see: who was on a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import select, update

from appliance import clock
from appliance.intake.models import Call
from appliance.intake.profile.feed_profile import USUAL_SETTLE_HOURS
from appliance.storage import Store

# Where no profile says otherwise, a call that nobody has closed counts as settled after this long.
SETTLED = timedelta(hours=USUAL_SETTLE_HOURS)


def settle(store: Store, settled: Mapping[str, timedelta]) -> None:
    """Close the calls that nobody has closed in time: within `settled` of their feed, else of the usual one."""
    with store.read() as session:
        # Few calls are open, and those have an index of their own.
        feeds = session.scalars(select(Call.feed).where(Call.open).distinct()).all()
    for feed in feeds:
        due = (Call.feed == feed, Call.open, Call.received <= clock.now() - settled.get(feed, SETTLED))
        with store.read() as session:
            waiting = session.scalar(select(Call.id).where(*due).limit(1))
        if waiting is not None:
            with store.write() as session:
                session.execute(update(Call).where(*due).values(open=False))
