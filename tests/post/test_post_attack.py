"""Root with everything that is stored does not find the writers; the same attacker finds them on a naive post."""

from __future__ import annotations

import random

import pytest

from tests.demonstration.attacks import post


@pytest.fixture(autouse=True)
def fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "TOWNS", 2)
    monkeypatch.setattr(post, "DAYS", 28)


def test_writers_are_not_found_and_would_be_on_a_naive_post() -> None:
    held, _, ties = post.measure(uniform=True)
    naive, _, _ = post.measure(uniform=False)
    assert ties == 0
    # Two small divisions: guessing lies within 0.15 of 0.5 (two standard errors); the control lies beyond it.
    assert abs(held - 0.5) < 0.15
    assert naive > 0.65 and naive > held + 0.1


def test_counting_visits_is_what_remains() -> None:
    often = post.simulate(random.Random(0), uniform=True, more_often=2.5)
    assert post.auc(post.count_visits(often), often.writers) > 0.7


def test_a_cell_sent_twice_would_be_noticed() -> None:
    traces = post.Traces(requests=[bytes(8192) * 2], replies=[])
    assert post.repeated(traces) == 1
