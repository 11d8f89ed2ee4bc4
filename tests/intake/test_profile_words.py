"""A profile in words says everything that leaves the parser, everything dropped by name and every code."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.intake.profile import words as profile_words
from appliance.intake.profile.feed_profile import Profile, load_feed, load_profile, shipped
from appliance.intake.profile_commands import profile as commands
from tests.intake.support import profile_file


@pytest.mark.parametrize("name", [name for name in shipped() if isinstance(load_feed(name), Profile)])
def test_nothing_that_is_read_or_dropped_is_left_out(name: str) -> None:
    feed = load_profile(name)
    result = CliRunner().invoke(commands, ["show", name])
    assert result.exit_code == 0, result.output
    assert sorted(column for _, column in profile_words.read(feed)) == sorted(feed.taken)
    for word in [*feed.dropped, feed.time_zone, *feed.types]:
        assert word in result.output
    assert sum(len(codes) for _, codes in profile_words.types(feed)) == len(feed.types)


def test_what_an_administrator_sets_is_said(tmp_path: Path) -> None:
    usual = dict(profile_words.facts(load_profile("san-luis-obispo")))
    assert usual["a call still open"] == "counts as settled after 72 hours"
    path = profile_file(tmp_path, time_zone='"America/New_York"', delimiter='"detect"')
    path.write_text('settle_hours = 5\nrefuse = "row"\n' + path.read_text())
    own = dict(profile_words.facts(load_profile(str(path))))
    assert own["a call still open"] == "counts as settled after 5 hours"
    assert own["unreadable row"] == "is refused alone"
    assert own["delimiter"] == "found in each file"
    assert own["time zone"] == "America/New_York"
