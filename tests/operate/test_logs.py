"""More is written for a while and then no longer; and never what somebody typed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner

from appliance import clock, logs
from appliance.settings import Home
from provisioning.cli import wardwell


@pytest.fixture
def home(tmp_path: Path) -> Home:
    logs.configure(Home(tmp_path))
    return Home(tmp_path)


def test_debug_lines_end_by_themselves(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    log = structlog.get_logger("test")
    log.debug("before")
    logs.let_through(logs.switch(home), clock.now() + timedelta(minutes=1))
    log.debug("during")
    logs.let_through(logs.switch(home), clock.now() - timedelta(seconds=1))
    log.debug("after")
    log.info("always")
    out = capsys.readouterr().out
    assert "during" in out and "[debug" in out and "always" in out
    assert "before" not in out and "after" not in out


def test_places_say_where_and_not_what() -> None:
    def reads(value: str) -> None:
        raise ValueError(value)

    with pytest.raises(ValueError) as raised:
        reads("what an officer typed")
    places = logs.places(raised.value)
    assert places[-1].startswith("test_logs.py:") and places[-1].endswith(" reads")
    assert "typed" not in str(places)


def test_the_command_sets_and_ends_the_switch(tmp_path: Path) -> None:
    runner = CliRunner(env={"WARDWELL_HOME": str(tmp_path)})
    switch = logs.switch(Home(tmp_path))
    assert "until" in runner.invoke(wardwell, ["debug", "--for", "15"]).output
    assert logs.is_on(switch)
    assert runner.invoke(wardwell, ["debug", "--off"]).exit_code == 0
    assert not logs.is_on(switch)
    assert runner.invoke(wardwell, ["debug"]).exit_code == 2
    assert runner.invoke(wardwell, ["debug", "--for", "100000"]).exit_code == 2


def test_logs_shows_one_part_and_its_newest_lines(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.log.mkdir()
    (home.log / "desk.log").write_text("".join(f"line {number}\n" for number in range(100)))
    (home.log / "desk-work.log").write_text("worker\n")
    (home.log / "post.log").write_text("another part\n")
    out = CliRunner(env={"WARDWELL_HOME": str(tmp_path)}).invoke(wardwell, ["logs", "desk", "-n", "3"]).output
    assert out == "== desk-work.log\nworker\n== desk.log\nline 97\nline 98\nline 99\n"
