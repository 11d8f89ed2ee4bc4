"""A restored log: both custody groups say so, the witness goes on, and whatever is no restore is a fork as before."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from appliance import clock
from appliance.crypto.canonical import canonical
from appliance.crypto.notes import Checkpoint, Signer, Verifier, cosigned_at
from appliance.crypto.restore_statement import CUSTODY_KEY, Restored
from appliance.crypto.tiles import Builder
from appliance.crypto.tlog import PublicLog
from appliance.crypto.trusted_keys import witnessed
from appliance.custody.keys import custody_signer
from appliance.custody.restore_signature import ORDER, publish_custody_key, record_restore
from appliance.errors import WardwellError
from appliance.kit.verify import verify_home
from appliance.kit.witness import Alarm, Witness
from appliance.ledger import keys
from appliance.ledger.log import Disagreement, Log
from appliance.settings import Home
from appliance.spool.messages import Append, Refused
from appliance.storage import open_store
from tests.ledger.support import folders_of, forge, grow, numbered

ROOT = bytes(range(32))


@pytest.fixture
def before(founded: Home) -> Callable[[], Path]:
    """Ten entries witnessed, then a backup of them; gives the backup. The ledger is closed."""
    publish_custody_key(founded, ROOT)
    _append(founded, 10)
    Witness(folders_of(founded)).look()

    def backup() -> Path:
        target = founded.root.parent / "backup"
        shutil.copytree(founded.root, target)
        return target

    return backup


def _append(home: Home, count: int) -> None:
    store = open_store(home, "ledger")
    grow(Log(store), count)
    store.close()


def restore(home: Home, backup: Path) -> dict[str, object]:
    """Put ledger and public files back as they were; the witness has a machine of its own and keeps what it knows."""
    head = PublicLog(backup / "public/ledger").checkpoint()
    for name in ("ledger", "public/ledger"):
        shutil.rmtree(home.root / name)
        shutil.copytree(backup / name, home.root / name)
    return {"size": head.size, "root": head.root.hex()}


def record(home: Home, mark: dict[str, object]) -> str:
    """Custody's word, a moment after the old history ended: a cosignature counts whole seconds."""
    with clock.held(clock.now() + timedelta(seconds=2)):
        return record_restore(home, ROOT, mark)


def test_a_restored_log_is_accepted_with_the_word_of_both_groups(founded: Home, before: Callable[[], Path]) -> None:
    backup = before()
    _append(founded, 7)
    witness = Witness(folders_of(founded))
    witness.look()
    mark = restore(founded, backup)
    record(founded, mark)
    _append(founded, 2)
    assert not (founded.folder("ledger") / ORDER).exists()
    log = PublicLog(founded.public / "ledger")
    assert (log.size, log.leaf(10)["kind"], log.leaf(10)["size"]) == (13, "restored", 10)
    checkpoint = witness.look()
    assert checkpoint is not None
    assert checkpoint.size == 13
    assert verify_home(founded).ok
    assert witnessed(founded).log.size == 13
    assert not (founded.public / "witness/alarm.json").exists()
    state = folders_of(founded).state
    assert len(list(state.glob("given-up-17-*"))) == 1, "what was given up stays with the witness"
    _append(founded, 30)
    checkpoint = witness.look()
    assert checkpoint is not None
    assert checkpoint.size == 43


def test_without_that_word_a_restored_log_is_a_fork(founded: Home, before: Callable[[], Path]) -> None:
    backup = before()
    _append(founded, 7)
    witness = Witness(folders_of(founded))
    witness.look()
    restore(founded, backup)
    with pytest.raises(Disagreement):
        _append(founded, 1)
    (founded.public / "witness/checkpoint").unlink()
    for count in (1, 20):
        _append(founded, count)
        with pytest.raises(Alarm):
            witness.look()


@pytest.mark.parametrize("left", [b"", b"not a note\n", b"\xff" * 400])
def test_what_is_not_the_witnesss_word_does_not_keep_the_log_from_starting(
    founded: Home, before: Callable[[], Path], left: bytes
) -> None:
    before()
    # The control is the test above: its own word, about another history, does keep it from starting.
    (founded.public / "witness/checkpoint").write_bytes(left)
    _append(founded, 1)


def test_a_fork_with_the_old_word_in_it_is_still_a_fork(founded: Home, before: Callable[[], Path]) -> None:
    backup = before()
    _append(founded, 7)
    witness = Witness(folders_of(founded))
    witness.look()
    record(founded, restore(founded, backup))
    _append(founded, 20)
    witness.look()
    log = PublicLog(founded.public / "ledger")
    kept = log.entries(0, 11)
    for more in (5, 40):
        forge(founded, [*kept, *(canonical({"v": 1, "kind": "grant", "forged": n}) for n in range(more))])
        with pytest.raises(Alarm):
            witness.look()


