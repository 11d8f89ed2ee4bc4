"""The reference sums against values worked out by hand; the browser's twin must then agree with the reference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from appliance.kit.exposure import Contribution, current, summarize
from appliance.model.exposure import load_model

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


def test_a_higher_revision_replaces_and_gone_withdraws() -> None:
    first = call(1, id="a")
    later = call(1, id="a", kind="threats", revision=2)
    assert [one.type for one in current([later, first])] == ["threats"]
    assert current([first, call(1, id="a", revision=3, gone=True), later]) == []


def test_three_heavy_calls_in_a_week_are_a_pattern() -> None:
    assert not summarize([call(1), call(2)], AT, ZONE).heavy_week
    assert summarize([call(1), call(2), call(6.9)], AT, ZONE).heavy_week
    assert not summarize([call(1), call(2), call(7)], AT, ZONE).heavy_week
    assert not summarize([call(1), call(2), call(3, kind="threats")], AT, ZONE).heavy_week


def test_nights_in_a_row_are_counted_by_the_agencys_clock() -> None:
    # 23:30, 02:00 and 23:00 in Los Angeles, in three nights one after the other (UTC-7 in October).
    times = [datetime(2026, 10, 24, 6, 30), datetime(2026, 10, 25, 9), datetime(2026, 10, 26, 6)]
    calls = [call(n, id=f"{n}", at=time.replace(tzinfo=UTC)) for n, time in enumerate(times)]
    found = summarize(calls, AT, ZONE)
    assert (found.nights_in_a_row, found.nights) == (3, True)
    assert not summarize(calls[:2], AT, ZONE).nights
    assert not summarize(calls, AT, "UTC").nights  # by another clock these are mornings


def test_every_type_has_a_rationale_and_a_source_that_is_listed() -> None:
    model = load_model()
    assert all(kind.why and kind.source in model.sources and 0 <= kind.weight <= 10 for kind in model.types)
    assert {kind.id for kind in model.types if kind.critical} >= {"officer-involved-shooting", "line-of-duty-death"}
