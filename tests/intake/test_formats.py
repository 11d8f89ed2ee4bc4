"""Promise: the same calls come out of every layout, packed or not, and views that add to each other make one call."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from appliance.intake.dry_run.account import check
from appliance.intake.models import Involvement
from appliance.intake.profile.feed_profile import Columns, Profile, load_profile
from appliance.intake.read import child
from appliance.intake.read.matching import joined
from appliance.intake.read.opening import Source
from appliance.intake.records import CallVersion, Person
from appliance.intake.settle import take
from appliance.storage import Store
from tests.intake.support import ADDRESS, CALLER, NARRATIVE, feed, row
from tests.intake.test_check import NAME
from tests.intake.test_take import facts

PROFILE = load_profile("san-luis-obispo")
ROWS = [row("1", units="4201,4202"), row("2", units="4203", kind="Suicide"), row("3", arrived="")]


def _records() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(feed(*ROWS).decode(), newline="")))


def _workbook(records: list[dict[str, str]]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet
    sheet.append(list(records[0]))
    for record in records:
        sheet.append([value.strip() for value in record.values()])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _with_semicolons(raw: bytes) -> bytes:
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=";").writerows(csv.reader(io.StringIO(raw.decode(), newline="")))
    return target.getvalue().encode()


def _zipped(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.csv", content)
    return target.getvalue()


LAYOUTS: dict[str, tuple[dict[str, Any], bytes]] = {
    "utf-8": ({}, feed(*ROWS)),
    "utf-16 detected": ({"encoding": "detect"}, feed(*ROWS).decode().encode("utf-16")),
    "semicolons detected": (
        {"delimiter": "detect", "unit_separator": ","},
        _with_semicolons(feed(*ROWS)),
    ),
    "gzip": ({}, gzip.compress(feed(*ROWS))),
    "zip of two": ({}, _zipped(first=feed(*ROWS[:1]), second=feed(*ROWS[1:]))),
    "json-lines": ({"format": "json-lines"}, "\n".join(map(json.dumps, _records())).encode()),
    "json-array": ({"format": "json-array"}, json.dumps(_records()).encode()),
    "workbook": ({"format": "xlsx"}, _workbook(_records())),
}


def _parsed(profile: Profile, path: Path) -> list[CallVersion]:
    with Source(path) as source:
        found = list(child.versions(source, path, profile))
    for marker in (NARRATIVE, CALLER, ADDRESS):
        assert marker.encode() not in msgspec.json.encode(found)
    calls = [one for one in found if isinstance(one, CallVersion)]
    assert calls == found
    return [msgspec.structs.replace(call, line=0) for call in calls]


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_the_same_calls(tmp_path: Path, name: str) -> None:
    changes, content = LAYOUTS[name]
    plain, path = tmp_path / "plain" / NAME, tmp_path / "other" / NAME
    for one, raw in ((plain, feed(*ROWS)), (path, content)):
        one.parent.mkdir()
        one.write_bytes(raw)
    expected = _parsed(PROFILE, plain)
    assert [call.number for call in expected] == ["1", "2", "3"]
    assert _parsed(msgspec.structs.replace(PROFILE, **changes), path) == expected


UNIT_ROWS = msgspec.structs.replace(
    PROFILE,
    row="unit",
    time_format="%H:%M",
    dropped=[],
    columns=Columns(
        number="call", received="rung", type="kind", units="unit", date="day", arrived="there", cleared="clear"
    ),
)
UNIT_HEADER = "call,day,rung,kind,unit,there,clear\n"


def _times(store: Store) -> dict[str, tuple[str, str, str]]:
    with store.read() as session:
        return {
            one.person_id: (one.role, f"{one.start:%H:%M}", f"{one.end:%H:%M}" if one.end else "")
            for one in session.scalars(select(Involvement))
        }


def test_a_row_per_unit_makes_one_call_of_all_its_units(intake: Store, tmp_path: Path) -> None:
    path = tmp_path / NAME
    rows = [
        "9,10/14/26,10:00,Suicide,4201,10:05,11:00",
        "9,10/14/26,10:00,Suicide,4202,10:09,",
        "8,10/14/26,09:00,Theft,4203,,",
    ]
    path.write_text(UNIT_HEADER + "\n".join(rows) + "\n")
    ((_, account),) = check([path], UNIT_ROWS, [])
    assert take.take_files(intake, "cad", UNIT_ROWS, [path], keep=True).taken == 1
    assert _times(intake) == {
        "E0001": ("responding", "17:05", "18:00"),
        "E0002": ("responding", "17:09", ""),
        "E0003": ("assigned", "16:00", ""),
    }
    assert [number for number, *_ in facts(intake)[0]] == ["8", "9"]
    # The dry run says the same: three rows, two calls, one of them told twice.
    assert (account.rows, account.updates, account.result()["calls"]) == (3, 1, 2)
    # The control: read as a row per call, the second row replaces the first unit.
    ((_, account),) = check([path], msgspec.structs.replace(UNIT_ROWS, row="call"), [])
    assert account.result()["unmapped_units"] == {"4202": 1, "4203": 1}


def test_an_older_view_that_arrives_late_still_adds_its_units(intake: Store, tmp_path: Path) -> None:
    late, early = tmp_path / "cad_export_20261014_220000.csv", tmp_path / "cad_export_20261014_110000.csv"
    late.write_text(UNIT_HEADER + "9,10/14/26,10:00,Suicide,4201,,11:00\n")
    early.write_text(UNIT_HEADER + "9,10/14/26,10:00,Theft,4201,10:05,\n9,10/14/26,10:00,Theft,4202,10:06,\n")
    for path in (late, early, early):
        take.take_files(intake, "cad", UNIT_ROWS, [path], keep=True)
    assert _times(intake) == {"E0001": ("responding", "17:05", "18:00"), "E0002": ("responding", "17:06", "")}
    # What it was found to be stays what the newest view says.
    ((_, _, kind, _),) = facts(intake)[0]
    assert kind == "suicide"


def test_views_join_in_either_order() -> None:
    sent: Person = ("E1", "4201", "assigned", 1, None)
    there: Person = ("E1", "4201", "responding", 5, None)
    gone: Person = ("E1", "4201", "assigned", 30, 30)
    whole: list[Person] = [("E1", "4201", "responding", 5, 30)]
    for order in ([sent, there, gone], [gone, there, sent], [there, gone, sent]):
        found = [order[0]]
        for one in order[1:]:
            found, _ = joined(found, [one])
        assert found == whole
    assert joined(whole, [there]) == (whole, False)


def test_the_sample_eido_is_taken(shared_data: Path) -> None:
    (call,) = _parsed(load_profile("eido"), shared_data / "cad/eido/sample_call_transfer_eido.json")
    assert call.adds


def test_generic_tables_say_their_own_days_and_offsets(intake: Store, tmp_path: Path) -> None:
    header = "call_number;received;dispatched;arrived;cleared;type;disposition;unit\n"
    path = tmp_path / "calls.csv"
    path.write_text(
        header
        + "7;2026-10-14T23:50:00;;2026-10-15T00:10:00;2026-10-15T01:00:00;Suicide;;4201\n"
        + "7;2026-10-15T06:50:00Z;;2026-10-15T03:15:00-04:00;;Suicide;;4202\n"
    )
    assert take.take_files(intake, "cad", load_profile("generic-unit-rows"), [path], keep=True).taken == 1
    assert _times(intake) == {"E0001": ("responding", "07:10", "08:00"), "E0002": ("responding", "07:15", "")}
    path.write_text(header + "8;14/10/2026;;;;Suicide;;4201\n")
    (refused,) = take.take_files(intake, "cad", load_profile("generic-unit-rows"), [path], keep=True).refused
    assert (refused.column, refused.reason) == ("received", "impossible time")
