"""`make bench` and `make attacks`: figures are complete, dated, and replaced by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.demonstration import measure

ROW = {"name": "intake.rows", "value": 1, "unit": "rows/s", "against": "", "control": "an empty file gives 0"}


def test_a_figure_is_dated_and_complete() -> None:
    assert measure.checked([ROW], "intake", "2026-10-01") == [{**ROW, "date": "2026-10-01"}]
    with pytest.raises(ValueError, match="control"):
        measure.checked([{k: v for k, v in ROW.items() if k != "control"}], "intake", "2026-10-01")


def test_one_area_replaces_only_its_own_figures(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps([{**ROW, "name": "post.cells"}, ROW]))
    rows = measure.merged(path, [{**ROW, "value": 2}])
    assert [(row["name"], row["value"]) for row in rows] == [("intake.rows", 2), ("post.cells", 1)]


def test_every_area_has_a_run() -> None:
    for package in ("tests.demonstration.bench", "tests.demonstration.attacks"):
        assert all(callable(module.run) for module in measure.areas(package).values())
