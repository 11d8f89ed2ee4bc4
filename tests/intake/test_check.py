"""Promise: a dry run accounts for every row of a feed, and never shows what stands in a free-text cell."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance.intake.commands import intake
from tests.intake.support import ADDRESS, CALLER, HEADER, NARRATIVE, feed, file, row

NAME = "cad_export_20261014_233100.csv"


def check(*paths: Path, roster: Path | None = None, profile: str = "san-luis-obispo") -> dict[str, Any]:
    arguments = ["check", *map(str, paths), "--profile", profile, "--json"]
    result = CliRunner().invoke(intake, arguments + (["--roster", str(roster)] if roster else []))
    assert result.exit_code == 0, result.output
    for word in (NARRATIVE, ADDRESS, CALLER):
        assert word not in result.output
    answer: dict[str, Any] = json.loads(result.output)
    return answer


def balanced(found: dict[str, Any]) -> bool:
    rows: int = found["rows"]
    accounted: int = found["calls"] + found["updates"] + found["repeats"] + len(found["refused"])
    return rows == accounted


def test_the_real_drops_are_accounted_for_row_by_row(shared_data: Path) -> None:
    found = check(shared_data / "cad" / "san-luis-obispo", roster=shared_data / "cad" / "roster.csv")
    assert balanced(found)
    assert (found["files"], found["rows"], found["calls"]) == (27, 5252, 5109)
    assert (found["updates"], found["repeats"]) == (3, 138)
    assert [(one["line"], one["reason"]) for one in found["refused"]] == [(2, "header repeated")] * 2
    assert found["first"] == "2021-09-14T07:08:00-07:00"
    assert found["unmapped_units"]["S5"] == 52
    assert found["involvements"] == 7601
    # A page footer of the export job stands in one cell of a type: counted, not shown.
    assert found["unmapped_types"] == {"": 50, "(not a code)": 1}


def test_the_order_of_the_files_does_not_matter(shared_data: Path) -> None:
    files = sorted((shared_data / "cad" / "san-luis-obispo").iterdir())[:6]
    roster = shared_data / "cad" / "roster.csv"
    forward, backward = check(*files, roster=roster), check(*reversed(files), roster=roster)
    for key in ("calls", "involvements", "unmapped_units", "first", "last"):
        assert forward[key] == backward[key]


def test_a_changed_row_is_an_update_and_the_same_row_a_repeat(tmp_path: Path) -> None:
    first = file(tmp_path, "cad_export_20261014_233100.csv", row("1", arrived=""), row("2"))
    second = file(tmp_path, "cad_export_20261015_233100.csv", row("1"), row("2"), row("3"))
    found = check(first, second)
    assert (found["calls"], found["updates"], found["repeats"]) == (3, 1, 1)
    # The older version arriving last changes nothing.
    found = check(second, first)
    assert (found["calls"], found["updates"], found["repeats"]) == (3, 0, 2)


def test_a_time_past_midnight_belongs_to_the_next_day(tmp_path: Path) -> None:
    late = row("1", arrived="00:05").replace(",10:01,10:03,", ",23:58,23:59,")
    assert check(file(tmp_path, NAME, late))["last"] == "2026-10-14T23:58:00-07:00"


@pytest.mark.parametrize(
    ("raw", "line", "column", "word"),
    [
        (feed(row("1"), "a,b,c"), 3, "dispatched", "cells instead of"),
        (feed(row("1"), row("2") + ",x"), 3, "column 17", "cells instead of"),
        (
            feed(row("1").replace(NARRATIVE, f'"{NARRATIVE}\nmore\r\nmore"'), row("2", arrived="9")),
            5,
            "arrived",
            "impos",
        ),
        (feed(row("1"), row("2")).replace(b"42", b"\xe9", 2), 2, "units", "not utf-8"),
        (feed(row("1"), row("2", arrived="25:99")), 3, "arrived", "impossible time"),
        (feed(row("1"), row("2", day="13/45/26")), 3, "date", "impossible date"),
        (feed(row("1"), row("")), 3, "case_number", "no call number"),
        ((HEADER + ",officer_ssn\r\n").encode(), 1, "officer_ssn", "unknown column"),
        ((HEADER + ",complaint_status\r\n").encode(), 1, "complaint_status", "about conduct"),
        ((HEADER + ",type\r\n").encode(), 1, "type", "same name"),
        (feed(row("1")).replace(b"units", b"unit"), 1, "unit", "unknown column"),
        (feed(row("1")) + b"\xff\xfe", 3, "case_number", "not utf-8"),
        (feed(row("1")) + b"2,10/14/26,\0", 3, "received", "zero bytes"),
        (feed(row("1")).decode().encode("utf-16"), 1, "", "UTF-16"),
        (feed(row("1"), '2,"open quote'), 3, "date", "quotation marks"),
    ],
)
def test_bad_input_names_file_line_and_column_and_takes_nothing(
    tmp_path: Path, raw: bytes, line: int, column: str, word: str
) -> None:
    path = tmp_path / NAME
    path.write_bytes(raw)
    found = check(path)
    assert found["calls"] == 0
    assert balanced(found)
    first = next(one for one in found["refused"] if word in one["reason"])
    assert (first["file"], first["line"], first["column"]) == (NAME, line, column)


def test_links_pipes_and_odd_names_are_refused(tmp_path: Path) -> None:
    good = file(tmp_path, NAME, row("1"))
    (tmp_path / "link.csv").symlink_to(good)
    os.mkfifo(tmp_path / "pipe.csv")
    file(tmp_path, "bad\x07name.csv", row("2"))
    file(tmp_path, "unfinished.csv.part", row("3"))
    found = check(tmp_path)
    assert found["calls"] == 1
    assert {one["file"]: one["reason"] for one in found["refused"]} == {
        "link.csv": "a symbolic link",
        "pipe.csv": "not an ordinary file",
        "bad?name.csv": "a name with hidden or control characters",
    }


def test_other_encodings_and_layouts_are_refused_by_name_not_misread(shared_data: Path) -> None:
    found = check(*sorted((shared_data / "cad" / "odd").iterdir()))
    assert found["calls"] == 0
    assert len(found["refused"]) == 5


def test_new_world_files_are_read_with_their_units_and_crews(shared_data: Path, tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("employee_number,name,call_sign,unit,division\nFF-001,Fire Q,X1,A,B\n")
    found = check(
        *sorted((shared_data / "cad" / "newworld").glob("*.xml")), roster=roster, profile="newworld-callexport"
    )
    assert (found["calls"], found["involvements"], found["refused"]) == (4, 1, [])


def test_an_entity_in_xml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "call.xml"
    path.write_text('<!DOCTYPE x [<!ENTITY a "b">]><CallExport><CallNumber>&a;</CallNumber></CallExport>')
    found = check(path, profile="newworld-callexport")
    assert "document type" in found["refused"][0]["reason"]


def test_an_unknown_profile_says_which_there_are(tmp_path: Path) -> None:
    result = CliRunner().invoke(intake, ["check", str(tmp_path), "--profile", "nope"])
    assert "san-luis-obispo" in str(result.exception)
