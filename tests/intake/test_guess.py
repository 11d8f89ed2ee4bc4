"""Promise: a run sheet of any discipline is read through `profile guess` alone, and its text is never printed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner

from appliance.errors import WardwellError
from appliance.intake.commands import intake
from appliance.intake.profile.feed_profile import load_profile

SECRET = "Grandmother says her neighbor Zebedee did it"
STREET = "4711 Quagmire Terrace"
ROSTER = """employee_number,name,call_sign,unit,division
F1,A Alder,WAVE1,Beach,Marine
F2,B Birch,M5,Medic,EMS
F3,C Cedar,E12,Engine,Fire
"""
TYPES = ["Water Rescue", "Medical - Chest Pain", "Structure Fire", "Alarm &amp; Odor", "Lift Assist", "Zorbing"]


def run(*arguments: str) -> str:
    result = CliRunner().invoke(intake, list(arguments), catch_exceptions=True)
    if isinstance(result.exception, WardwellError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def through_guess(tmp_path: Path, feed: Path, *options: str) -> tuple[str, dict[str, Any]]:
    """(the proposed profile, what a check with it finds)."""
    toml = run("profile", "guess", str(feed), *options)
    for text in ("Zebedee", "Quagmire"):
        assert text not in toml
    profile, roster = tmp_path / "profile.toml", tmp_path / "roster.csv"
    profile.write_text(toml, encoding="utf-8")
    roster.write_text(ROSTER, encoding="utf-8")
    found: dict[str, Any] = json.loads(
        run("check", str(feed), "--profile", str(profile), "--roster", str(roster), "--json")
    )
    return toml, found


def fire_rows(number: int = 40) -> list[list[str]]:
    """A run sheet: day, alarm without a date, packed units with their times, narrative."""
    rows = []
    for at in range(number):
        hour, minute = at % 24, (at * 7) % 60
        alarm = "2400" if at == 5 else ("9999" if at == 7 else f"{hour:02}{minute:02}")
        units = f"WAVE1={hour:02}:{minute:02}:33, M5={(hour + 1) % 24:02}:{minute:02}:17"
        rows.append(
            [
                f"21-{at:06}",
                f"09/{1 + at % 28:02}/21",
                alarm,
                TYPES[at % len(TYPES)],
                units if at % 9 else "NULL",
                "NULL" if at % 3 else "Cancelled",
                f'{SECRET},\n"{at}"',
                STREET,
            ]
        )
    return rows


HEADER = ["Run #", "Alarm Date", "Alarm Time", "Nature", "Units On Scene", "Disposition", "Narrative", "Address"]


def text(rows: list[list[str]], delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize(
    ("delimiter", "encoding"),
    [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-16"), ("|", "cp1252"), ("^", "utf-16-be")],
)
def test_a_fire_run_sheet_with_packed_units(tmp_path: Path, delimiter: str, encoding: str) -> None:
    feed = tmp_path / "runs.txt"
    feed.write_bytes(text([HEADER, *fire_rows()], delimiter).encode(encoding))
    toml, found = through_guess(tmp_path, feed, "--time-zone", "America/New_York")
    assert 'unit_times = "equals"' in toml
    assert (found["rows"], found["calls"], found["refused"]) == (40, 40, [])
    assert found["unmapped_units"] == {}
    assert found["involvements"] == 70
    assert found["unmapped_types"] == {"Zorbing": 6}
    assert found["first"].startswith("2021-09-01T00:00:00-04:00")


def test_titles_above_the_header_and_ragged_rows(tmp_path: Path) -> None:
    feed = tmp_path / "runs.csv"
    rows = [["Fire Department daily runs"], [], HEADER, *fire_rows()]
    rows[20] = rows[20][:4]
    feed.write_text(text(rows), encoding="utf-8")
    _, found = through_guess(tmp_path, feed)
    assert found["calls"] == 39
    assert [row["reason"] for row in found["refused"]] == ["4 cells instead of 8"]


def test_without_a_header(tmp_path: Path) -> None:
    feed = tmp_path / "runs.csv"
    feed.write_text(text(fire_rows()), encoding="utf-8")
    toml, found = through_guess(tmp_path, feed)
    assert "header = false" in toml
    assert (found["calls"], found["refused"]) == (40, [])
    assert found["involvements"] == 70


def ems_rows() -> list[dict[str, str]]:
    return [
        {
            "IncidentNumber": f"EMS{at:05}",
            "CallReceivedDateTime": f"{1 + at % 12}/{1 + at % 28}/2023 {1 + at % 12}:05:00 PM",
            "Problem": TYPES[at % len(TYPES)],
            "UnitsAssigned": "M5; E12" if at % 2 else "M5",
            "UnitArrivedDateTime": f"{1 + at % 12}/{1 + at % 28}/2023 {1 + at % 12}:15:00 PM" if at % 4 else "",
            "ChiefComplaint": SECRET,
            "PatientName": "Zebedee Quagmire",
            "UseOfForce": "N",
        }
        for at in range(60)
    ]


@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "wrapped", "xlsx"])
def test_an_ems_export_with_full_times(tmp_path: Path, form: str) -> None:
    rows = ems_rows()
    feed = tmp_path / f"export.{form}"
    if form == "csv":
        feed.write_text(text([list(rows[0]), *(list(row.values()) for row in rows)]), encoding="utf-8")
    elif form == "jsonl":
        feed.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    elif form == "xlsx":
        book = openpyxl.Workbook()
        for line in [list(rows[0]), *(list(row.values()) for row in rows)]:
            book.worksheets[0].append(line)
        book.save(feed)
    else:
        whole: Any = {"agency": "X", "data": {"calls": rows}} if form == "wrapped" else rows
        feed.write_text(json.dumps(whole), encoding="utf-8")
    toml, found = through_guess(tmp_path, feed)
    assert (found["calls"], found["refused"], found["unmapped_units"]) == (60, [], {})
    assert found["involvements"] == 90
    if form != "wrapped":
        assert '"UseOfForce",  # about conduct' in toml
        assert '"ChiefComplaint",  # about conduct' in toml


def test_a_row_per_unit(tmp_path: Path) -> None:
    rows = [["call_id", "unit_id", "date", "recv", "disp", "arrv", "clr", "call_type"]]
    for at in range(30):
        rows += [
            [f"P{at:04}", unit, f"2022-03-{1 + at % 28:02}", "23:50", "23:55", "00:05", "01:10", "Traffic Stop"]
            for unit in ("M5", "E12")
        ]
    feed = tmp_path / "units.csv"
    feed.write_text(text(rows), encoding="utf-8")
    toml, found = through_guess(tmp_path, feed)
    assert 'row = "unit"' in toml
    assert (found["calls"], found["involvements"], found["refused"]) == (30, 60, [])


def test_a_step_that_nothing_is_said_about_yet_is_pointed_out(tmp_path: Path) -> None:
    """The rest of what is never read needs no question, whether something stands in it or not."""
    rows = [["call_id", "unit_id", "received", "arrived", "cleared", "call_type", "callback", "colour"]]
    rows += [
        [f"P{at:04}", "M5", f"2022-03-{1 + at % 28:02} 10:50", f"2022-03-{1 + at % 28:02} 11:02", "", "Stop", "", "red"]
        for at in range(30)
    ]
    feed = tmp_path / "blank.csv"
    feed.write_text(text(rows), encoding="utf-8")
    toml, found = through_guess(tmp_path, feed)
    assert (found["calls"], found["refused"]) == (30, [])
    asked = [line for line in toml.partition("dropped = [")[2].partition("]")[0].splitlines() if "#" in line]
    assert len(asked) == 1 and asked[0].startswith('    "cleared",  # ? blank in every row')


def test_columns_of_steps_that_hold_packed_units(tmp_path: Path) -> None:
    rows = [["Incident No", "Incident Date", "Incident Time", "Type", "Dispatched", "On Scene", "Cleared"]]
    for at in range(30):
        rows.append(
            [
                f"{at:05}",
                "01-Feb-22",
                "23:59",
                "Structure Fire",
                "E12=23:59:10|M5=23:59:20",
                "M5=00:04:00",
                "M5=01:00:00",
            ]
        )
    feed = tmp_path / "steps.csv"
    feed.write_text(text(rows), encoding="utf-8")
    _, found = through_guess(tmp_path, feed)
    assert (found["calls"], found["involvements"], found["refused"]) == (30, 60, [])


def test_one_packed_column_per_step_and_days_without_marks(tmp_path: Path) -> None:
    rows = [["Incident", "Run Dt", "Units Dispatched", "Units Arrived", "Units Cleared", "Incident Type"]]
    for at in range(24):
        sent = f"WAVE1={at:02}:50:10, M5={at:02}:51:10"
        there = f"M5={(at + 1) % 24:02}:05:00" if at % 2 else "NULL"
        gone = f"WAVE1={(at + 1) % 24:02}:06:00, M5={(at + 1) % 24:02}:59:00"
        rows.append([f"19-{at:04}", f"1902{1 + at:02}", sent, there, gone, "SURF RESCUE"])
    feed = tmp_path / "steps.csv"
    feed.write_text(text(rows), encoding="utf-8")
    toml, found = through_guess(tmp_path, feed, "--time-zone", "America/Los_Angeles")
    assert 'date_format = "%y%m%d"' in toml
    assert 'arrived = "Units Arrived"' in toml
    assert (found["calls"], found["involvements"], found["refused"]) == (24, 48, [])
    assert found["first"] == "2019-02-01T00:50:10-08:00"


def test_full_times_with_twenty_four_hundred(tmp_path: Path) -> None:
    rows = [["Inc #", "Alarm Date/Time", "Last Unit Cleared", "Responding Units (arrival)", "Nature of Call"]]
    rows += [
        [f"F{at:03}", f"03/{1 + at:02}/19 {'24:00' if at == 9 else '23:10'}", "00:40", "E12=23:20:10,M5=", "Odor"]
        for at in range(20)
    ]
    feed = tmp_path / "full.csv"
    feed.write_text(text(rows), encoding="utf-8")
    _, found = through_guess(tmp_path, feed, "--time-zone", "America/Los_Angeles")
    assert (found["calls"], found["involvements"], found["refused"]) == (20, 40, [])


def test_every_real_file_is_read(tmp_path: Path, shared_data: Path) -> None:
    for feed in sorted((shared_data / "cad" / "odd").iterdir()):
        _, found = through_guess(tmp_path, feed)
        assert (found["calls"] > 100, found["refused"]) == (True, []), feed.name
    drop = shared_data / "cad" / "san-luis-obispo" / "cad_export_20211007_233145.csv"
    toml, found = through_guess(tmp_path, drop)
    assert found["calls"] + found["repeats"] + found["updates"] == found["rows"]
    assert 'units = "units"' in toml


def test_the_proposal_is_what_load_profile_takes_and_the_test_names_nearest_types(tmp_path: Path) -> None:
    feed = tmp_path / "runs.csv"
    feed.write_text(text([HEADER, *fire_rows()]), encoding="utf-8")
    through_guess(tmp_path, feed)
    profile = load_profile(str(tmp_path / "profile.toml"))
    assert profile.canceled == ["Cancelled"]
    found = json.loads(run("profile", "test", str(tmp_path / "profile.toml"), str(feed), "--json"))
    assert list(found["nearest_types"]) == ["Zorbing"]
    assert len(found["nearest_types"]["Zorbing"]) == 3


def test_what_is_no_table_is_refused_in_words(tmp_path: Path) -> None:
    feed = tmp_path / "nothing.csv"
    feed.write_bytes(b"")
    with pytest.raises(WardwellError, match="empty"):
        run("profile", "guess", str(feed))
