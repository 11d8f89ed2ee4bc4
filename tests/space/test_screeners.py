"""Screeners score as their authors published it, for every possible answer sheet, and skipping never misleads."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.space.conftest import Call

MODEL = Path(__file__).parents[2] / "appliance/rules/screeners.json"

# From the papers that the model cites: how many items, the values of an answer, points per value, and the cut-off.
PUBLISHED: dict[str, tuple[int, range, int, Callable[[int], bool]]] = {
    "who-5": (5, range(6), 4, lambda score: score <= 50),
    "phq-2": (2, range(4), 1, lambda score: score >= 3),
    "gad-2": (2, range(4), 1, lambda score: score >= 3),
    "pc-ptsd-5": (5, range(2), 1, lambda score: score >= 3),
}


def screeners() -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in json.loads(MODEL.read_text())["screeners"]}


def test_these_screeners_and_no_other() -> None:
    assert set(screeners()) == set(PUBLISHED)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_every_answer_sheet_scores_as_published(call: Call, name: str) -> None:
    items, values, factor, reached = PUBLISHED[name]
    sheets = list(product(values, repeat=items))
    found = call("screeners", screener=name, sheets=[{"gate": None, "items": sheet} for sheet in sheets])
    for sheet, outcome in zip(sheets, found, strict=True):
        score = factor * sum(sheet)
        assert (outcome["score"], outcome["reached"]) == (score, reached(score)), sheet
    assert {outcome["reached"] for outcome in found} == {True, False}
    assert {outcome["highest"] for outcome in found} == {factor * max(values) * items}


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_what_was_skipped_decides_only_what_it_can(call: Call, name: str) -> None:
    items, values, factor, reached = PUBLISHED[name]
    sheets = [sheet for sheet in product([None, *values], repeat=items) if None in sheet]
    found = call("screeners", screener=name, sheets=[{"gate": None, "items": sheet} for sheet in sheets])
    for sheet, outcome in zip(sheets, found, strict=True):
        possible = {
            reached(factor * (sum(answer for answer in sheet if answer is not None) + extra * sheet.count(None)))
            for extra in (min(values), max(values))
        }
        assert outcome["score"] is None
        assert outcome["reached"] == (possible.pop() if len(possible) == 1 else None), sheet
    assert {outcome["reached"] for outcome in found} >= {True, None}


def test_nothing_terrible_means_no_score_of_its_effects(call: Call) -> None:
    skipped = [None] * 5
    found = call("screeners", screener="pc-ptsd-5", sheets=[{"gate": False, "items": skipped}])
    assert found == [{"score": 0, "highest": 5, "reached": False}]
    # The control: without that answer the same sheet says nothing.
    assert call("screeners", screener="pc-ptsd-5", sheets=[{"gate": None, "items": skipped}])[0]["reached"] is None


def test_every_screener_names_its_source_and_its_cutoff() -> None:
    for one in screeners().values():
        assert one["source"].count("(") >= 2, one["id"]
        assert str(one["cutoff"]) in one["cutoff_reason"], one["id"]
        assert one["better"], one["id"]
        assert one["worse"], one["id"]
