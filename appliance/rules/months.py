"""Calendar months, written "2026-10", and when the counts of one are made.

Owns: where a month begins and ends in the agency's time zone, and how long after its end it is counted. Intake and desk
count by the same moment: if one came a day later, press would no longer be waiting for it. Must never see: a row.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from appliance import clock

# A month is counted this long after its end, when its last exports have come in.
SETTLED = timedelta(days=1)


def month_of(at: datetime) -> str:
    """The month of `at`, in its own time zone."""
    return f"{at.year:04d}-{at.month:02d}"


def month_after(month: str) -> str:
    """The month after `month`: "2026-12" gives "2027-01"."""
    year, number = (int(part) for part in month.split("-"))
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"


def month_before(month: str) -> str:
    """The month before `month`: "2027-01" gives "2026-12"."""
    year, number = (int(part) for part in month.split("-"))
    return f"{year - (number == 1):04d}-{(number - 2) % 12 + 1:02d}"


def begin(month: str, zone: ZoneInfo) -> datetime:
    """First moment of the month (UTC)."""
    year, number = (int(part) for part in month.split("-"))
    return datetime(year, number, 1, tzinfo=zone).astimezone(UTC)


def end(month: str, zone: ZoneInfo) -> datetime:
    """First moment after the month (UTC)."""
    return begin(month_after(month), zone)


def is_settled(month: str, zone: ZoneInfo) -> bool:
    """Whether the month ended at least `SETTLED` ago."""
    return end(month, zone) + SETTLED <= clock.now()


def last_settled(zone: ZoneInfo) -> str:
    """The newest month that `is_settled`."""
    return month_before(month_of((clock.now() - SETTLED).astimezone(zone)))
