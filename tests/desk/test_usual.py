"""Promise: a feed that goes silent or changes shape raises one alert, which is gone when it is as usual again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import clock
from appliance.desk.feeds import baseline, receipts
from appliance.desk.feeds.baseline import Seen, judge
from appliance.spool.messages import FileReceipt
from appliance.storage import Store

START = datetime(2026, 9, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)


def week(day: int) -> int:
    """Rows of a daily export: weekends have half as many again."""
    return 400 + 13 * (day % 5) + (200 if day % 7 in (5, 6) else 0)


def daily(days: int) -> list[Seen]:
    return [Seen(START + day * DAY, week(day), day % 4) for day in range(days)]


def words(files: list[Seen], later: timedelta = timedelta(hours=3)) -> list[str]:
    return [alert.words for alert in judge("cad", files, None, files[-1].at + later)]


def test_weekdays_and_weekends_are_usual() -> None:
    for days in range(1, 70):
        assert words(daily(days)) == []


@pytest.mark.parametrize(
    ("rows", "unmatched", "said"),
    [
        (40, 0, ["the last file has 40 rows, usually about 439"]),
        (9_000, 0, ["the last file has 9000 rows, usually about 439"]),
        (426, 200, ["47% of the last file's rows name a unit that matches nobody"]),
        (426, 3, []),
    ],
)
def test_a_changed_shape_is_said_once_and_passes(rows: int, unmatched: int, said: list[str]) -> None:
    before = daily(30)
    odd = Seen(before[-1].at + DAY, rows, unmatched)
    assert words([*before, odd]) == said
    assert words([*before, odd, Seen(odd.at + DAY, 430, 1)]) == []


def test_silence_is_measured_by_the_feeds_own_pauses() -> None:
    files = daily(30)
    assert words(files, 2 * DAY) == []
    assert words(files, 2 * DAY + timedelta(hours=1)) == ["no file for 2 days; the longest pause before was 24 hours"]
    often = [Seen(START + number * timedelta(minutes=5), 3, 0) for number in range(61)]
    assert words(often, timedelta(minutes=50)) == []
    assert words(often, timedelta(minutes=90)) == ["no file for 90 minutes; the longest pause before was 5 minutes"]


def test_a_history_that_is_dropped_at_once_says_nothing_of_pauses() -> None:
    together = [Seen(START + number * timedelta(seconds=2), week(number), 0) for number in range(60)]
    assert words(together, 30 * DAY) == []


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=80))
def test_at_most_one_alert_per_cause(files: list[tuple[int, int]]) -> None:
    seen = [Seen(START + number * DAY, *one) for number, one in enumerate(files)]
    assert len(words(seen, 100 * DAY)) <= 3


def _keep(desk: Store, *files: tuple[Seen, bool]) -> None:
    with desk.write() as session:
        for number, (one, taken) in enumerate(files):
            receipt = FileReceipt(
                feed="cad",
                file="calls.csv",
                sha256=f"{number:064x}",
                at=one.at,
                taken=taken,
                rows=one.rows if taken else 1,
                calls=0,
                updates=0,
                repeats=0,
                involvements=0,
                refused=[],
                unmapped_units={"K9": one.unmatched},
                unmapped_types={"ODD": 999},
            )
            receipts.store_receipt(session, receipt)


def _alerts(desk: Store, at: datetime) -> list[baseline.Alert]:
    with clock.held(at), desk.read() as session:
        return baseline.alerts(session)


def test_alerts_come_from_receipts_of_taken_files(store_of: Callable[[str], Store]) -> None:
    desk = store_of("desk")
    files = [*daily(20), Seen(START + 20 * DAY, 10, 8)]
    _keep(desk, *((one, taken) for one in files for taken in (True, False)))
    found = _alerts(desk, START + 30 * DAY)
    assert [alert.feed for alert in found] == ["cad"] * 3
    assert all(alert.fix for alert in found)


def test_a_feed_whose_files_are_all_refused_is_not_silent_and_says_so(store_of: Callable[[str], Store]) -> None:
    desk = store_of("desk")
    refused = [Seen(START + day * DAY, 1, 0) for day in range(20, 26)]
    _keep(desk, *((one, True) for one in daily(20)), (refused[0], False))
    assert _alerts(desk, refused[0].at) == []
    _keep(desk, *((one, False) for one in refused[1:]))
    now = refused[-1].at + timedelta(hours=3)
    assert [alert.words for alert in _alerts(desk, now)] == ["the last 6 files were all refused"]
    # The control: were there none, the same feed at the same time would be silent.
    assert words(daily(20), now - daily(20)[-1].at) == ["no file for 6 days; the longest pause before was 24 hours"]
    _keep(desk, (Seen(now, 420, 0), True))
    assert _alerts(desk, now) == []


def test_a_feed_that_never_brought_a_good_file_says_so(store_of: Callable[[str], Store]) -> None:
    desk = store_of("desk")
    _keep(desk, *((one, False) for one in daily(2)))
    assert [alert.words for alert in _alerts(desk, START + 2 * DAY)] == ["the last 2 files were all refused"]
