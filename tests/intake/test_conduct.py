"""Promise: what smells of discipline, complaints, internal affairs, performance or use of force is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.intake.profile.feed_profile import Profile, about_conduct, load_profile
from appliance.intake.read import child
from appliance.intake.read.formats.tables import Unusable
from appliance.intake.read.opening import Source
from tests.intake.layouts import LAYOUTS, NAMES, Layout, profile

CONDUCT = (
    *("DisciplineCode", "disc_action", "COMPLAINT_NO", "Cmplnt #", "cmplId", "IA_CASE", "iaCase", "IAD Num", "IAProNo"),
    *("InternalAffairs", "internal-affairs", "int_affairs", "ProfStandards", "PSB number", "Perf_Rating", "EvalScore"),
    *(
        "performanceScore",
        "UOF",
        "uofFlag",
        "UOFReport",
        "useofforce",
        "Use_Of_Force_Finding",
        "ForceUsed",
        "FORCE_TYPE",
    ),
    *("ResistanceReport", "Sustained", "NotSustained", "finding", "Exonerated", "allegations", "EIS_flag", "BradyList"),
    *("early_warning", "officerConduct", "AdminLeave", "Commendation", "fitness_for_duty", "Reprimand", "CCRB_no"),
)
PLAIN = (
    *("call_type", "Complainant", "media_id", "via", "INITIAL_TYPE", "taskForce", "workforce", "Enforcement"),
    *("CreateDateTime", "IsPrimary", "AlarmLevel", "dispatcher", "partial", "special", "disposition", "discovered"),
)


@pytest.mark.parametrize("name", CONDUCT)
def test_names_about_conduct(name: str) -> None:
    assert about_conduct(name)


@pytest.mark.parametrize("name", PLAIN)
def test_names_about_something_else(name: str) -> None:
    """Control."""
    assert not about_conduct(name)


def reason(folder: Path, raw: bytes, by: Profile) -> str:
    path = folder / "calls.dat"
    path.write_bytes(raw)
    try:
        with Source(path) as source:
            list(child.versions(source, path, by))
    except Unusable as problem:
        return problem.reason
    return ""


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_every_table_format_refuses_such_a_column_and_takes_the_file_once_it_is_dropped(
    tmp_path: Path, layout: Layout
) -> None:
    cells = ["21-1", "2026-10-14 10:01", "Suicide", "4201", "", ""]
    fields = {"time_format": "%Y-%m-%d %H:%M", **layout.fields}
    raw = layout.write([*NAMES, "iaCase"], [[*cells, "77"]])
    assert "about conduct" in reason(tmp_path, raw, profile(NAMES, **fields))
    dropped = [*fields.pop("dropped", []), "iaCase"]  # type: ignore[misc]
    assert reason(tmp_path, raw, profile(NAMES, **fields, dropped=dropped)) == ""


_XML = '<CallExport xmlns="http://www.newworldsystems.com/Aegis/CAD/Peripheral/CallExport/2011/02"><CallNumber>1</CallNumber>'
_XML += "<CreateDateTime>2026-10-14T10:00:00</CreateDateTime>{0}</CallExport>"
_EIDO = '{{"$id":"ei1","lastUpdateTimeStamp":"2026-10-14T10:00:00-07:00"{0}}}'


@pytest.mark.parametrize(
    ("name", "write", "more"),
    [
        ("newworld-callexport", _XML.format, "<Unit><UOFReport>x</UOFReport></Unit>"),
        ("newworld-callexport", _XML.format, '<Unit iaCase="x"/>'),
        ("eido", _EIDO.format, ',"notesComponent":[{"IA_CASE":1}]'),
    ],
)
def test_documents_refuse_such_a_name_anywhere(
    tmp_path: Path, name: str, write: Callable[[str], str], more: str
) -> None:
    assert "about conduct" in reason(tmp_path, write(more).encode(), load_profile(name))
    assert reason(tmp_path, write("").encode(), load_profile(name)) == ""
