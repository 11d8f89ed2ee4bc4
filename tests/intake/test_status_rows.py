"""Promise: a feed with a row for every change of a unit's status says who was there from when until when."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.intake.dry_run.account import check
from appliance.intake.profile.feed_profile import load_profile
from appliance.spool.messages import RosterPerson
from tests.intake.test_guess import run

HEADER = ["Incident Number", "Call Received", "Nature", "Unit", "Status", "Status Time", "Remarks"]
ROSTER = "employee_number,name,call_sign,unit,division\nF1,A Alder,M5,Medic,EMS\nF2,B Birch,E12,Engine,Fire\n"
STEPS = {"M5": [("Dispatched", 1), ("En Route", 2), ("On Scene", 9), ("Transporting", 20), ("Available", 45)]}
STEPS["E12"] = [("Dispatched", 1), ("En Route", 3), ("In Quarters", 12)]


def written(*, begin: bool) -> str:
    rows = [[name for name in HEADER if begin or name != "Call Received"]]
    for call in range(20):
        for unit, steps in STEPS.items():
            for status, minute in steps:
                at = [f"2026-03-{1 + call:02} 23:{10 + minute:02}:00" for minute in (0, minute)]
                rows.append(
                    [f"21-{call:05}", *at[: 1 if begin else 0], "Cardiac Arrest", unit, status, at[1], "Zebedee"]
                )
    return "".join(",".join(row) + "\n" for row in rows)


@pytest.mark.parametrize("begin", [True, False])
def test_a_status_log_is_known_and_read(tmp_path: Path, begin: bool) -> None:
    feed, profile, roster = tmp_path / "log.csv", tmp_path / "profile.toml", tmp_path / "roster.csv"
    feed.write_text(written(begin=begin))
    roster.write_text(ROSTER)
    toml = run("profile", "guess", str(feed), "--time-zone", "America/Chicago")
    profile.write_text(toml)
    assert 'row = "status"' in toml and 'status = "Status"' in toml and 'status_time = "Status Time"' in toml
    assert "Zebedee" not in toml
    found = json.loads(run("check", str(feed), "--profile", str(profile), "--roster", str(roster), "--json"))
    assert (found["calls"], found["refused"], found["involvements"]) == (20, [], 40)
    assert found["first"] == f"2026-03-01T23:1{0 if begin else 1}:00-06:00"


@pytest.mark.parametrize("begin", [True, False])
def test_who_only_was_sent_is_not_there_and_the_others_are_from_their_arrival_on(tmp_path: Path, begin: bool) -> None:
    feed, profile = tmp_path / "log.csv", tmp_path / "profile.toml"
    feed.write_text(written(begin=begin))
    profile.write_text(run("profile", "guess", str(feed), "--time-zone", "America/Chicago"))
    people = [RosterPerson("F1", "", "A Alder", "M5", "", ""), RosterPerson("F2", "", "B Birch", "E12", "", "")]
    ((_, account),) = check([feed], load_profile(str(profile)), people)
    for call in account._newest.values():
        medic, engine = call.involved
        assert (medic[2], engine[2]) == ("responding", "assigned")
        assert medic[4] == medic[3] + 36 * 60  # from 9 to 45 minutes
