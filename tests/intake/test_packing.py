"""Promise: units with their times are taken apart as they were meant; where no arrival is told, who was sent came."""

from __future__ import annotations

import pytest

from appliance.intake.profile.feed_profile import Columns, Profile
from appliance.intake.read import mapping
from appliance.intake.read.formats.tables import Table
from appliance.intake.read.packing import Packing
from appliance.intake.records import CallVersion

PAIR = [("WAVE 1", "06:51:33"), ("M-5", "07:05")]


@pytest.mark.parametrize(
    ("sign", "separator", "cell"),
    [
        ("equals", ",", "WAVE 1=06:51:33, M-5=07:05"),
        ("equals", " ", "WAVE1=06:51:33 M-5=07:05"),
        ("at", ",", "WAVE 1 @06:51:33|M-5@07:05"),
        ("brackets", ",", "WAVE 1 (06:51:33); M-5(07:05)"),
        ("colon", ",", "WAVE 1:06:51:33,M-5: 07:05"),
        ("dash", ",", "WAVE 1-06:51:33\r\nM-5 - 07:05"),
        ("blank", ",", "WAVE 1 06:51:33, M-5  07:05,"),
    ],
)
def test_every_sign(sign: str, separator: str, cell: str) -> None:
    found = Packing(sign, separator)
    assert found.names_units(cell)
    assert [(unit.replace("WAVE1", "WAVE 1"), at) for unit, at in found.parts(cell)] == PAIR


@pytest.mark.parametrize("sign", ["equals", "at", "brackets", "colon", "dash", "blank"])
def test_a_time_of_the_whole_call_names_no_unit(sign: str) -> None:
    for cell in ("06:51:33", "6:51 PM", "0651", ""):
        assert not Packing(sign).names_units(cell), cell


def test_units_without_a_time_keep_their_names() -> None:
    assert Packing("dash").parts("T-3, M5-07:05") == [("T-3", ""), ("M5", "07:05")]
    assert Packing("blank").parts("ENGINE 12, MEDIC 5 07:05") == [("ENGINE 12", ""), ("MEDIC 5", "07:05")]
    assert Packing("equals").parts("M5=, E12=NULL, T3") == [("M5", ""), ("E12", "NULL"), ("T3", "")]


def read(columns: Columns, header: list[str], *rows: list[str]) -> list[CallVersion]:
    profile = Profile("x", "", "delimited", "America/Chicago", columns, {}, time_format="iso", canceled=["Cancelled"])
    found = list(mapping.calls_of(Table(header, iter(enumerate(rows, 2)), []), profile, "", mapping.Notes()))
    assert all(isinstance(one, CallVersion) for one in found)
    return [one for one in found if isinstance(one, CallVersion)]


def test_where_a_feed_never_says_who_arrived_everybody_sent_was_there_unless_it_was_canceled() -> None:
    header = ["number", "received", "units", "disposition"]
    rows = [["1", "2026-01-02T10:00", "M5,E12", "Handled"], ["2", "2026-01-02T11:00", "M5", "Cancelled"]]
    columns = Columns(number="number", received="received", type="", units="units", disposition="disposition")
    there, canceled = read(columns, header, *rows)
    assert [unit.arrived for unit in there.units] == [True, True]
    assert ([unit.arrived for unit in canceled.units], canceled.canceled) == ([False], True)


def test_where_a_feed_says_who_arrived_the_others_were_only_sent() -> None:
    """Control: with a column of arrivals a blank one means that nobody came."""
    header = ["number", "received", "units", "arrived"]
    columns = Columns(number="number", received="received", type="", units="units", arrived="arrived")
    (found,) = read(columns, header, ["1", "2026-01-02T10:00", "M5", ""])
    assert [unit.arrived for unit in found.units] == [False]


def test_numbers_of_two_words_and_with_a_number_sign() -> None:
    columns = Columns(number="number", received="received", type="", units="")
    found = read(columns, ["number", "received"], ["F21 012345", "2026-01-02T10:00"], ["#21-7", "2026-01-02T10:00"])
    assert [one.number for one in found] == ["F21 012345", "21-7"]
