"""The browser's sums and the Python reference agree on generated histories."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from click.testing import CliRunner

from appliance.kit.exposure import summarize
from appliance.rules.exposure_model import load_model
from provisioning.cli import wardwell
from tests.exposure.histories import history
from tests.space.conftest import Call

COUNT = 300


def generated() -> list[dict[str, Any]]:
    histories: list[dict[str, Any]] = json.loads(msgspec.json.encode([history(seed) for seed in range(COUNT)]))
    return histories


def test_browser_agrees_with_the_reference(call: Call) -> None:
    histories = generated()
    found = call("exposure", histories=histories)
    different = [n for n in range(COUNT) if found[n] != histories[n]["expected"]]
    assert different == []
    # The histories do exercise what is compared.
    patterns = load_model().patterns.named()
    assert {name: sum(name in one["found"] for one in found) > 5 for name in patterns} == dict.fromkeys(patterns, True)
    assert {name: sum(name not in one["found"] for one in found) > 5 for name in patterns} == dict.fromkeys(
        patterns, True
    )
    assert len({one["load"] for one in found}) > 200


def test_the_last_twelve_months_are_what_the_reference_adds_up(call: Call) -> None:
    histories = [history(seed) for seed in range(100)]
    found = call("exposure_months", histories=json.loads(msgspec.json.encode(histories)))
    for one, months in zip(histories, found, strict=True):
        at, zone, given = one["at"], one["time_zone"], (one["contributions"], one["time_zone"], one["not_there"])
        local = at.astimezone(ZoneInfo(zone))
        for ago, month in enumerate(reversed(months)):
            year, number = divmod(local.year * 12 + local.month - 1 - ago, 12)
            assert month["month"] == f"{year}-{number + 1:02d}"
            # The load stands at the next month's first midnight by UTC.
            end = min(at, datetime(year + (number + 1) // 12, (number + 1) % 12 + 1, 1, tzinfo=UTC))
            assert month["load"] == summarize(given[0], end, *given[1:]).load
            # The calls are those between the local midnights.
            first = datetime(year, number + 1, 1, tzinfo=ZoneInfo(zone))
            after = datetime(year + (number + 1) // 12, (number + 1) % 12 + 1, 1, tzinfo=ZoneInfo(zone))
            before = [
                summarize(given[0], min(at, moment - timedelta(milliseconds=1)), *given[1:]).counts["career"]
                for moment in (first, after)
            ]
            last = summarize(given[0], at, *given[1:]).counts["career"] if ago == 0 else before[1]
            assert month["calls"] == last - before[0]
    assert sum(month["calls"] > 0 for months in found for month in months) > 100


def test_a_changed_weight_would_be_noticed(call: Call) -> None:
    history_of_one = generated()[7]
    before = call("exposure", histories=[history_of_one])[0]
    roles = {"primary": "responding", "responding": "dispatch", "dispatch": "primary"}
    for contribution in history_of_one["contributions"]:
        contribution["role"] = roles.get(contribution["role"], "primary")
    assert call("exposure", histories=[history_of_one])[0]["load"] != before["load"]


def test_the_browser_has_the_model_that_the_command_prints(call: Call) -> None:
    shown = CliRunner().invoke(wardwell, ["exposure", "model", "show"])
    assert call("model") in shown.output


def test_no_weight_stands_in_the_code() -> None:
    source = (Path(__file__).parents[2] / "webapp/space/src/exposure.ts").read_text()
    assert "half_life_days" in source
    assert "45" not in source
