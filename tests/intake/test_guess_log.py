"""Promise: `profile guess` knows a unit log when it sees one, names nobody in it, and proposes what then reads it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.intake.profile.feed_profile import UnitLog, load_feed
from tests.intake.test_guess import run

# Each: header, then a row made of unit, employee number, day ("2026-10-14"), begin and end of a shift ("07:00").
SYSTEMS: dict[str, tuple[list[str], Callable[[str, str, str, str, str], list[str]]]] = {
    "staffing": (
        ["Unit", "Employee No", "Name", "Date", "On Duty", "Off Duty", "Sustained Complaints"],
        lambda unit, who, day, begin, end: [unit, who, f"Zebedee {who}", day, begin, end, "2"],
    ),
    "sign-on": (
        ["call_sign", "badge", "log_on", "log_off"],
        lambda unit, who, day, begin, end: [unit, who, f"{day}T{begin}:00", f"{day}T{end}:00"],
    ),
    "american": (
        ["VehicleID", "OfficerID", "StartTime", "EndTime"],
        lambda unit, who, day, begin, end: [
            unit,
            who,
            f"{day[5:7]}/{day[8:]}/{day[:4]} {begin}",
            f"{day[5:7]}/{day[8:]}/{day[:4]} {end}",
        ],
    ),
}


def written(folder: Path, name: str) -> Path:
    header, make = SYSTEMS[name]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    for number in range(40):
        begin, end = ("07:00", "17:30") if number % 2 else ("08:15", "18:45")
        writer.writerow(make(f"42{number % 20:02}", f"E{1000 + number}", f"2026-10-{1 + number % 28:02}", begin, end))
    path = folder / f"{name}.csv"
    path.write_text(out.getvalue(), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_unit_log_is_known_and_read(tmp_path: Path, name: str) -> None:
    feed = written(tmp_path, name)
    toml = run("profile", "guess", str(feed))
    assert toml.startswith("# A unit log")
    assert "40 rows read, 0 of them cannot be taken" in toml
    # Units and times may be shown as samples; nobody's number or name.
    assert "4201" in toml
    assert "E1001" not in toml and "Zebedee" not in toml
    (tmp_path / "profile.toml").write_text(toml, encoding="utf-8")
    log = load_feed(str(tmp_path / "profile.toml"))
    assert isinstance(log, UnitLog)
    header = SYSTEMS[name][0]
    assert set(log.dropped) == set(header) - {
        *filter(None, (getattr(log.columns, f) for f in log.columns.__struct_fields__))
    }
    found = json.loads(run("profile", "test", str(tmp_path / "profile.toml"), str(feed), "--json"))
    assert found == {"files": 1, "rows": 40, "refused": []}


def test_a_table_of_calls_is_none(tmp_path: Path) -> None:
    """Control: the same columns beside a call's number and kind are a table of calls."""
    path = tmp_path / "calls.csv"
    rows = ["Incident #,Unit,Officer ID,Type,Start,End"]
    rows += [f"26-{n:05},42{n:02},E{n},Theft,2026-10-14T10:{n:02}:00,2026-10-14T11:{n:02}:00" for n in range(40)]
    path.write_text("\n".join(rows))
    assert not run("profile", "guess", str(path)).startswith("# A unit log")
