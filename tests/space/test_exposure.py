"""The browser's sums and the Python reference agree on generated histories."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from click.testing import CliRunner

from appliance.cli import wardwell
from appliance.model.exposure import load_model
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
