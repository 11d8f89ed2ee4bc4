"""Promise: whatever a run sheet calls its columns and however it packs its units, its proposed profile reads it."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.intake.guess import proposal
from appliance.intake.profile.feed_profile import load_profile
from appliance.intake.read import child, mapping
from appliance.intake.read.opening import Source
from appliance.intake.records import CallVersion, seconds
from tests.intake.run_sheets import SECRET, Sheet, sheet

ZONE = "America/New_York"
_MINUTE = 60


def read(folder: Path, one: Sheet) -> tuple[str, dict[str, list[CallVersion]], int]:
    """(the proposed profile, its calls by number, how many rows it refuses) of a sheet."""
    path, profile = folder / one.name, folder / "profile.toml"
    path.write_bytes(one.raw)
    toml = proposal.propose([path], ZONE, zone_known=True)
    profile.write_text(toml, encoding="utf-8")
    calls, refused = dict[str, list[CallVersion]](), 0
    with Source(path) as source:
        for found in child.versions(source, path, load_profile(str(profile))):
            if isinstance(found, CallVersion):
                calls.setdefault(found.number, []).append(found)
            else:
                refused += found.reason not in mapping.HARMLESS
    return toml, calls, refused


@pytest.mark.parametrize("seed", range(30))
def test_a_run_sheet_is_read_as_it_was_meant(tmp_path: Path, seed: int) -> None:
    one = sheet(seed)
    toml, calls, refused = read(tmp_path, one)
    assert not [word for word in SECRET if word in toml]
    assert (set(calls), refused) == (set(one.runs), one.footers)
    for number, run in one.runs.items():
        found = calls[number]
        assert abs(found[0].received - seconds(run.began.replace(tzinfo=ZoneInfo(ZONE)))) < _MINUTE, number
        assert {version.type for version in found} == {run.type}
        units = {unit.unit: unit for version in found for unit in version.units}
        assert set(units) == set(run.arrived), number
        for name, at in run.arrived.items():
            assert units[name].arrived == (at is not None), (number, name)
            if at is not None:
                assert abs(units[name].start - seconds(at.replace(tzinfo=ZoneInfo(ZONE)))) < _MINUTE, (number, name)


def test_the_sheets_hold_the_words_that_no_profile_may_show() -> None:
    """Positive control."""
    assert sum(word.encode() in sheet(seed).raw for seed in range(30) for word in SECRET) > 15
