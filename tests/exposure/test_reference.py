"""Promise: anyone can check what the browser added up, with other code and nothing but an export."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from appliance.cli import wardwell
from appliance.errors import WardwellError
from appliance.kit.exposure import Contribution, exposure, summarize
from appliance.model.exposure import load_model
from tests.exposure.histories import history

NAIVE = (
    '{"contributions": [{"id": "MARKER", "at": "2026-10-15T12:00:00", "type": "suicide", "role": "primary", '
    '"minutes": 1, "revision": 1, "gone": false}]}'
)
AT = datetime(2026, 10, 15, 12, tzinfo=UTC)


def one(hours: float, kind: str = "child-death", role: str = "primary", **changes: object) -> Contribution:
    given = Contribution(f"{hours}", AT - timedelta(hours=hours), kind, role, 30, 1, gone=False)
    return msgspec.structs.replace(given, **changes)


def test_a_load_halves_with_the_half_life_and_counts_do_not() -> None:
    model = load_model()
    now, later = (summarize([one(0)], AT + timedelta(days=days), "UTC") for days in (0, model.half_life_days))
    assert (now.load, later.load) == (10.0, 5.0)
    assert (now.counts["career"], later.counts["career"]) == (1, 1)
    assert (later.counts["30"], later.counts["90"]) == (0, 1)


def test_a_higher_revision_replaces_and_gone_withdraws() -> None:
    first = one(1, id="a")
    corrected = one(1, "suicide", id="a", revision=2)
    assert summarize([corrected, first], AT, "UTC").counts["career"] == 1
    assert summarize([first, corrected], AT, "UTC") == summarize([corrected], AT, "UTC")
    assert summarize([first, one(1, id="a", revision=2, gone=True)], AT, "UTC").counts["career"] == 0


def test_what_weighs_nothing_or_has_not_happened_counts_for_nothing() -> None:
    nothing = [one(1, "ordinary"), one(2, "unheard-of"), one(3, role="assigned"), one(-1)]
    assert summarize(nothing, AT, "UTC") == summarize([], AT, "UTC")
    assert summarize([one(1)], AT, "UTC") != summarize([], AT, "UTC")  # control


def test_patterns_need_the_named_number() -> None:
    three = [one(hours) for hours in (1, 30, 60)]
    assert summarize(three, AT, "UTC").heavy_week
    assert not summarize(three[:2], AT, "UTC").heavy_week
    nights = [one(24 * night + 11) for night in range(3)]  # 01:00 in three nights
    assert summarize(nights, AT, "UTC").nights_in_a_row == 3
    assert summarize(nights[:1] + nights[2:], AT, "UTC").nights_in_a_row == 1
    # The same moments are evenings and afternoons elsewhere.
    assert summarize(nights, AT, "America/Los_Angeles").nights_in_a_row == 0


def test_every_type_has_a_reason_and_a_source() -> None:
    model = load_model()
    assert len({kind.id for kind in model.types}) == len(model.types)
    for kind in model.types:
        assert kind.why.endswith(".")
        assert kind.source in model.sources
        assert kind.heavy or not kind.critical
        assert 0 <= kind.weight <= 10
    assert {model.patterns.heavy_week.source, model.patterns.nights.source} <= set(model.sources)


def test_the_command_prints_the_sums_of_an_export(tmp_path: Path) -> None:
    generated = history(7)
    path = tmp_path / "export.json"
    path.write_bytes(msgspec.json.encode(generated))
    found = CliRunner().invoke(wardwell, ["kit", "exposure", str(path), "--at", generated["at"].isoformat()])
    assert json.loads(found.output) == json.loads(msgspec.json.encode(generated["expected"]))


@pytest.mark.parametrize("raw", ["{", '{"contributions": [{"id": "MARKER"}]}', "[]", NAIVE])
def test_what_is_no_export_is_refused_without_quoting_it(tmp_path: Path, raw: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(raw)
    found = CliRunner().invoke(exposure, [str(path)])
    assert isinstance(found.exception, WardwellError)
    assert "MARKER" not in str(found.exception)
