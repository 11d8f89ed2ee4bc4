"""Promise: the commands end with a code that a script can rely on, and `status` knows what the last run came to."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appliance.backup import last_run
from appliance.custody.shares import Scheme, split
from provisioning.cli import main
from tests.backup.conftest import Site


@dataclass
class Done:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("create", "--to", DIR, stdin="")`: the whole command with its exit code, in this process."""
    monkeypatch.setenv("WARDWELL_HOME", str(site.home.root))

    def runs(*arguments: str, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "argv", ["wardwell", "backup", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return runs


@pytest.fixture
def made(site: Site) -> Site:
    site.create()
    return site


def test_create_list_verify_restore(run: Run, site: Site, tmp_path: Path) -> None:
    done = run("create", "--to", str(site.to), "--json")
    facts: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode, facts["ledger_size"], facts["verified"]) == (0, 300, "read back")
    assert "cut taken" in done.stderr
    record = last_run.read(site.home)
    assert record is not None and record.ok and record.last_good == facts["made_at"]
    listed = json.loads(run("list", str(site.to), "--json").stdout)
    assert [one["id"] for one in listed["backups"]] == [facts["id"]]
    assert run("verify", str(site.to)).returncode == 0
    whole = run("verify", str(site.to), "--identity", "-", "--restore-into", str(tmp_path / "s"), stdin=site.root)
    assert (whole.returncode, list((tmp_path / "s").iterdir())) == (0, [])
    second = tmp_path / "second"
    restore = ["restore", str(site.to), "--to", str(second), "--identity", str(site.home.root / "root")]
    assert run(*restore, "--dry-run").returncode == 0
    assert not second.exists()
    assert run(*restore).returncode == 0
    again = run(*restore)
    assert (again.returncode, "not empty" in again.stderr) == (3, True)
    mark = json.loads((second / "restored.json").read_text())
    assert (mark["backup"], mark["size"]) == (facts["id"], 300)


def test_wrong_usage_is_two_and_a_refusal_three(run: Run, made: Site, tmp_path: Path) -> None:
    assert run("create", "--nothing").returncode == 2
    assert run("verify", str(made.to), "--restore-into", str(tmp_path / "s")).returncode == 2
    assert run("create", "--to", str(tmp_path / "missing")).returncode == 3
    wrong = run("restore", str(made.to), "--to", str(tmp_path / "x"), "--identity", "-", stdin=b"\1" * 32)
    assert (wrong.returncode, (tmp_path / "x").exists()) == (3, False)
    assert "what to do" in wrong.stderr
    short = run("restore", str(made.to), "--to", str(tmp_path / "x"), "--identity", "-", stdin=b"\1" * 31)
    assert short.returncode == 1 and "not a root secret" in short.stderr


def test_a_failure_ends_with_one_and_is_noted(run: Run, made: Site) -> None:
    database = made.home.database("press")
    data = bytearray(database.read_bytes())
    data[-3000:-2000] = bytes(1000)
    database.write_bytes(bytes(data))
    done = run("create", "--to", str(made.to))
    assert done.returncode == 1
    record = last_run.read(made.home)
    assert record is not None and not record.ok and "press" in record.message
    assert "Traceback" not in done.stderr


def test_a_disk_that_is_not_plugged_in_is_refused(run: Run, made: Site) -> None:
    made.home.settings_file.write_text(
        f'agency = "Test Agency"\ndemonstration = true\n[backup]\nto = "{made.to}"\nmounted = true\n'
    )
    done = run("create")
    assert (done.returncode, "No disk is mounted" in done.stderr) == (3, True)
    assert run("create", "--to", str(made.to)).returncode == 0  # control: named by hand, it is taken as it is


def test_a_damaged_backup_makes_verify_and_list_end_with_one(run: Run, made: Site) -> None:
    assert run("verify", str(made.to)).returncode == 0
    next(made.to.glob("pieces/*/*.age")).unlink()
    assert run("verify", str(made.to)).returncode == 1
    manifest = next(made.to.glob("backups/*/manifest.json"))
    manifest.write_bytes(b"{}")
    assert run("list", str(made.to)).returncode == 1
    assert json.loads(run("verify", str(made.to), "--json").stdout)["ok"] is False


def test_a_folder_that_is_not_there_is_no_empty_list(run: Run, made: Site, tmp_path: Path) -> None:
    for command in ("list", "verify"):
        done = run(command, str(tmp_path / "not-attached"))
        assert (done.returncode, "not-attached" in done.stderr) == (3, True), (command, done.stderr)
    assert "1 backups." in run("list", str(made.to)).stdout  # the control


def test_a_sealed_appliance_makes_none_and_says_so(run: Run, made: Site) -> None:
    made.home.key("desk").unlink()
    done = run("create", "--to", str(made.to))
    assert (done.returncode, "sealed" in done.stderr) == (1, True)


def test_cards_of_both_groups_open_a_backup_and_of_one_do_not(run: Run, made: Site, tmp_path: Path) -> None:
    cards = split(made.root, Scheme())
    enough = [cards["agency"][0], *cards["trustee"][:2]]
    restore = ("restore", str(made.to), "--to", str(tmp_path / "second"), "--stdin")
    one_side = run(*restore, stdin="\n".join(card.words for card in cards["trustee"]).encode())
    assert (one_side.returncode, "Both groups" in one_side.stderr) == (1, True)
    assert not (tmp_path / "second").exists()
    assert run(*restore, stdin="\n".join(card.words for card in enough).encode()).returncode == 0
    assert (tmp_path / "second" / "ledger" / "restored.note").exists()  # what the ledger appends when it starts
