"""The reference sums against values worked out by hand; the browser's twin must then agree with the reference."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.kit.exposure import Contribution, current, summarize
from appliance.rules.exposure_model import load_model

AT = datetime(2026, 10, 31, 20, tzinfo=UTC)
ZONE = "America/Los_Angeles"


def call(days: float, kind: str = "child-death", role: str = "primary", **changes: object) -> Contribution:
    values = {"id": f"{days}", "at": AT - timedelta(days=days), "type": kind, "role": role, "minutes": 30}
    return Contribution(**{**values, "revision": 1, "gone": False, **changes})  # type: ignore[arg-type]


def test_a_call_counts_half_after_one_half_life() -> None:
    days = load_model().half_life_days
    assert summarize([call(0)], AT, ZONE).load == 10.0
    assert summarize([call(days)], AT, ZONE).load == 5.0
    assert summarize([call(2 * days)], AT, ZONE).load == 2.5


def test_the_part_in_a_call_is_a_published_factor() -> None:
    assert summarize([call(0, role="responding")], AT, ZONE).load == 8.0
    assert summarize([call(0, role="dispatch")], AT, ZONE).load == 6.0


def test_windows_end_sharply_and_the_career_holds_all() -> None:
    calls = [call(6.99), call(7), call(29), call(30), call(364), call(365), call(4000)]
    assert summarize(calls, AT, ZONE).counts == {"7": 1, "30": 3, "90": 4, "365": 5, "career": 7}


@pytest.mark.parametrize("nothing", [call(1, kind="ordinary"), call(1, kind="no-such-type"), call(-1)])
def test_ordinary_unknown_and_future_calls_weigh_nothing(nothing: Contribution) -> None:
    found = summarize([nothing], AT, ZONE)
    assert (found.load, found.counts["career"]) == (0.0, 0)
    assert summarize([call(1)], AT, ZONE).counts["career"] == 1  # control


def test_a_call_that_the_officer_set_aside_is_in_no_sum() -> None:
    calls = [call(n, kind="suicide") for n in (1, 2, 3, 4)]
    left = summarize(calls, AT, ZONE, not_there=["2"])
    assert left == summarize([calls[0], *calls[2:]], AT, ZONE)
    assert "same_kind" not in left.found
    assert "same_kind" in summarize(calls, AT, ZONE).found  # undone


def test_a_higher_revision_replaces_and_gone_withdraws() -> None:
    first = call(1, id="a")
    later = call(1, id="a", kind="threats", revision=2)
    assert [one.type for one in current([later, first])] == ["threats"]
    assert current([first, call(1, id="a", revision=3, gone=True), later]) == []


def test_three_heavy_calls_in_a_week_are_a_pattern() -> None:
    def found(*calls: Contribution) -> bool:
        return "heavy_week" in summarize(calls, AT, ZONE).found

    assert not found(call(1), call(2))
    assert found(call(1), call(2), call(6.9))
    assert not found(call(1), call(2), call(7))
    assert not found(call(1), call(2), call(3, kind="threats"))


def test_the_same_heavy_kind_again_is_a_pattern() -> None:
    calls = [call(days, kind="suicide") for days in (1, 9, 17)]
    others = [call(2, kind="death"), call(3, kind="death"), *(call(days, kind="threats") for days in (4, 5, 6, 7))]
    less = summarize([*calls, *others], AT, ZONE)
    assert (less.patterns["same_kind"], less.same_kind, "same_kind" in less.found) == (3, "suicide", False)
    assert "same_kind" in summarize([*calls, *others, call(29.9, kind="suicide")], AT, ZONE).found
    assert "same_kind" not in summarize([*calls, *others, call(30, kind="suicide")], AT, ZONE).found


def test_nights_in_a_row_are_counted_by_the_agencys_clock() -> None:
    # 23:30, 02:00 and 23:00 in Los Angeles, in three nights one after the other (UTC-7 in October).
    times = [datetime(2026, 10, 24, 6, 30), datetime(2026, 10, 25, 9), datetime(2026, 10, 26, 6)]
    calls = [call(n, id=f"{n}", at=time.replace(tzinfo=UTC)) for n, time in enumerate(times)]
    found = summarize(calls, AT, ZONE)
    assert (found.patterns["nights"], "nights" in found.found) == (3, True)
    assert "nights" not in summarize(calls[:2], AT, ZONE).found
    assert "nights" not in summarize(calls, AT, "UTC").found  # by another clock these are mornings
    # What the contribution itself says of its place goes before the clock; dispatchers have nights as well.
    said = [call(n, id=f"{n}", role="dispatch", hour=23, shift_day=date(2026, 10, 24 + n)) for n in range(3)]
    assert "nights" in summarize(said, AT, "UTC").found


def local(day: int, hour: int, minute: int = 0, **changes: Any) -> Contribution:
    """A call on that day of October 2026 at that time in Los Angeles."""
    at = datetime(2026, 10, day, hour, minute, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
    return call(0, id=f"{day}-{hour}-{minute}", at=at, **changes)


def test_long_days_run_from_the_first_call_to_the_end_of_the_last() -> None:
    def long(*calls: Contribution) -> int:
        return summarize(calls, AT, ZONE).patterns["long_days"]

    assert long(local(27, 8), local(27, 19, 29)) == 0
    assert long(local(27, 8), local(27, 19, 30)) == 1  # its thirty minutes make it twelve hours
    assert long(local(27, 8), local(27, 19, 30, minutes=None)) == 0  # an unknown end adds nothing
    assert long(local(27, 14), local(28, 2)) == 1  # past midnight it is still the day it began
    assert long(local(27, 20), local(28, 8)) == 0  # another shift day
    two = summarize([local(27, 8), local(27, 20), local(28, 8), local(28, 20)], AT, ZONE)
    assert "long_days" in two.found


def test_short_turn_arounds_lie_between_two_shift_days() -> None:
    def short(*calls: Contribution) -> int:
        return summarize(calls, AT, ZONE).patterns["short_turnarounds"]

    assert short(local(27, 20, 30), local(28, 8)) == 1  # eleven hours from its end at 21:00
    assert short(local(27, 20, 29), local(28, 8)) == 0
    assert short(local(28, 3), local(28, 7, 29)) == 0  # less than four hours: the shift ran over
    assert short(local(28, 3), local(28, 7, 30)) == 1
    assert short(local(27, 8), local(27, 16)) == 0  # one shift day
    three = [local(25, 22), local(26, 8), local(26, 22), local(27, 7)]
    assert "short_turnarounds" in summarize(three, AT, ZONE).found


def test_a_span_over_the_change_of_clocks_is_counted_in_hours_that_passed() -> None:
    def at(day: int, hour: int) -> datetime:
        return datetime(2026, 11, day, hour, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)

    # From 18:00 to 5:00 the clock shows eleven hours, and twelve passed.
    calls = [call(0, id="a", at=at(1, 1) - timedelta(hours=7)), call(0, id="b", at=at(1, 5), minutes=0)]
    assert summarize(calls, at(2, 0), ZONE).patterns["long_days"] == 1


def test_every_number_has_a_reason_and_a_source_that_is_listed() -> None:
    model = load_model()
    cited = {pattern.source for pattern in model.patterns.named().values()}
    cited |= {model.windows_source, model.half_life_source, model.roles_source, model.shift_day.source}
    assert cited <= set(model.sources)
    assert all(pattern.reason for pattern in model.patterns.named().values())


def test_every_type_has_a_rationale_and_a_source_that_is_listed() -> None:
    model = load_model()
    assert all(kind.why and kind.source in model.sources and 0 <= kind.weight <= 10 for kind in model.types)
    assert {kind.id for kind in model.types if kind.critical} >= {"officer-involved-shooting", "line-of-duty-death"}
