"""`apply` renders what was answered, and says in one line what a failed playbook said in many."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provisioning.install import apply, commands
from provisioning.install.answers import decode, toml
from tests.support.waiting import LOOPBACK

RUN = """
PLAY [Configure the appliance] *************************************************

TASK [Gathering Facts] *********************************************************
ok: [localhost]

TASK [layout : Make the groups] ************************************************
changed: [localhost] => (item=drop)
changed: [localhost] => (item=wardwell-desk)

TASK [base : Refuse] ***********************************************************
{middle}
PLAY RECAP *********************************************************************
localhost            : ok=2 changed=1 unreachable=0 failed={failed} skipped=0 rescued=0 ignored={ignored}
"""


def _read(middle: str, failed: int, ignored: int = 0) -> tuple[apply.Outcome, list[str]]:
    said: list[str] = []
    lines = RUN.format(middle=middle, failed=failed, ignored=ignored).splitlines(keepends=True)
    return apply.read(iter(lines), said.append), said


def test_each_role_is_said_and_each_change_named_once() -> None:
    outcome, said = _read("ok: [localhost]\n", failed=0)
    assert said == ["layout", "base"]
    assert outcome.tasks == ["layout: Make the groups"]
    assert not outcome.failed


@pytest.mark.parametrize(
    "line",
    [
        'fatal: [localhost]: FAILED! => {"changed": false, "msg": "no room left"}\n',
        'failed: [localhost] (item=a b) => {"changed": false, "stderr": "no room left", "msg": "non-zero"}\n',
    ],
)
def test_what_failed_is_named_with_what_it_said(line: str) -> None:
    outcome, _ = _read(line, failed=1)
    assert (outcome.failed, outcome.said) == ("base: Refuse", "no room left")


def test_a_failed_handler_is_named_and_its_role_not_said_again() -> None:
    line = 'failed: [localhost] (item=a) => {"msg": "no such unit"}\n'
    outcome, said = _read(f"ok: [localhost]\n\nRUNNING HANDLER [layout : Restart it] ****\n{line}", failed=1)
    assert (outcome.failed, outcome.said) == ("layout: Restart it", "no such unit")
    assert said == ["layout", "base"]


def test_what_was_ignored_did_not_fail() -> None:
    line = 'fatal: [localhost]: FAILED! => {"msg": "x"}\n...ignoring\n'
    assert not _read(line, failed=0, ignored=1)[0].failed


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
