"""Promise: the release of a month has the counts of both senders, whichever second of the minute each of them works in.

Intake, desk and press on their own databases, with the spool between them, across the end of October in California.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance import clock
from appliance.charter import load_charter
from appliance.desk.follow_up import monthly_counts
from appliance.desk.models.base import Outbox as DeskOutbox
from appliance.desk.models.people import RosterVersion
from appliance.intake.deliver import counts
from appliance.intake.models import Outbox as IntakeOutbox
from appliance.intake.profile.feed_profile import load_profile
from appliance.intake.settle.take import take_files
from appliance.press import publish, report_sections, worker
from appliance.press.models import Release
from appliance.rules import months
from appliance.settings import Home
from appliance.spool.delivery import flush
from appliance.spool.messages import Append
from appliance.storage import Store
from tests.intake.support import file, roster, row
from tests.support.desk_site import add_person

ZONE = ZoneInfo("America/Los_Angeles")
NOVEMBER = datetime(2026, 11, 1, 7, tzinfo=UTC)  # midnight in California


class Agency:
    """The three compartments, thirty people on the roster, and a heavy call in October that two of them attended."""

    def __init__(self, home: Home, store_of: Callable[[str], Store], folder: Path) -> None:
        self.charter = load_charter(home)
        self.intake, self.desk, self.press = (store_of(name) for name in ("intake", "desk", "press"))
        self.folder = folder
        roster(self.intake)
        for number in range(30):
            add_person(self.desk, f"E{number:04d}", unit="Watch B" if number % 2 else "Watch A")
        signed = {"sha256": "00" * 32, "headcount": 30, "agency_signer": "a", "trustee_signer": "t", "leaf_index": 0}
        with self.desk.write() as session:
            session.add(RosterVersion(version=1, taken_at=clock.now(), **signed))
        self.drop("10/14/26", "4201,4202")

    def drop(self, day: str, units: str) -> None:
        """An export of one heavy call."""
        name = f"cad_export_20{day[6:]}{day[:2]}{day[3:5]}_233100.csv"
        path = file(self.folder, name, row(day.replace("/", ""), units, day=day))
        take_files(self.intake, "cad", load_profile("san-luis-obispo"), [path])

    def intake_turn(self) -> None:
        counts.send_due(self.intake, self.charter, ZONE)
        flush(self.intake, IntakeOutbox)

    def desk_turn(self) -> None:
        monthly_counts.send_due(self.desk, self.charter)
        flush(self.desk, DeskOutbox)

    def press_turn(self) -> None:
        assert worker.turn(self.press) == []

    def released(self) -> dict[str, datetime]:
        with self.press.read() as session:
            return {row.period: row.made_at for row in session.query(Release)}

    def cells(self) -> dict[str, tuple[str, str]]:
        """Indicator of October's release -> figure and reason of the whole agency."""
        release = json.loads((self.press.home.public / "releases" / "2026-10.json").read_text())
        assert release["groups"][0]["path"] == "Agency"
        return {one["id"]: (one["cells"][0]["text"], one["cells"][0]["reason"]) for one in release["indicators"]}


@pytest.fixture
def agency(home: Home, store_of: Callable[[str], Store], taking_ledger: list[Append], tmp_path: Path) -> Agency:
    with clock.held(NOVEMBER - timedelta(days=5)):
        return Agency(home, store_of, tmp_path)


@pytest.mark.parametrize("order", list(permutations(("intake_turn", "desk_turn", "press_turn"))))
def test_no_release_goes_without_one_of_the_two(agency: Agency, order: tuple[str, ...]) -> None:
    """A minute before and three after each whole day, with the three of them at three seconds of each minute."""
    agency.drop("11/01/26", "4201")
    for day in range(4):
        for minute in range(-1, 4):
            for second, turn in zip((0, 29, 58), order, strict=True):
                with clock.held(NOVEMBER + timedelta(days=day, minutes=minute, seconds=second)):
                    getattr(agency, turn)()
    made = agency.released()["2026-10"] - NOVEMBER
    assert months.SETTLED <= made <= months.SETTLED + timedelta(minutes=2)
    # 0 of the 30 were asked to do anything, and the feed had a call on one day of the month: both say so themselves.
    assert agency.cells() == {
        "heavy_calls": ("", "the feed was silent on 30 days"),
        "steps_on_time": ("", "no step was due"),
    }


def test_a_silent_feed_is_waited_for_one_day_and_then_named(agency: Agency) -> None:
    """The control: no call of November, so intake never counts October."""
    for hours in range(96):
        for turn in ("intake_turn", "desk_turn", "press_turn"):
            with clock.held(NOVEMBER + timedelta(hours=hours)):
                getattr(agency, turn)()
    assert agency.released()["2026-10"] == NOVEMBER + publish.LATEST_AFTER
    assert agency.cells()["heavy_calls"] == ("", "no counts arrived in time for this month")


def test_months_are_the_agencys_own() -> None:
    assert months.month_of(datetime(2026, 11, 1, 6, 30, tzinfo=UTC).astimezone(ZONE)) == "2026-10"
    for after, settled in ((timedelta(hours=23, minutes=59), "2026-09"), (timedelta(days=1), "2026-10")):
        # Hours that pass, not the wall's: clocks go back on November 1.
        with clock.held(NOVEMBER + after):
            assert months.last_settled(ZONE) == settled
            assert months.is_settled("2026-10", ZONE) is (settled == "2026-10")
    # November 2026 has the hour more that daylight saving gives back.
    assert months.end("2026-11", ZONE) - months.begin("2026-11", ZONE) == timedelta(days=30, hours=1)


@pytest.mark.parametrize(("month", "following"), [("2026-10", "2026-11"), ("2026-12", "2027-01")])
def test_the_month_after_and_the_month_before(month: str, following: str) -> None:
    assert months.month_after(month) == following
    assert months.month_before(following) == month


def _missing(first: str, last: str, founded: str = "2026-09-01", *released: str) -> list[str]:
    leaves = [report_sections.Leaf(0, "release", None, {"period": month, "sha256": "f"}) for month in released]
    found = report_sections._missing_releases(leaves, *(date.fromisoformat(day) for day in (founded, first, last)))
    assert all(what == "A missing release" for what, _ in found)
    return [month for _, month in found]


def test_a_report_names_a_missing_release_once_it_is_overdue_and_one_report_does() -> None:
    # Due on November 2, at the latest on November 3: a report of those days says nothing yet.
    for last in ("2026-11-01", "2026-11-02", "2026-11-03"):
        assert _missing("2026-10-15", last) == []
    assert _missing("2026-10-15", "2026-11-04") == ["2026-10"]
    # Each month's report is about the release that was due in it.
    assert _missing("2026-11-01", "2026-11-30") == ["2026-10"]
    assert _missing("2026-11-01", "2026-11-30", "2026-09-01", "2026-10") == []
    assert _missing("2026-10-01", "2026-10-31") == ["2026-09"]
    assert _missing("2026-11-05", "2026-11-30") == []
    assert _missing("2026-12-01", "2027-02-28") == ["2026-11", "2026-12", "2027-01"]
    # Wherever one report ends and the next begins, each month is named once.
    for day in range(1, 31):
        cut = date(2026, 11, day)
        both = [*_missing("2026-10-01", str(cut)), *_missing(str(cut + timedelta(days=1)), "2026-12-31")]
        assert both == ["2026-09", "2026-10", "2026-11"]
    # Nothing is due for the time before there was an agency.
    assert _missing("2026-11-01", "2026-11-30", founded="2026-11-01") == []