def statement(home: Home, size: int, root: bytes, signer: Signer, ahead: timedelta = timedelta(seconds=2)) -> bytes:
    """A leaf that says that the log was restored."""
    stated = Restored(Checkpoint(keys.load(home).name, size, root), clock.now() + ahead)
    return canonical({"v": 1, "kind": "restored", "at": "x", **stated.public(stated.sign(signer))})


def test_what_is_no_restore_is_a_fork(founded: Home, before: Callable[[], Path]) -> None:
    before()
    early = clock.now()
    _append(founded, 7)
    witness = Witness(folders_of(founded))
    witness.look()
    log = PublicLog(founded.public / "ledger")
    entries, custody = log.entries(0, 17), custody_signer(ROOT)
    at10 = log.root_at(10)
    other = canonical({"v": 1, "kind": "grant", "forged": True})
    builder = Builder()
    for entry in [other, *entries[1:10]]:
        builder.add(entry)
    forgeries = {
        "signed by another key": [*entries[:10], statement(founded, 10, at10, custody_signer(bytes(32)))],
        "of another root": [*entries[:10], statement(founded, 10, bytes(32), custody)],
        "of a later size": [*entries[:10], statement(founded, 11, at10, custody)],
        "from the future": [*entries[:10], statement(founded, 10, at10, custody, timedelta(hours=2))],
        "from before the old history ended": [
            *entries[:10],
            statement(founded, 10, at10, custody, early - clock.now()),
        ],
        "rewritten before what was gone back to": [
            other,
            *entries[1:10],
            statement(founded, 10, builder.root(), custody),
        ],
        "before its own place": [*entries[:9], statement(founded, 10, at10, custody), entries[9]],
    }
    for name, forged in forgeries.items():
        forge(founded, forged)
        with pytest.raises(Alarm):
            witness.look()
        assert witnessed_size(founded) == 17, name
    forge(founded, [*entries[:10], statement(founded, 10, at10, custody), other])
    checkpoint = witness.look()
    assert checkpoint is not None, "the positive control: this one is a restore"
    assert checkpoint.size == 12


def witnessed_size(home: Home) -> int:
    return int((home.public / "witness/checkpoint").read_text().split("\n")[1])


def test_a_witness_that_never_saw_custodys_key_accepts_no_restore(founded: Home, before: Callable[[], Path]) -> None:
    backup = before()
    state = folders_of(founded).state
    (state / "custody.vkey").unlink()
    (founded.public / "ledger" / CUSTODY_KEY).unlink()
    _append(founded, 7)
    witness = Witness(folders_of(founded))
    witness.look()
    record(founded, restore(founded, backup))
    _append(founded, 2)
    with pytest.raises(Alarm):
        witness.look()
    given = Witness(folders_of(founded), None, str(custody_signer(ROOT).verifier))
    assert given.look() is not None, "the trustee gave it the key of the ceremony's papers"


def test_another_custody_key_is_named_and_not_taken(founded: Home, before: Callable[[], Path]) -> None:
    with pytest.raises(WardwellError, match="another custody key"):
        Witness(folders_of(founded), None, str(custody_signer(bytes(32)).verifier))


def test_the_ledger_takes_the_word_once_and_from_custody_alone(founded: Home, before: Callable[[], Path]) -> None:
    backup = before()
    _append(founded, 7)
    (founded.public / "witness/checkpoint").unlink()
    note = record(founded, restore(founded, backup))
    _append(founded, 1)
    # The power went after the entry was written and before the order was removed.
    (founded.folder("ledger") / ORDER).write_text(note)
    _append(founded, 1)
    log = PublicLog(founded.public / "ledger")
    assert [log.leaf(index)["kind"] for index in range(10, log.size)] == ["restored", "roster", "roster"]
    stated = Restored(log.checkpoint(), clock.now())
    (founded.folder("ledger") / ORDER).write_text(stated.sign(custody_signer(bytes(32))))
    with pytest.raises(WardwellError):
        _append(founded, 1)
    assert PublicLog(founded.public / "ledger").size == 13


def test_nobody_appends_such_an_entry_over_the_socket(founded: Home, before: Callable[[], Path]) -> None:
    store = open_store(founded, "ledger")
    log = Log(store)
    [refused, granted] = log.append_all([Append(kind="restored", public={"size": 1, "note": "x"}), numbered(1)])
    assert isinstance(refused, Refused)
    assert not isinstance(granted, Refused), "the positive control"
    store.close()


def test_the_ledger_runs_while_the_witness_still_shows_what_was_given_up(
    founded: Home, before: Callable[[], Path]
) -> None:
    backup = before()
    _append(founded, 7)
    Witness(folders_of(founded)).look()
    record(founded, restore(founded, backup))
    store = open_store(founded, "ledger")
    log = Log(store)
    grow(log, 30)
    assert not log.heed_witness()
    Witness(folders_of(founded)).look()
    log.heed_witness()
    assert cosigned_at((founded.public / "witness/checkpoint").read_bytes(), witness_key(founded)) <= clock.now()
    assert witnessed_size(founded) == 41
    store.close()


def witness_key(home: Home) -> Verifier:
    return Verifier.parse((home.public / "witness/vkey").read_text())
