"""Promise: a unit's crew is the feed's own, else the unit log's at that time, else the roster's, else counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import delete, func, select

from appliance.intake.deliver import contributions
from appliance.intake.models import Call, Outbox, Part, UnitShift
from appliance.intake.profile.feed_profile import load_profile
from appliance.intake.settle.crews import Crews
from appliance.intake.settle.take import take_files
from appliance.spool import delivery
from appliance.storage import Store
from tests.intake.crews_support import (
    LOG,
    UNIT_HEADER,
    UNITS,
    call,
    keep_log,
    people,
    present,
    stamped,
    take_calls,
    take_log,
)
from tests.intake.support import roster
from tests.intake.test_contributions import CHARTER, ZONE, deliveries, enroll
from tests.intake.test_take import messages

DAY = "2026-10-14T"


@pytest.fixture
def intake(store_of: Callable[[str], Store]) -> Store:
    store = store_of("intake")
    roster(store)
    keep_log(store)
    return store


def receipt(store: Store) -> dict[str, Any]:
    return [one for one in messages(store) if one["message"] == "FileReceipt"][-1]


def test_the_log_comes_before_the_roster_and_the_roster_before_nobody(intake: Store, tmp_path: Path) -> None:
    take_log(intake, tmp_path, 1, f"4201,E0005,{DAY}06:00,{DAY}18:00", f"K9,E0006,{DAY}06:00,{DAY}18:00")
    calls = call("1", f"{DAY}10:00", "4201,4202,K9,X1"), call("2", f"{DAY}19:00", "4201,4202,K9,X1")
    take_calls(intake, tmp_path, 1, *calls)
    assert people(intake, "1") == ["E0002", "E0005", "E0006"]
    assert people(intake, "2") == ["E0001", "E0002"]
    assert receipt(intake)["unmapped_units"] == {"X1": 2, "K9": 1}


def test_the_feeds_own_personnel_come_before_the_log(intake: Store, tmp_path: Path) -> None:
    crew = "<Personnel><UnitPersonnel><IDNumber>{}</IDNumber></UnitPersonnel></Personnel>"
    unit = "<Unit><UnitNumber>{}</UnitNumber><ArriveDateTime>2026-10-14T10:00:00</ArriveDateTime>{}</Unit>"
    units = (
        unit.format("4201", crew.format("E0003")),
        unit.format("4202", crew.format("STRANGER")),
        unit.format("K9", ""),
    )
    (tmp_path / "call.xml").write_text(
        '<CallExport xmlns="http://www.newworldsystems.com/Aegis/CAD/Peripheral/CallExport/2011/02">'
        "<CallNumber>1</CallNumber><CreateDateTime>2026-10-14T09:55:00</CreateDateTime><NatureOfCall>Suicide"
        f"</NatureOfCall><AssignedUnits>{''.join(units)}</AssignedUnits></CallExport>"
    )
    profile = msgspec.structs.replace(load_profile("newworld-callexport"), time_zone="America/Los_Angeles")
    assert take_files(intake, "cad", profile, [tmp_path / "call.xml"], keep=True).taken == 1
    assert people(intake, "1") == ["E0002", "E0003"]
    take_log(
        intake,
        tmp_path,
        1,
        *(f"{unit},E000{5 + n},{DAY}06:00,{DAY}18:00" for n, unit in enumerate(("4201", "4202", "K9"))),
    )
    assert people(intake, "1") == ["E0003", "E0006", "E0007"]


def test_a_log_that_comes_late_matches_anew_and_says_how_many(intake: Store, tmp_path: Path) -> None:
    take_calls(intake, tmp_path, 1, call("1", f"{DAY}10:00", "K9"), call("2", f"{DAY}11:00", "4201"))
    take_calls(intake, tmp_path, 2, call("3", f"{DAY}20:00", "K9"))
    assert (people(intake, "1"), people(intake, "2")) == ([], ["E0001"])
    log = f"K9,E0006,{DAY}06:00,{DAY}18:00", f"4201,E0007,{DAY}06:00,{DAY}18:00"
    assert take_log(intake, tmp_path, 1, *log).taken == 1
    assert [people(intake, one) for one in "123"] == [["E0006"], ["E0007"], []]
    assert "2 calls taken before were matched to other people." in receipt(intake)["chosen"]
    # Again, as another file: nothing is other than before.
    take_log(intake, tmp_path, 2, *reversed(log))
    assert "0 calls taken before were matched to other people." in receipt(intake)["chosen"]
    assert "2 shifts read, 2 of them known before." in receipt(intake)["chosen"]


def test_a_unit_of_two_and_overlapping_shifts_and_the_minute_of_the_hand_over(intake: Store, tmp_path: Path) -> None:
    take_log(
        intake,
        tmp_path,
        1,
        f"K9,E0005,{DAY}06:00,{DAY}14:00",
        f"K9,E0006,{DAY}06:00,{DAY}14:15",
        f"K9,E0007,{DAY}14:00,{DAY}22:00",
    )
    times = {"a": "05:59", "b": "06:00", "c": "13:59", "d": "14:00", "e": "14:15", "f": "22:00"}
    take_calls(intake, tmp_path, 1, *(call(number, DAY + at, "K9") for number, at in times.items()))
    found = {number: people(intake, number) for number in times}
    two, over = ["E0005", "E0006"], ["E0006", "E0007"]
    assert found == {"a": [], "b": two, "c": two, "d": over, "e": ["E0007"], "f": []}


def test_whoever_was_there_when_the_unit_came_stays_until_it_clears(intake: Store, tmp_path: Path) -> None:
    take_log(intake, tmp_path, 1, f"K9,E0005,{DAY}06:00,{DAY}14:00", f"K9,E0006,{DAY}14:00,{DAY}22:00")
    take_calls(intake, tmp_path, 1, call("1", f"{DAY}13:50", "K9", cleared=f"{DAY}15:00"))
    assert people(intake, "1") == ["E0005"]


CLOCK = msgspec.structs.replace(
    LOG,
    columns=msgspec.structs.replace(LOG.columns, date="day"),
    date_format="%m/%d/%y",
    time_format="clock",
)


def log_by_clock(store: Store, folder: Path, *rows: str) -> list[tuple[str, str]]:
    """Begin and end, UTC, of shifts written with day and times of day."""
    path = stamped(folder, "log", 1, "day,unit,employee_number,on,off", list(rows))
    assert take_files(store, "log", CLOCK, [path], keep=True).taken == 1
    with store.read() as session:
        query = select(UnitShift.start, UnitShift.end).order_by(UnitShift.start)
        return [(f"{row[0]:%d %H:%M}", f"{row[1]:%d %H:%M}") for row in session.execute(query)]


def test_a_shift_past_midnight_and_one_around_the_clock(intake: Store, tmp_path: Path) -> None:
    found = log_by_clock(intake, tmp_path, "10/14/26,K9,E0005,22:00,06:00", "10/14/26,K8,E0006,07:00,0700")
    assert found == [("14 14:00", "15 14:00"), ("15 05:00", "15 13:00")]


def test_the_night_on_which_an_hour_comes_twice(intake: Store, tmp_path: Path) -> None:
    # 2026-11-01: 2:00 becomes 1:00. The second row's neighbour above tells that its 1:40 is the second one.
    found = log_by_clock(
        intake,
        tmp_path,
        "10/31/26,K9,E0005,17:00,01:30",
        "11/01/26,K8,E0006,01:50,01:10",
        "11/01/26,K7,E0007,01:40,09:00",
    )
    assert found == [("01 00:00", "01 08:30"), ("01 08:50", "01 09:10"), ("01 09:40", "01 17:00")]


def test_the_night_that_skips_an_hour_is_shorter(intake: Store, tmp_path: Path) -> None:
    assert log_by_clock(intake, tmp_path, "03/07/26,K9,E0005,22:00,06:00") == [("08 06:00", "08 13:00")]


def test_a_corrected_log_takes_back_and_gives(intake: Store, tmp_path: Path) -> None:
    take_calls(intake, tmp_path, 1, call("1", f"{DAY}10:00", "K9"), call("2", f"{DAY}10:00", "K8"))
    take_log(intake, tmp_path, 1, f"K9,E0001,{DAY}06:00,{DAY}18:00")
    assert (people(intake, "1"), people(intake, "2")) == (["E0001"], [])
    # She was on K8, and he on K9.
    log = f"K8,E0001,{DAY}06:00,{DAY}18:00", f"K9,E0002,{DAY}06:30,{DAY}18:00"
    take_log(intake, tmp_path, 3, *log)
    assert (people(intake, "1"), people(intake, "2")) == (["E0002"], ["E0001"])
    assert "1 shifts of earlier logs are replaced." in receipt(intake)["chosen"]
    # What is older than the correction changes nothing, even if it comes later.
    take_log(intake, tmp_path, 2, f"K9,E0003,{DAY}06:00,{DAY}18:00")
    assert (people(intake, "1"), people(intake, "2")) == (["E0002"], ["E0001"])


def test_officers_hear_of_it_both_ways(intake: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contributions, "_is_in_the_ledger", lambda _home, key: True)
    enroll(intake, 1)
    enroll(intake, 2)
    take_calls(intake, tmp_path, 1, call("1", f"{DAY}10:00", "K9"))
    said = []
    for version, person in ((1, "E0001"), (2, "E0002")):
        take_log(intake, tmp_path, version, f"K9,{person},{DAY}06:00,{DAY}18:00")
        assert contributions.run_cycle(intake, CHARTER, ZONE) == 2
        delivery.flush(intake, Outbox)
        told = [deliveries(intake, number)[-1]["contributions"] for number in (1, 2)]
        said.append([[(one["revision"], one["gone"]) for one in each] for each in told])
    assert said == [[[(2, False)], []], [[(3, True)], [(3, False)]]]


def test_a_later_log_that_only_overlaps_at_the_hand_over_replaces_nothing(intake: Store, tmp_path: Path) -> None:
    take_log(intake, tmp_path, 1, "K9,E0001,2026-10-13T22:00,2026-10-14T06:15")
    take_log(intake, tmp_path, 2, f"K9,E0002,{DAY}06:00,{DAY}14:00")
    take_calls(intake, tmp_path, 1, call("1", f"{DAY}05:00", "K9"), call("2", f"{DAY}06:10", "K9"))
    assert (people(intake, "1"), people(intake, "2")) == (["E0001"], ["E0001", "E0002"])


def test_a_shift_that_ended_early_does_so_by_the_later_log(intake: Store, tmp_path: Path) -> None:
    take_calls(intake, tmp_path, 1, call("1", f"{DAY}07:00", "K9"), call("2", f"{DAY}10:00", "K9"))
    take_log(intake, tmp_path, 1, f"K9,E0001,{DAY}06:00,{DAY}18:00")
    assert people(intake, "2") == ["E0001"]
    take_log(intake, tmp_path, 2, f"K9,E0001,{DAY}06:00,{DAY}08:00")
    assert (people(intake, "1"), people(intake, "2")) == (["E0001"], [])


def test_somebody_who_is_not_on_the_roster_keeps_the_roster_from_guessing(intake: Store, tmp_path: Path) -> None:
    take_log(intake, tmp_path, 1, f"4201,VOLUNTEER7,{DAY}06:00,{DAY}18:00", f"4202,,{DAY}06:00,{DAY}18:00")
    take_calls(intake, tmp_path, 1, call("1", f"{DAY}10:00", "4201,4202,4203"))
    assert people(intake, "1") == ["E0003"]
    assert receipt(intake)["unmapped_units"] == {"4201": 1, "4202": 1}
    with intake.read() as session:
        assert set(session.scalars(select(UnitShift.person_id))) == {""}


def test_rows_per_unit_add_to_their_call_whenever_the_log_comes(intake: Store, tmp_path: Path) -> None:
    begun = f"1,{DAY}09:50,{DAY}09:55"
    first = stamped(tmp_path, "a", 1, UNIT_HEADER, [f"{begun},,,Suicide,,K9", f"{begun},{DAY}10:01,,Suicide,,4202"])
    second = stamped(tmp_path, "b", 2, UNIT_HEADER, [f"{begun},{DAY}10:05,{DAY}10:30,Suicide,,K9"])
    take_files(intake, "cad", UNITS, [first], keep=True)
    take_log(intake, tmp_path, 1, f"K9,E0005,{DAY}06:00,{DAY}10:00", f"K9,E0006,{DAY}10:00,{DAY}18:00")
    assert present(intake, "1") == [("E0002", "4202", "responding"), ("E0005", "K9", "assigned")]
    # It arrived after the hand-over.
    take_files(intake, "cad", UNITS, [second], keep=True)
    assert present(intake, "1") == [("E0002", "4202", "responding"), ("E0006", "K9", "responding")]


def test_calls_from_before_the_log_was_set_up_keep_their_people(
    store_of: Callable[[str], Store], tmp_path: Path
) -> None:
    store = store_of("intake")
    roster(store)
    take_calls(store, tmp_path, 1, call("1", f"{DAY}10:00", "4201,K9"))
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(Part)) == 0
    take_log(store, tmp_path, 1, f"4201,E0005,{DAY}06:00,{DAY}18:00")
    assert people(store, "1") == ["E0001"]
    take_calls(store, tmp_path, 2, call("1", f"{DAY}10:00", "4201,K9", cleared=f"{DAY}11:00"))
    assert people(store, "1") == ["E0005"]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (f"4201,E0001,{DAY}06:00,{DAY}25:00", "off", "impossible time"),
        (f"4201,E0001,never,{DAY}08:00", "on", "impossible time"),
        (f"4201,E0001,{DAY}09:00,{DAY}08:00", "off", "a shift that ends when it begins, or before"),
        (f"4201,E0001,2026-10-01T09:00,{DAY}08:00", "off", "a shift of more than 96 hours"),
        (f",E0001,{DAY}06:00,{DAY}08:00", "unit", "no unit, or not one of letters and digits"),
        (f"4201,Doe John!,{DAY}06:00,{DAY}08:00", "employee_number", "not an employee number"),
        (f"4201,E0001,{DAY}06:00", "off", "3 cells instead of 4"),
    ],
)
def test_a_row_that_cannot_be_read_keeps_the_whole_log_aside(
    intake: Store, tmp_path: Path, row: str, column: str, reason: str
) -> None:
    totals = take_log(intake, tmp_path, 1, f"4202,E0002,{DAY}06:00,{DAY}18:00", row)
    assert (totals.taken, totals.quarantined) == (0, 1)
    (bad,) = [one for one in receipt(intake)["refused"] if one["line"] == 3]
    assert (bad["column"], bad["reason"]) == (column, reason)
    with intake.read() as session:
        assert session.scalar(select(func.count()).select_from(UnitShift)) == 0
    alone = msgspec.structs.replace(LOG, refuse="row")
    good = [f"K{number},E0002,{DAY}06:00,{DAY}18:00" for number in range(5)]
    assert take_log(intake, tmp_path, 2, *good, row, log=alone).taken == 1


def test_a_shift_that_still_goes_on_waits_for_the_next_log(intake: Store, tmp_path: Path) -> None:
    assert take_log(intake, tmp_path, 1, f"K9,E0001,{DAY}06:00,", f"K8,E0002,{DAY}06:00,{DAY}18:00").taken == 1
    (waiting,) = receipt(intake)["refused"]
    assert (waiting["line"], waiting["column"], waiting["reason"]) == (2, "off", "no end yet")


def test_columns_about_conduct_and_unknown_ones_are_refused(intake: Store, tmp_path: Path) -> None:
    for column, reason in (("complaints", "a column about conduct"), ("remarks", "unknown column")):
        path = stamped(tmp_path, column, 1, f"unit,employee_number,on,off,{column}", [f"4201,E0001,{DAY}06:00,,ZQ9"])
        assert take_files(intake, "log", LOG, [path], keep=True).quarantined == 1
        (refused,) = receipt(intake)["refused"]
        assert refused["column"] == column and refused["reason"].startswith(reason)
        assert "ZQ9" not in str(messages(intake))


def test_a_profile_of_a_log_is_none_of_calls(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="describes a unit log, not calls"):
        load_profile("generic-unit-log")


def test_one_view_that_names_the_crew_is_enough(intake: Store) -> None:
    """An EIDO document may name a unit's people, and the next one of the same incident only the unit."""
    parts = [("K9", "", "responding", 9, None, "", "E0001"), ("K9", "E0003", "responding", 9, None, "", "")]
    with intake.read() as session:
        found = Crews(session)
        found.look_up(parts)
        assert found.man(parts) == ([("E0003", "K9", "responding", 9, None)], [])
        assert [one[0] for one in found.man(parts[:1]).people] == ["E0001"]


def test_what_is_forgotten_takes_its_units_along(intake: Store, tmp_path: Path) -> None:
    take_calls(intake, tmp_path, 1, call("1", f"{DAY}10:00", "4201"))
    with intake.write() as session:
        assert session.scalar(select(func.count()).select_from(Part)) == 1
        session.execute(delete(Call))
        assert session.scalar(select(func.count()).select_from(Part)) == 0
