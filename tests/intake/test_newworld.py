"""Promise: a New World call export is read whichever way its job writes the same call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from appliance.intake.profile.feed_profile import load_profile
from appliance.intake.read import child, mapping
from appliance.intake.read.opening import Source
from appliance.intake.records import NO_CODE, CallVersion, seconds

PROFILE = msgspec.structs.replace(load_profile("newworld-callexport"), time_zone="America/Chicago")
_SPACE = "http://www.newworldsystems.com/Aegis/CAD/Peripheral/CallExport/2011/02"
_NIL = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
CALL = f"""<CallExport xmlns="{_SPACE}" {_NIL}><CallId>7</CallId><CallNumber>2026-7</CallNumber>
<CallerName>Zebedee</CallerName><NatureOfCall>Medical Emergency</NatureOfCall>
<CreateDateTime>2026-02-01T08:15:00</CreateDateTime><CloseDateTime i:nil="true"/><ClosedFlag>false</ClosedFlag>
<AgencyContexts><AgencyContext><AgencyType>Fire</AgencyType><CallType>Lift Assist</CallType>
<CreatedDateTime>2026-02-01T08:15:00</CreatedDateTime></AgencyContext><AgencyContext><AgencyType>Police</AgencyType>
<CallType>Cardiac Arrest</CallType></AgencyContext></AgencyContexts><Dispositions i:nil="true"/><AssignedUnits>
<Unit><UnitNumber>E12</UnitNumber><IsPrimary>true</IsPrimary><AssignedDateTime>2026-02-01T08:16:00</AssignedDateTime>
<ArriveDateTime>2026-02-01T08:20:00</ArriveDateTime><ClearDateTime>2026-02-01T09:45:00</ClearDateTime><Personnel>
<UnitPersonnel><IDNumber>FF-001</IDNumber><ShieldNumber>1234</ShieldNumber></UnitPersonnel>
<UnitPersonnel><IDNumber i:nil="true"/><ShieldNumber>1235</ShieldNumber></UnitPersonnel></Personnel></Unit>
<Unit><UnitNumber>M5</UnitNumber><ArriveDateTime i:nil="true"/><UnitLogs>
<UnitLog><DateTime>2026-02-01T08:17:00</DateTime><Status>En Route</Status></UnitLog>
<UnitLog><DateTime>2026-02-01T08:22:00</DateTime><Status>On-Scene</Status></UnitLog></UnitLogs></Unit>
<Unit><UnitNumber>T3</UnitNumber><CanceledFlag>true</CanceledFlag>
<DispatchDateTime>2026-02-01T08:16:00</DispatchDateTime></Unit></AssignedUnits></CallExport>"""


def read(folder: Path, raw: bytes) -> list[CallVersion]:
    path = folder / "call.xml"
    path.write_bytes(raw)
    with Source(path) as source:
        return [one for one in child.versions(source, path, PROFILE) if isinstance(one, CallVersion)]


def said(call: CallVersion) -> tuple[object, ...]:
    """What a call says, without the time of its version."""
    return call.number, call.received, call.type, call.observed, call.canceled, call.units


def _prefixed(text: str) -> str:
    return text.replace("</", "</n:").replace("<", "<n:").replace("<n:/n:", "</n:").replace("xmlns=", "xmlns:n=")


VARIANTS: dict[str, Callable[[str], bytes]] = {
    "the other root": lambda text: text.replace("CallExport>", "Call>").replace("<CallExport ", "<Call ").encode(),
    "under a root of several": lambda text: f"<Calls>{text}</Calls>".encode(),
    "in a service's envelope": lambda text: (
        f"<s:Envelope xmlns:s='urn:s'><s:Body>{text}</s:Body></s:Envelope>".encode()
    ),
    "prefixed names": lambda text: _prefixed(text).encode(),
    "another version of the namespace": lambda text: text.replace("2011/02", "2016/08").encode(),
    "UTF-8 with a byte-order mark": lambda text: ("\ufeff<?xml version='1.0' encoding='utf-8'?>" + text).encode(),
    "UTF-16": lambda text: ("<?xml version='1.0' encoding='utf-16'?>" + text).encode("utf-16"),
    "CP-1252": lambda text: ("<?xml version='1.0' encoding='windows-1252'?>" + text).encode("cp1252"),
    "offsets": lambda text: text.replace(":00</", ":00-06:00</").encode(),
    "UTC": lambda text: text.replace("T08:", "T14:").replace("T09:", "T15:").replace(":00</", ":00Z</").encode(),
    "fractions of seven digits": lambda text: text.replace(":00</", ":00.0000000-06:00</").encode(),
    "elements of other names between": lambda text: text.replace("<CallId>", "<Extra><A/></Extra><CallId>").encode(),
    "no number but an id": lambda text: (
        text.replace("<CallNumber>2026-7</CallNumber>", "").replace("<CallId>7<", "<CallId>2026-7<").encode()
    ),
    "only a context says when": lambda text: text.replace(
        "<CreateDateTime>2026-02-01T08:15:00</CreateDateTime>", '<CreateDateTime i:nil="true"/>'
    ).encode(),
}


def test_the_call_itself(tmp_path: Path) -> None:
    (call,) = read(tmp_path, CALL.encode())
    assert (call.number, call.type, call.observed) == ("2026-7", "Medical Emergency", "Cardiac Arrest")
    assert call.received == seconds(datetime(2026, 2, 1, 14, 15, tzinfo=UTC))
    assert [(unit.unit, unit.arrived, unit.people) for unit in call.units] == [
        ("E12", True, ["FF-001", "1235"]),
        ("M5", True, []),
        ("T3", False, []),
    ]
    assert call.units[1].start == seconds(datetime(2026, 2, 1, 14, 22, tzinfo=UTC))


@pytest.mark.parametrize("name", VARIANTS)
def test_the_same_call_written_otherwise(tmp_path: Path, name: str) -> None:
    (plain,) = read(tmp_path, CALL.encode())
    (found,) = read(tmp_path, VARIANTS[name](CALL))
    assert said(found) == said(plain)


def test_a_unit_without_a_number_keeps_its_crew(tmp_path: Path) -> None:
    (call,) = read(tmp_path, CALL.replace("<UnitNumber>E12</UnitNumber>", '<UnitNumber i:nil="true"/>').encode())
    assert (call.units[0].unit, call.units[0].people) == (NO_CODE, ["FF-001", "1235"])


def test_every_real_file_is_read_as_both_roots(tmp_path: Path, shared_data: Path) -> None:
    files = sorted((shared_data / "cad" / "newworld").glob("*.xml"))
    assert files
    for file in files:
        raw = file.read_bytes()
        (plain,) = read(tmp_path, raw)
        (other,) = read(tmp_path, raw.replace(b"CallExport>", b"Call>").replace(b"<CallExport ", b"<Call "))
        assert said(plain) == said(other), file.name


def _in_autumn(received: str, assigned: str, number: str = "2026-7") -> str:
    """The call on the night on which Chicago's clocks show the hour from 01:00 twice, from 06:00 UTC and from 07:00."""
    text = CALL.replace("2026-02-01T08:15:00", f"2026-11-01T{received}").replace("2026-02-01T08:16:00", assigned)
    return text.replace("2026-02-01T", "2026-11-01T").replace("2026-7<", f"{number}<")


