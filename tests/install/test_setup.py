"""The setup keeps what it was told, goes on where it was, and writes nothing before everything is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from appliance.errors import Refused
from provisioning.cli import wardwell
from provisioning.install import commands, setup
from provisioning.install.answers import QUESTIONS, Question, decode, toml


def test_a_file_is_taken_with_the_files_it_names(file: Path, tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    setup.from_file(file, etc)
    assert (etc / "directory-password").read_text() == "bind-secret\n"
    assert (etc / "directory-password").stat().st_mode & 0o007 == 0
    kept = decode((etc / "answers.toml").read_bytes(), "answers.toml")
    assert kept.directory.bind_password_file == str(etc / "directory-password")
    assert "bind-secret" not in (etc / "answers.toml").read_text()
    before = {path.name: path.stat().st_mtime_ns for path in etc.iterdir()}
    setup.from_file(file, etc)
    assert {path.name: path.stat().st_mtime_ns for path in etc.iterdir()} == before


@pytest.mark.parametrize("name", ["password", "ca.pem", "admin.pub"])
def test_a_named_file_that_is_not_what_it_should_be_changes_nothing(
    file: Path, stick: Path, tmp_path: Path, name: str
) -> None:
    etc = tmp_path / "etc"
    (stick / name).write_text("")
    with pytest.raises(Refused, match="does not hold"):
        setup.from_file(file, etc)
    (stick / name).unlink()
    with pytest.raises(Refused, match="cannot be read"):
        setup.from_file(file, etc)
    assert not etc.exists()


def test_an_interrupted_setup_goes_on_where_it_was(tables: dict[str, Any], tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    right = {**tables, **{f"directory.{name}": value for name, value in tables["directory"].items()}}
    right |= {"data_device": "", "admin_networks": "192.0.2.0/24 198.51.100.0/24"}
    asked: list[str] = []

    def ask(question: Question, default: str) -> str:
        asked.append(question.key)
        if len(asked) == 5:
            raise KeyboardInterrupt
        return default or right[question.key]

    with pytest.raises(KeyboardInterrupt):
        setup.from_person(ask, etc, "America/Chicago")
    proposed: dict[str, str] = {}

    def again(question: Question, default: str) -> str:
        proposed[question.key] = default
        return default or right[question.key]

    answers = setup.from_person(again, etc, "America/Chicago")
    assert [key for key, value in proposed.items() if value] == asked[:4]
    assert answers.admin_networks == ["192.0.2.0/24", "198.51.100.0/24"]
    assert answers.time_zone == "America/Chicago"
    assert not (etc / "answers.part.json").exists()
    assert len(proposed) == len(QUESTIONS)


def test_asked_again_what_only_a_file_answers_stays(tables: dict[str, Any], tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    given = {
        "feeds": [{"name": "cad", "profile": "csv", "public_key": "ssh-ed25519 AAAA", "networks": ["192.0.2.3/32"]}],
        "witness_key": "ssh-ed25519 AAAA eye",
        "witness_networks": ["192.0.2.4/32"],
        "backup": {"keep_days": 30},
    }
    tables["directory"]["roster_id_attribute"] = "employeeID"
    (tmp_path / "given.toml").write_text(toml({**tables, **given}))
    before = setup.from_file(tmp_path / "given.toml", etc)
    right = {**tables, **{f"directory.{name}": value for name, value in tables["directory"].items()}}
    right |= {"data_device": "", "admin_networks": "198.51.100.0/24"}
    after = setup.from_person(lambda question, _default: right[question.key], etc, "Europe/Berlin")
    assert after.admin_networks == ["198.51.100.0/24"]
    assert msgspec.structs.replace(after, admin_networks=before.admin_networks) == before


def test_the_zone_of_the_machine(tmp_path: Path) -> None:
    assert setup.zone_of_machine(tmp_path) == "UTC"
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "localtime").symlink_to("/usr/share/zoneinfo/America/Chicago")
    assert setup.zone_of_machine(tmp_path) == "America/Chicago"


def test_the_command_refuses_with_its_own_code(
    tables: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "CONFIGURATION", tmp_path / "etc")
    (tmp_path / "wrong.toml").write_text(toml({**tables, "direktory": 1}))
    done = CliRunner().invoke(wardwell, ["setup", "--answers", str(tmp_path / "wrong.toml")])
    assert isinstance(done.exception, Refused)
    assert not (tmp_path / "etc").exists()


def test_secrets_are_masked_however_deep_they_lie() -> None:
    shown = commands.masked(
        {"feeds": [{"name": "cad", "password_hash": "$6$abc"}, {"name": "rms", "password_hash": ""}]}
    )
    assert shown == {"feeds": [{"name": "cad", "password_hash": "(set)"}, {"name": "rms", "password_hash": ""}]}
