"""`apply` renders the settings files from the answers; `test_playbook.py` has the playbook's run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provisioning.install import apply, commands
from provisioning.install.answers import decode, toml
from tests.support.waiting import LOOPBACK


@LOOPBACK
def test_rendering_again_changes_nothing(tables: dict[str, Any], tmp_path: Path) -> None:
    tables["syslog"] = {"host": "logs.agency.example", "address": "192.0.2.5", "ca_file": "/ca.pem"}
    answers = decode(toml(tables).encode(), "answers.toml")
    assert apply.render(answers, tmp_path) == ["wardwell.toml", "variables.json", "relay.toml"]
    assert apply.render(answers, tmp_path) == []
    assert (tmp_path / "variables.json").stat().st_mode & 0o077 == 0
    assert json.loads((tmp_path / "variables.json").read_text())["wardwell_admin_key"].startswith("ssh-ed25519")
    del tables["syslog"]
    assert "relay.toml" in apply.render(decode(toml(tables).encode(), "answers.toml"), tmp_path)
    assert not (tmp_path / "relay.toml").exists()


def test_a_password_is_shown_to_people_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.install.apply.apply", lambda _say: [])
    monkeypatch.setattr("appliance.operate.administrator.has_password", lambda: False)
    monkeypatch.setattr("appliance.operate.administrator.new_password", lambda: "THE-PASSWORD")
    run = CliRunner().invoke
    assert "THE-PASSWORD" not in run(commands.apply, env={"WARDWELL_UNATTENDED": "yes"}).output
    assert "THE-PASSWORD" not in run(commands.apply, ["--unattended"]).output
    assert "THE-PASSWORD" in run(commands.apply).output  # the control
