"""Verification names the first bad thing after any edit; the witness cosigns one growing log and nothing else."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance import clock
from appliance.crypto.notes import Checkpoint, Signer, Verifier, cosigned_at
from appliance.crypto.tiles import Builder, publish, tile_files
from appliance.errors import WardwellError
from appliance.kit.commands import kit
from appliance.kit.verify import verify_files, verify_home
from appliance.kit.witness import Alarm, Folders, Witness
from appliance.ledger import keys
from appliance.ledger.commands import ledger as ledger_command
from appliance.ledger.log import Log
from appliance.settings import Home
from appliance.spool.messages import Append
from tests.ledger.support import folders_of, forge, grow


@pytest.mark.parametrize("size", [5, 300])
def test_one_flipped_byte_in_any_public_file_is_found(log: Log, founded: Home, witness: Witness, size: int) -> None:
    grow(log, 2)
    grow(log, size - 2)
    witness.look()
    assert verify_home(founded).ok
    files = [*(founded.public / "ledger" / name for name in tile_files(founded.public / "ledger"))]
    files += [founded.public / "ledger" / "checkpoint", founded.public / "witness" / "checkpoint"]
    files.append(founded.public / "ledger" / "vkey")
    assert len(files) >= 6
    for path in files:
        good = path.read_bytes()
        for position in {0, len(good) // 3, len(good) - 1}:
            path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
            problem = verify_home(founded).problem
            assert problem is not None, f"{path} at {position}"
            path.write_bytes(good)
        path.unlink()
        stale = path.parent.name == "000.p" and path.name == "2"
        assert stale or not verify_home(founded).ok, path
        path.write_bytes(good)
    assert verify_home(founded).ok


def test_the_edited_entry_is_named(log: Log, founded: Home, witness: Witness) -> None:
    grow(log, 40)
    witness.look()
    path = founded.public / "ledger/tile/entries/000.p/40"
    path.write_bytes(path.read_bytes().replace(b'"version":17', b'"version":71'))
    problem = verify_home(founded).problem
    assert problem is not None
    assert problem[0] == "entry 17"


def test_files_that_the_log_did_not_write_are_named(log: Log, founded: Home, witness: Witness) -> None:
    grow(log, 5)
    witness.look()
    (founded.public / "ledger/tile/notes").write_text("x")
    assert verify_home(founded).problem == ("tile/notes", "the log did not write this file")


def test_a_forged_history_with_the_ledgers_own_key_is_caught_by_the_witness(
    log: Log, founded: Home, witness: Witness
) -> None:
    grow(log, 5)
    witness.look()
    entries = [b'{"kind":"grant","n":%d,"v":1}' % n for n in range(6)]
    forge(founded, entries)
    problem = verify_home(founded).problem
    assert problem is not None
    assert "rewritten" in problem[1]
    forge(founded, entries[:3])
    problem = verify_home(founded).problem
    assert problem is not None
    assert "shrank" in problem[1]


def test_the_witness_refuses_a_fork_and_a_shrunken_log_and_keeps_the_alarm(
    log: Log, founded: Home, witness: Witness
) -> None:
    grow(log, 5)
    assert witness.look() is not None
    assert witness.look() is None
    honest = (founded.public / "witness/checkpoint").read_bytes()
    saved = founded.root / "saved"
    shutil.copytree(founded.public / "ledger", saved)
    for entries in ([b"{}"] * 7, [b"{}"] * 2, [b"{}"] * 5):
        forge(founded, entries)
        with pytest.raises(Alarm):
            witness.look()
    assert (founded.public / "witness/checkpoint").read_bytes() == honest
    alarms = list((founded.root / "demo/witness").glob("alarm-*.json"))
    assert len(alarms) == 1
    assert "rewritten" in json.loads(alarms[0].read_text())["alarm"]
    assert (founded.public / "witness/alarm.json").exists()
    # The honest log again: the witness goes on, and its own record of the alarm stays.
    shutil.rmtree(founded.public / "ledger")
    shutil.copytree(saved, founded.public / "ledger")
    grow(log, 1)
    checkpoint = witness.look()
    assert checkpoint is not None
    assert checkpoint.size == 6
    assert alarms[0].exists()


def test_the_witness_refuses_a_second_ticket_key(log: Log, founded: Home, witness: Witness) -> None:
    key = b'{"at":"2026-11-23T06:00:00Z","kind":"ticket-key","period":"2026-11","purpose":"request","spki":"%s","v":1}'
    log.append_all([Append(kind="ticket-key", public={"purpose": "reply", "period": "2026-11", "spki": "AAAA"})])
    log.publish()
    witness.look()
    first = log_entry(founded)
    forge(founded, [first, key % b"AAAA"])
    witness.look()
    forge(founded, [first, key % b"AAAA", key % b"BBBB"])
    with pytest.raises(Alarm, match="second ticket key"):
        witness.look()
    assert verify_home(founded).witnessed_size == 2


def log_entry(home: Home) -> bytes:
    from appliance.crypto.tlog import PublicLog

    return PublicLog(home.public / "ledger").entry(0)


def test_a_cosignature_is_renewed_while_nothing_happens(log: Log, founded: Home, witness: Witness) -> None:
    grow(log, 1)
    witness.look()
    vkey = Verifier.parse((founded.public / "witness/vkey").read_text())
    first = cosigned_at((founded.public / "witness/checkpoint").read_bytes(), vkey)
    with clock.held(clock.now() + timedelta(minutes=6)):
        assert witness.look() is not None
    assert cosigned_at((founded.public / "witness/checkpoint").read_bytes(), vkey) > first


def test_a_damaged_tile_is_no_alarm_but_nothing_is_cosigned(log: Log, founded: Home, witness: Witness) -> None:
    grow(log, 5)
    witness.look()
    before = (founded.public / "witness/checkpoint").read_bytes()
    grow(log, 5)
    (founded.public / "ledger/tile/entries/000.p/10").unlink()
    with pytest.raises(WardwellError) as caught:
        witness.look()
    assert not isinstance(caught.value, Alarm)
    assert (founded.public / "witness/checkpoint").read_bytes() == before


def test_the_ledgers_key_is_pinned_at_the_first_look(log: Log, founded: Home, witness: Witness) -> None:
    grow(log, 1)
    witness.look()
    other = Signer.generate("wardwell/test-agency")
    with pytest.raises(WardwellError, match="another log's key"):
        Witness(folders_of(founded), str(other.verifier))
    builder = Builder()
    builder.add(b"{}")
    note = other.sign(Checkpoint(other.name, 1, builder.root()).text())
    publish(founded.public / "ledger", builder.take_full(), builder.take_partial(), note)
    (founded.public / "ledger/vkey").write_text(str(other.verifier))
    with pytest.raises(WardwellError, match="not signed by"):
        Witness(folders_of(founded)).look()


def test_the_commands(log: Log, founded: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDWELL_HOME", str(founded.root))
    grow(log, 3)
    state, out = tmp_path / "union", tmp_path / "out"
    run = CliRunner().invoke
    result = run(kit, ["witness", "--once", "--state", str(state), "--out", str(out)])
    assert (result.exit_code, result.output) == (0, "Cosigned 3 entries of wardwell/test-agency.\n")
    assert run(kit, ["witness"]).exit_code == 2
    assert run(kit, ["witness", "--once"]).exit_code == 0
    result = run(ledger_command, ["verify", "--json", "--database"])
    assert result.exit_code == 0
    assert json.loads(result.output)["size"] == 3
    assert '"version": 2' in run(ledger_command, ["show", "--json", "--last", "1"]).output
    ours = ["--ledger-key", (founded.public / "ledger/vkey").read_text()]
    theirs = ["--witness-note", str(out / "checkpoint"), "--witness-key", (out / "vkey").read_text()]
    copy = tmp_path / "copy"
    shutil.copytree(founded.public / "ledger", copy)
    result = run(kit, ["verify", "--log", str(copy), *ours, *theirs])
    assert result.exit_code == 0, result.output
    assert "The witness cosigned 3" in result.output
    bundle = copy / "tile/entries/000.p/3"
    bundle.write_bytes(bundle.read_bytes().replace(b'"version":1', b'"version":4'))
    result = run(kit, ["verify", "--log", str(copy), *ours, *theirs])
    assert result.exit_code == 1
    assert "NOT VERIFIED: entry 1" in result.output


def test_without_a_witness_the_files_can_still_be_verified(log: Log, founded: Home) -> None:
    grow(log, 3)
    report = verify_files(founded.public / "ledger", keys.load(founded).verifier, None, None)
    assert report.ok
    assert report.witnessed_at is None


def test_state_and_output_may_be_other_machines(log: Log, founded: Home, tmp_path: Path) -> None:
    grow(log, 3)
    eye = Witness(Folders(tmp_path / "state", founded.public / "ledger", tmp_path / "stick"))
    assert eye.look() is not None
    assert (tmp_path / "state/witness.key").stat().st_mode & 0o777 == 0o600
