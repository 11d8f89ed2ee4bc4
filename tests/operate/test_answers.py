"""Promise: every command of an appliance's life answers programs too, refusals included, by the same exit codes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from appliance.settings import Home
from provisioning import cli

LIFE = [
    *("preflight", "setup", "apply", "config show", "config diff", "check", "status", "doctor", "logs", "debug"),
    *("backup create", "backup list", "backup verify", "backup restore"),
    *("update verify", "update check", "update stage", "update apply", "update rollback", "update status"),
    *("support-bundle", "maintenance on", "maintenance off", "maintenance status"),
    *("cert status", "cert csr", "cert install", "disk status", "admin reset-access", "bundle verify"),
]


@pytest.mark.parametrize("said", LIFE)
def test_it_takes_json(said: str) -> None:
    command: click.Command = cli.wardwell
    for word in said.split():
        assert isinstance(command, click.Group)
        below = command.get_command(click.Context(command), word)
        assert below
        command = below
    assert any("--json" in option.opts for option in command.params)


def _main(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["wardwell", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    code = ended.value.code
    return code if isinstance(code, int) else 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("update", "check", "nothing.bundle"), 3),
        (("bundle", "verify", "nothing.bundle", "--fingerprint", "SHA256:x"), 3),
        (("setup", "--answers", "nothing.toml"), 3),
        (("backup", "verify", "nowhere"), 3),
        (("--home", "nowhere", "status"), 1),
    ],
)
def test_what_is_refused_is_said_in_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Home, words: tuple[str, ...], code: int
) -> None:
    monkeypatch.chdir(home.root)
    monkeypatch.setenv("WARDWELL_HOME", str(home.root))
    assert _main(monkeypatch, *words) == code
    in_words = capsys.readouterr()
    assert in_words.out == "" and "what to do" in in_words.err
    assert _main(monkeypatch, *words, "--json") == code
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False and answer["message"] in in_words.err and answer["fix"] in in_words.err


def test_wrong_usage_is_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _main(monkeypatch, "update", "check") == 2


def _answered(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(cli.wardwell, [*words, "--json"])
    answer: dict[str, Any] = json.loads(done.stdout)
    assert (done.exit_code == 0) == answer["ok"], done.output
    return answer


def test_what_was_done_is_said_in_json(monkeypatch: pytest.MonkeyPatch, home: Home, tmp_path: Path) -> None:
    monkeypatch.setenv("WARDWELL_HOME", str(home.root))
    (home.log / "desk.log").write_text("one\ntwo\n")
    (home.log / "desk-work.log").write_text("three\n")
    assert _answered("logs", "desk", "-n", "1")["logs"] == {"desk-work.log": ["three"], "desk.log": ["two"]}
    assert _answered("debug", "--for", "5")["until"]
    assert _answered("debug", "--off")["until"] is None
    preview = _answered("support-bundle", "--preview")
    written = _answered("support-bundle", "--out", str(tmp_path / "support.tar"))
    assert set(preview) == {"ok", "sha256", "report"} and set(written) == {"ok", "file", "sha256"}
    assert _answered("disk", "status")["refused"] is False
    home.tls.mkdir(parents=True)
    requests = _answered("cert", "csr", "--to", str(tmp_path / "requests"))["requests"]
    assert all(Path(one).exists() for one in requests) and len(requests) == 3
