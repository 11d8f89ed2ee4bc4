"""Promise: a time of day on a CAD row becomes the right moment, over midnight and over both clock changes."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from appliance.intake import times

ZONE = ZoneInfo("America/Los_Angeles")


def after(received: str, step: str) -> str:
    """The local ISO time of `step` ("HH:MM") of a call received at local ISO time `received`."""
    start = datetime.fromisoformat(received)
    clock_time, _ = times.wall_time(step, "%H:%M")
    begin = times.to_utc(start, ZONE)
    found = times.after(begin, datetime.combine(start.date(), clock_time), ZONE)
    return found.astimezone(ZONE).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("received", "step", "expected"),
    [
        ("2026-10-14T10:01", "10:12", "2026-10-14T10:12-07:00"),
        ("2026-10-14T23:58", "00:05", "2026-10-15T00:05-07:00"),
        ("2026-10-14T18:40", "03:10", "2026-10-15T03:10-07:00"),
        # Two clocks that disagree by minutes, by day and around midnight.
        ("2026-10-14T10:01", "09:58", "2026-10-14T09:58-07:00"),
        ("2026-10-15T00:01", "23:59", "2026-10-14T23:59-07:00"),
        # The autumn night: 01:10 happens twice, and a step cannot come before the call.
        ("2026-11-01T00:50", "01:10", "2026-11-01T01:10-07:00"),
        ("2026-11-01T23:58", "00:05", "2026-11-02T00:05-08:00"),
        # The spring night: 02:30 does not happen; it was the next moment that does.
        ("2026-03-08T01:55", "02:30", "2026-03-08T03:30-07:00"),
    ],
)
def test_a_step_follows_its_call(received: str, step: str, expected: str) -> None:
    assert after(received, step) == expected


def test_in_the_repeated_hour_no_step_comes_before_its_call() -> None:
    begun = datetime(2026, 11, 1, 8, 50, tzinfo=UTC)  # 01:50 for the first time
    found = times.after(begun, datetime(2026, 11, 1, 1, 5), ZONE)
    assert found == datetime(2026, 11, 1, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2400", "24:00"])
def test_midnight_written_as_the_end_of_a_day(text: str) -> None:
    clock_time, days = times.wall_time(text, "%H:%M")
    assert (clock_time.hour, clock_time.minute, days) == (0, 0, 1)


@pytest.mark.parametrize("text", ["", "NULL", "9999", " null "])
def test_what_stands_for_no_time(text: str) -> None:
    assert times.is_blank(text)


@pytest.mark.parametrize("text", ["25:00", "12:60", "noon", "1"])
def test_an_impossible_time_is_refused(text: str) -> None:
    assert not times.is_blank(text)
    with pytest.raises(ValueError, match=r"does not match|unconverted"):
        times.wall_time(text, "%H:%M")
