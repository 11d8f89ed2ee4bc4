"""Promise: dates and times that Excel keeps as such are read as the profile's formats say."""

from __future__ import annotations

import io
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import pytest

from appliance.intake.profile.feed_profile import Columns, Profile
from appliance.intake.read import parsing

_COLUMNS = Columns(number="no", received="got", type="kind", units="unit", arrived="there", cleared="done")
_WITH_DAY = Columns(number="no", received="got", type="kind", units="unit", arrived="there", cleared="done", date="day")


def _calls(path: Path, row: list[object], columns: Columns, **formats: str) -> list[object]:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["no", "got", "kind", "unit", "there", "done", *(["day"] if columns.date else [])])
    sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    path.write_bytes(out.getvalue())
    profile = Profile(
        name="t",
        description="",
        format="xlsx",
        time_zone="UTC",
        columns=columns,
        types={},
        **formats,  # type: ignore[arg-type]
    )
    found: list[object] = []
    for reading in parsing.parse_files(profile, [], [path]):
        found += [call.received for batch in reading.batches() for call in batch]
        assert reading.ending
        found += [(one.column, one.reason) for one in reading.ending.refused]
    return found


_GOT = int(datetime.fromisoformat("2026-10-14T06:51:33+00:00").timestamp())
_FULL = [7, datetime(2026, 10, 14, 6, 51, 33), "x", "A1", datetime(2026, 10, 14, 7), None]
_CLOCK = [7, time(6, 51, 33), "x", "A1", time(7), timedelta(hours=8), date(2026, 10, 14)]


@pytest.mark.parametrize("time_format", ["iso", "%m/%d/%Y %H:%M:%S"])
def test_full_times(tmp_path: Path, time_format: str) -> None:
    assert _calls(tmp_path / "a.xlsx", _FULL, _COLUMNS, time_format=time_format) == [_GOT]


@pytest.mark.parametrize("time_format", ["clock", "%H:%M:%S"])
def test_times_of_a_day(tmp_path: Path, time_format: str) -> None:
    assert _calls(tmp_path / "a.xlsx", _CLOCK, _WITH_DAY, time_format=time_format, date_format="%d.%m.%y") == [_GOT]


def test_later_steps_in_a_format_of_their_own(tmp_path: Path) -> None:
    row = [*_FULL[:4], time(7), None]
    assert _calls(tmp_path / "a.xlsx", row, _COLUMNS, time_format="iso", step_format="clock") == [_GOT]


def test_a_time_without_its_day_is_refused_by_its_column(tmp_path: Path) -> None:
    row = [7, time(6, 51), *_FULL[2:]]
    assert _calls(tmp_path / "a.xlsx", row, _COLUMNS, time_format="iso") == [("got", "impossible time")]
