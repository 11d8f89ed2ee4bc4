"""Promise: a time of day on a CAD row becomes the right moment, over midnight and over both clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.intake.read import times
from appliance.intake.records import seconds

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


FULL = "%m/%d/%Y %H:%M"


def test_full_times_of_the_repeated_hour_are_told_apart_by_their_neighbours() -> None:
    clock = times.WallClock(ZONE)
    found = [clock.settle_moment(f"11/01/2026 {one}", FULL) for one in ("00:50", "01:10", "01:40", "01:20", "02:05")]
    begun = datetime(2026, 11, 1, 7, 50, tzinfo=UTC)
    assert [one - seconds(begun) for one in found] == [minutes * 60 for minutes in (0, 20, 50, 90, 135)]
    assert clock.flagged == 0
    # Without a neighbour, or in the hour that the spring night skips, the doubt is counted.
    for alone in ("11/01/2026 01:10", "03/08/2026 02:30"):
        clock = times.WallClock(ZONE)
        clock.settle_moment(alone, FULL)
        assert clock.flagged == 1
    # Control: what says its own offset is in no doubt.
    clock = times.WallClock(ZONE)
    assert clock.settle_moment("2026-11-01T01:10-08:00", "iso") == seconds(datetime(2026, 11, 1, 9, 10, tzinfo=UTC))
    assert clock.flagged == 0


@pytest.mark.parametrize(("step", "hour"), [("11/01/2026 01:05", 9), ("11/01/2026 01:55", 8)])
def test_no_full_step_in_the_repeated_hour_comes_before_its_call(step: str, hour: int) -> None:
    begun = seconds(datetime(2026, 11, 1, 8, 50, tzinfo=UTC))  # 01:50 for the first time
    found = datetime.fromtimestamp(times.moment(step, FULL, ZONE, begun), UTC)
    assert (found.hour, found.minute) == (hour, int(step[-2:]))


@pytest.mark.parametrize("text", ["2400", "24:00"])
def test_midnight_written_as_the_end_of_a_day(text: str) -> None:
    clock_time, days = times.wall_time(text, "%H:%M")
    assert (clock_time.hour, clock_time.minute, days) == (0, 0, 1)


@pytest.mark.parametrize(("text", "minutes"), [("45", 45), ("5", 5), ("651", 411), ("0005", 5)])
def test_zeros_in_front_that_a_spreadsheet_dropped(text: str, minutes: int) -> None:
    assert times.passed(text, "clock") == minutes * 60


@pytest.mark.parametrize("text", ["", "NULL", "9999", " null ", "0", "N/A", "--"])
def test_what_stands_for_no_time(text: str) -> None:
    assert times.is_blank(text)


@pytest.mark.parametrize("text", ["25:00", "12:60", "noon", "1"])
def test_an_impossible_time_is_refused(text: str) -> None:
    assert not times.is_blank(text)
    with pytest.raises(ValueError, match=r"does not match|unconverted"):
        times.wall_time(text, "%H:%M")


# --- remembering a day's offset changes no result ---------------------------------------------------------------------

ZONES = [ZoneInfo(name) for name in ("America/Los_Angeles", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kolkata")]
DAYS = st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 31)).map(lambda at: datetime(at.year, at.month, at.day))
CHANGES = st.sampled_from([datetime(2026, 3, 8), datetime(2026, 11, 1), datetime(2026, 4, 5), datetime(2026, 10, 4)])
NEAR = st.builds(lambda day, days: day + timedelta(days=days), CHANGES, st.integers(-3, 3))
SPANS = st.integers(0, 1440).map(lambda minutes: minutes * 60)


@given(st.sampled_from(ZONES), st.one_of(DAYS, NEAR), SPANS, SPANS)
def test_a_step_is_the_same_as_by_asking_the_zone(zone: ZoneInfo, midnight: datetime, begin: int, span: int) -> None:
    start = times.to_utc(midnight + timedelta(seconds=begin), zone)
    today = times.local_day(seconds(start), zone)
    expected = times.after(start, today.wall + timedelta(seconds=span), zone)
    assert times.step(seconds(start), today, span, zone) == seconds(expected)


@given(st.sampled_from(ZONES), st.lists(st.tuples(st.one_of(DAYS, NEAR), SPANS), max_size=12))
def test_begins_settle_the_same_as_by_asking_the_zone(zone: ZoneInfo, begins: list[tuple[datetime, int]]) -> None:
    quick, slow = times.WallClock(zone), times.WallClock(zone)
    for midnight, span in begins:
        day = times.day_of(midnight, zone)
        assert quick.settle(day, span) == slow.settle(times.Day(midnight, None), span)
    assert quick.flagged == slow.flagged


@given(st.sampled_from(ZONES), st.one_of(DAYS, NEAR), st.integers(0, 86_399))
@example(ZONE, datetime(2026, 11, 1), 5400)
def test_a_full_time_is_the_same_as_by_asking_the_zone(zone: ZoneInfo, midnight: datetime, second: int) -> None:
    wall = midnight + timedelta(seconds=second)
    for form in (
        "%m/%d/%Y %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
        "%d.%m.%Y  %I:%M:%S %p",
        "%Y%m%d%H%M%S",
        "%d-%b-%Y %H:%M:%S",
    ):
        assert times.moment(wall.strftime(form), form, zone) == seconds(times.to_utc(wall, zone)), form
    assert times.moment(wall.isoformat(), "iso", zone) == seconds(times.to_utc(wall, zone))


@pytest.mark.parametrize("text", ["10/14/2026 24:00", "10/14/2026  09:30", "10/14/2026 9:30 "])
def test_other_ways_to_write_a_full_time(text: str) -> None:
    found = datetime.fromtimestamp(times.moment(text, "%m/%d/%Y %H:%M", ZONE), ZONE)
    assert f"{found:%d %H:%M}" == ("15 00:00" if "24" in text else "14 09:30")


@pytest.mark.parametrize(
    "text", ["10/14/2026 2400", "10/32/2026 10:00", "10/14/2026 10:61", "10/14/2026", "10:00", "9999"]
)
def test_an_impossible_full_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not match|unconverted|out of range"):
        times.moment(text, "%m/%d/%Y %H:%M", ZONE)


def test_only_a_day_without_a_change_nearby_remembers_its_offset() -> None:
    even = [times.day_of(datetime(2026, 11, day), ZONE).even is not None for day in (1, 2, 3, 28)]
    assert even == [False, False, True, True]
    assert times.day_of(datetime(2026, 10, 31), ZONE).even is None
