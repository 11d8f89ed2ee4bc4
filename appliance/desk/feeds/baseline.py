"""Whether a feed is as it usually is: it goes on dropping files, and they look like those before.

Owns: the rules, and one alert per feed and cause, worked out anew from the receipts each time: it is there while its
cause is, once however many files show it, and gone when a file is as usual again. Must never see: a call or a person.

A feed is usual within the outer fences of its last files: beyond the quartiles by three times their distance (Tukey,
Exploratory Data Analysis, 1977, chapter 2), in powers of two for numbers of rows. How many files have to be known
before anything is said, and the least distances, are choices; no source.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from appliance import clock
from appliance.desk.models.receipts import Receipt, Unmapped

# Not for a dry run, which says nothing about the export job.
_DROPPED = Receipt.dry_run.is_(False)
# Taken files that are looked back at, and the fewest that say what is usual.
LOOKED_AT, ENOUGH = 60, 10
FENCE = 3.0
# Least distance between quartiles: a factor of two in rows, one in twenty of units.
_LEAST_ROWS, _LEAST_SHARE = 1.0, 0.05
# This many files in a row that were all refused are one cause; a single one stands in its receipt.
_REFUSED = 2
# Silent: this many times the longest pause among those files, and never less than an hour. Files that came within a
# minute of each other came together, as when a feed's history is dropped at once: that is no pause.
SILENT_TIMES, _SILENT_LEAST, _TOGETHER = 2, timedelta(hours=1), timedelta(minutes=1)


@dataclass(frozen=True)
class Alert:
    """One cause at one feed, and what to do."""

    feed: str
    words: str
    fix: str


@dataclass(frozen=True)
class Seen:
    """One taken file: when it arrived, its rows, its units that matched nobody."""

    at: datetime
    rows: int
    unmatched: int


def alerts(session: Session) -> list[Alert]:
    """What is not as usual now, by feed."""
    alerts = []
    for feed in session.scalars(select(Receipt.feed).where(_DROPPED).distinct().order_by(Receipt.feed)).all():
        taken = _last(session, feed)
        refused = _refused_since(session, feed, taken)
        alerts += judge(feed, taken, max(refused, default=None), clock.now())
        if len(refused) >= _REFUSED:
            words = f"the last {len(refused)} files were all refused"
            fix = "Open the newest receipt: its reasons say what to change in the export or in the feed profile."
            alerts.append(Alert(feed, words, fix))
    return alerts


def _refused_since(session: Session, feed: str, taken: Sequence[Seen]) -> Sequence[datetime]:
    """When the refused files arrived that came after the last taken one."""
    query = select(Receipt.at).where(Receipt.feed == feed, Receipt.taken.is_(False), _DROPPED)
    if taken:
        query = query.where(Receipt.at > taken[-1].at)
    return session.scalars(query).all()


def _last(session: Session, feed: str) -> list[Seen]:
    """The feed's last taken files, oldest first."""
    unmatched = (
        select(func.coalesce(func.sum(Unmapped.count), 0))
        .where(Unmapped.receipt_id == Receipt.id, Unmapped.what == "unit")
        .scalar_subquery()
    )
    query = (
        select(Receipt.at, Receipt.rows, unmatched)
        .where(Receipt.feed == feed, Receipt.taken, _DROPPED)
        .order_by(Receipt.at.desc(), Receipt.id.desc())
        .limit(LOOKED_AT + 1)
    )
    return [Seen(*row) for row in reversed(session.execute(query).all())]


def judge(feed: str, files: Sequence[Seen], refused: datetime | None, now: datetime) -> list[Alert]:
    """What is not as usual at a feed whose taken files, oldest first, are `files`.

    `refused`: when a file that came after them and was refused arrived last. The feed is not silent, then.
    """
    if len(files) <= ENOUGH:
        return []
    *before, newest = files
    alerts = []
    pauses = [pause for file, later in pairwise(files) if (pause := later.at - file.at) > _TOGETHER]
    quiet = now - (refused or newest.at)
    if len(pauses) >= ENOUGH and quiet > max(SILENT_TIMES * max(pauses), _SILENT_LEAST):
        words = f"no file for {_hours(quiet)}; the longest pause before was {_hours(max(pauses))}"
        alerts.append(Alert(feed, words, "See whether the export job runs and reaches this machine."))
    low, high = _fences([math.log2(1 + file.rows) for file in before], _LEAST_ROWS)
    if not low <= math.log2(1 + newest.rows) <= high:
        usual = statistics.median(file.rows for file in before)
        words = f"the last file has {newest.rows} row{'s' * (newest.rows != 1)}, usually about {usual:.0f}"
        alerts.append(Alert(feed, words, "See whether the export's period or filter changed."))
    share = _share(newest)
    if share > _fences([_share(file) for file in before], _LEAST_SHARE)[1]:
        words = f"{share:.0%} of the last file's rows name a unit that matches nobody"
        alerts.append(Alert(feed, words, "Publish the newest roster; see whether units are written otherwise now."))
    return alerts


def _share(seen: Seen) -> float:
    return min(1.0, seen.unmatched / seen.rows) if seen.rows else 0.0


def _fences(values: Sequence[float], least: float) -> tuple[float, float]:
    """Below and above which a value is far out."""
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    reach = FENCE * max(third - first, least)
    return first - reach, third + reach


def _hours(time: timedelta) -> str:
    hours = time.total_seconds() / 3600
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    return f"{hours:.0f} hours" if hours >= 2 else f"{hours * 60:.0f} minutes"