def test_the_hour_that_happens_twice_is_settled_by_the_call_and_its_neighbours_or_counted(tmp_path: Path) -> None:
    def times(*calls: str) -> tuple[list[tuple[int, int]], int]:
        path, notes = tmp_path / "call.xml", mapping.Notes()
        path.write_text(f"<Calls>{''.join(calls)}</Calls>")
        with Source(path) as source:
            found = [one for one in child.versions(source, path, PROFILE, notes) if isinstance(one, CallVersion)]
        return [(one.received, one.units[2].start) for one in found], notes.flagged

    def at(clock: str) -> int:
        return seconds(datetime.fromisoformat(f"2026-11-01T{clock}:00+00:00"))

    # A unit cannot be sent before the call: its 01:10 is the second one. Which 01:50 the call's is, nobody can tell.
    assert times(_in_autumn("01:50:00", "2026-11-01T01:10:00")) == ([(at("06:50"), at("07:10"))], 1)
    # After another call of the file it is plain: the second of both.
    before = _in_autumn("00:40:00", "2026-11-01T00:41:00", "2026-6")
    between = _in_autumn("01:50:00", "2026-11-01T01:51:00", "2026-8")
    after = _in_autumn("01:05:00", "2026-11-01T01:06:00", "2026-9")
    settled = [(at("05:40"), at("05:41")), (at("06:50"), at("06:51")), (at("07:05"), at("07:06"))]
    assert times(before, between, after) == (settled, 0)
    # Controls: an offset of its own, and any other night, leave nothing to count.
    own = _in_autumn("01:50:00-06:00", "2026-11-01T01:55:00-06:00")
    assert times(own) == ([(at("07:50"), at("07:55"))], 0)
    assert times(CALL)[1] == 0
