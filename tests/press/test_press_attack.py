"""The attack on releases finds nothing exact, and would find much if only the floor were obeyed."""

from __future__ import annotations

import pytest

from tests.demonstration.attacks import press


@pytest.fixture(autouse=True)
def fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(press, "AGENCIES", 15)


def test_no_small_groups_figure_follows_by_subtraction() -> None:
    score = press.measure(complement=True)
    assert score.targets > 200
    assert score.exact == 0


def test_the_same_attack_succeeds_when_the_complement_is_shown() -> None:
    """Positive control."""
    score = press.measure(complement=False)
    assert score.exact > 10
    assert score.over_base > press.measure(complement=True).over_base + 5
