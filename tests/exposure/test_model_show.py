"""`wardwell exposure model show` leaves nothing of the model out, in words and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance.rules import exposure_model
from provisioning.cli import wardwell


def _values(node: Any) -> Iterator[str]:
    """Every word and number of the file; flags are printed as words."""
    if isinstance(node, dict):
        for value in node.values():
            yield from _values(value)
    elif isinstance(node, list):
        for value in node:
            yield from _values(value)
    elif not isinstance(node, bool):
        yield str(node)


def _show(*options: str) -> str:
    done = CliRunner().invoke(wardwell, ["exposure", "model", "show", *options])
    assert done.exit_code == 0, done.output
    return done.output


def test_everything_in_the_file_is_printed() -> None:
    shown = _show()
    whole = json.loads(exposure_model.FILE.read_bytes())
    assert [value for value in _values(whole) if value not in shown] == []
    assert shown.count(", heavy") == sum(kind["heavy"] for kind in whole["types"])
    assert shown.count(", critical incident") == sum(kind["critical"] for kind in whole["types"])
    assert exposure_model.digest() in shown


def test_the_json_is_the_file_and_its_digest() -> None:
    assert json.loads(_show("--json")) == {
        "sha256": exposure_model.digest(),
        **json.loads(exposure_model.FILE.read_bytes()),
    }


def test_the_digest_changes_with_any_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = exposure_model.digest()
    text = json.dumps(json.loads(exposure_model.FILE.read_bytes()))
    other = tmp_path / "exposure.json"
    monkeypatch.setattr(exposure_model, "FILE", other)
    other.write_text(text)
    assert exposure_model.digest() == before  # how the file is laid out does not matter
    other.write_text(text.replace('"half_life_days": 45', '"half_life_days": 46'))
    assert exposure_model.digest() != before
