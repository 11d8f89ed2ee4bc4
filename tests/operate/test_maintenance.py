"""Maintenance stops in the right order, and ends only when everything results."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import WardwellError
from appliance.health import processes
from appliance.health.check import fine, wrong
from appliance.operate import maintenance
from appliance.settings import Home


@pytest.fixture
def asked() -> list[list[str]]:
    return []


def test_the_page_comes_first_and_the_ledger_stops_last(tmp_path: Path, asked: list[list[str]]) -> None:
    mark, unsealed = tmp_path / "maintenance", tmp_path / "unsealed"
    with pytest.raises(WardwellError, match="sealed"):
        maintenance.begin(asked.append, mark, unsealed)
    assert not mark.exists() and not asked

    def run(words: list[str]) -> None:
        assert mark.exists()
        asked.append(words)

    unsealed.touch()
    maintenance.begin(run, mark, unsealed)
    assert [words[0] for words in asked] == ["stop"] * 5
    assert asked[-1][1] == "wardwell@ledger.service"


def test_it_stays_on_while_one_does_not_answer(
    tmp_path: Path, asked: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "maintenance"
    mark.touch()
    results = [wrong("process desk", "it does not answer", "Start it.")]
    monkeypatch.setattr(processes, "check", lambda _home: results)
    with pytest.raises(WardwellError, match="process desk"):
        maintenance.end(Home(tmp_path), asked.append, mark, seconds=0)
    assert mark.exists()
    results[0] = fine("process desk", "answers")
    maintenance.end(Home(tmp_path), asked.append, mark, seconds=0)
    assert not mark.exists()
    assert asked == [["start", "wardwell.target"]] * 2
