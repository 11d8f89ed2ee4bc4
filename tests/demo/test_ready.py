"""The demonstration is up when all is in order, or when a part that runs says what people have to do first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import pytest

from appliance.errors import WardwellError
from appliance.health import checks
from appliance.health.check import Check, fine, wrong
from appliance.health.compartments import NOT_WELL, SILENT
from appliance.settings import Home
from provisioning.supervise import Supervisor
from tests.demonstration import up


class _Supervisor:
    state = "RUNNING"

    def states(self) -> dict[str, str]:
        return {"intake": self.state}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "_READY_SECONDS", 1.0)
    monkeypatch.setattr(up, "_UNWELL_SECONDS", 0.1)


def ready(home: Home, monkeypatch: pytest.MonkeyPatch, *found: Check, state: str = "RUNNING") -> None:
    def run(home: Home, names: Iterable[str]) -> list[Check]:
        assert "feeds" not in names and "health" in names
        return list(found)

    supervisor = _Supervisor()
    supervisor.state = state
    monkeypatch.setattr(checks, "run", run)
    up._ready(home, cast(Supervisor, supervisor))


WELL = fine("health desk", "says it is well")


def test_in_order(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    ready(home, monkeypatch, WELL)
    assert capsys.readouterr().out == ""


def test_a_part_that_is_not_well_says_what_to_do(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ready(home, monkeypatch, WELL, wrong("health intake", NOT_WELL, "Look at the receipts."))
    assert "health intake: Look at the receipts." in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong",
    [wrong("health intake", SILENT, "Read its log."), wrong("database desk", "it is not there", "Mend.")],
)
def test_a_part_that_is_silent_or_missing_is_waited_for_in_vain(
    home: Home, monkeypatch: pytest.MonkeyPatch, wrong: Check
) -> None:
    with pytest.raises(WardwellError, match=wrong.name):
        ready(home, monkeypatch, WELL, wrong)


def test_a_process_that_ended_for_good_is_not_waited_for(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "_READY_SECONDS", 60.0)
    with pytest.raises(WardwellError, match="health intake"):
        ready(home, monkeypatch, wrong("health intake", SILENT, "Read its log."), state="FATAL")
