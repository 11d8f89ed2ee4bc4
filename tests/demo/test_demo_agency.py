"""The demonstration agency and its CAD exports: real in shape, the same every time, and marked in every free text."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from appliance.charter import load_charter
from appliance.errors import WardwellError
from tests.demonstration import agency as agencies
from tests.demonstration import cad_csv, cad_xml, calls
from tests.demonstration.agency import Agency

DAY = date(2026, 10, 14)


@pytest.fixture(scope="module")
def agency() -> Agency:
    return agencies.generate()


def test_240_people_the_same_every_time(agency: Agency) -> None:
    assert len(agency.people) == 240
    assert agencies.generate() == agency
    for attribute in ("number", "name", "roster_name"):
        assert len({getattr(person, attribute) for person in agency.people}) == 240
    signs = [person.call_sign for person in agency.people if person.call_sign]
    assert len(signs) == len(set(signs))


def test_some_units_are_below_the_floor_and_some_above(agency: Agency) -> None:
    floor = load_charter().constants.floor
    sizes = Counter(person.unit for person in agency.people)
    assert min(sizes.values()) < floor <= max(sizes.values())


def test_one_person_per_role_and_no_supervisor_coordinates(agency: Agency) -> None:
    assert set(agency.roles) == set(agencies.ROLES) == set(load_charter().roles) - {"anyone"}
    assert agency.roles["coordinator"].duties == ""
    assert agency.roles["command"].duties == "supervisor"  # the control: duties are there to be refused
    assert agency.roles["clinician"] not in agency.people and agency.roles["trustee"] not in agency.people


def test_a_given_roster_is_used_and_completed(tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text(
        'employee_number,name,call_sign,unit,division\nE1,"Carver, V",4203,Watch A,Patrol\nE2,"Vale, H",4205,W,P\n'
    )
    made = agencies.from_roster(roster)
    assert made.roles["officer"].number == "E1"
    assert made.roles["officer"].name == "vcarver"
    assert set(made.roles) == set(agencies.ROLES)
    written = tmp_path / "again.csv"
    agencies.write_roster(made, written)
    assert len(agencies.from_roster(written).people) >= len(made.people)


def test_a_roster_without_its_columns_is_refused(tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("name,unit\nA,B\nC,D\n")
    with pytest.raises(WardwellError, match="columns"):
        agencies.from_roster(roster)


def test_the_call_csv_has_the_layout_and_the_quirks(agency: Agency) -> None:
    content = cad_csv.daily_file(agency, DAY, header_again=True)
    assert content.endswith(b"\r\n")
    lines = list(csv.reader(io.StringIO(content.decode(), newline="")))
    assert lines[0] == lines[1] == cad_csv.COLUMNS
    rows = [dict(zip(cad_csv.COLUMNS, line, strict=True)) for line in lines[2:]]
    assert {row["date"] for row in rows} == {"10/13/26", "10/14/26"}
    assert all(row["units"].endswith("\r") and row["cleared"] == "" for row in rows)
    assert any("," in row["units"] for row in rows)
    signs = {person.call_sign for person in agency.people}
    assert all(set(row["units"].rstrip("\r").split(",")) <= signs for row in rows)


def test_the_next_file_repeats_the_early_rows_and_completes_some(agency: Agency) -> None:
    def by_number(day: date) -> dict[str, list[str]]:
        text = cad_csv.daily_file(agency, day).decode()
        return {line[0]: line for line in csv.reader(io.StringIO(text, newline=""))}

    first, second = by_number(DAY), by_number(DAY + timedelta(days=1))
    shared = (set(first) & set(second)) - {"case_number"}
    assert shared
    same = {number for number in shared if first[number] == second[number]}
    assert same and same != shared


def test_free_text_carries_its_markers_and_nothing_else_does(agency: Agency) -> None:
    markers = (calls.NARRATIVE, calls.ADDRESS, calls.CALLER)
    for text in (
        cad_csv.daily_file(agency, DAY).decode(),
        cad_xml.render(calls.day_of_calls(agency, DAY)[0], "Disturbance", closed=True).decode(),
    ):
        assert all(marker in text for marker in markers)
    sample = calls.day_of_calls(agency, DAY)[0]
    assert not any(marker in sample.kind + sample.number + sample.grid for marker in markers)


def test_heavy_calls_are_rare_but_there(agency: Agency) -> None:
    month = [call for back in range(30) for call in calls.day_of_calls(agency, DAY - timedelta(days=back))]
    share = sum(call.kind in calls.HEAVY for call in month) / len(month)
    assert 0.02 < share < 0.12
    assert {call.kind for call in month} >= set(calls.HEAVY) - {"COLL EXTRICATIO", "Fire Structure"}


def test_a_call_is_exported_in_versions(agency: Agency, tmp_path: Path) -> None:
    count = cad_xml.write_history(agency, tmp_path, DAY, 20)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert len(files) == count
    assert all(name.endswith(".xml") for name in files)
    assert len({name.rsplit("_", 1)[0] for name in files}) * 2 == count


def test_the_critical_incident_has_the_officer_and_not_the_peer(agency: Agency) -> None:
    call = calls.critical_call(agency, datetime(2026, 10, 14, 3, 10), 901, "CHILD DEATH")
    assert call.primary == agency.roles["officer"]
    assert agency.roles["peer"] not in call.units
    assert len(call.units) == 6
