"""Promise: twice a day the access log commits to the newest version of every vault, and says nothing of anybody."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from appliance import clock
from appliance.charter import Charter
from appliance.crypto import merkle
from appliance.desk import versions
from appliance.desk.models.vault import Vault, VaultVersion
from appliance.errors import WardwellError
from appliance.storage import Store

START = datetime(2026, 11, 1, 9, tzinfo=UTC)
HANDLES = [f"{number:032x}" for number in (3, 1, 2)]


def _vaults(desk: Store) -> None:
    with desk.write() as session:
        for number, handle in enumerate(HANDLES):
            session.add(
                Vault(
                    handle=handle,
                    version=10 + number,
                    blob=b"",
                    wraps={},
                    enrolled_on=START.date(),
                    mailbox_key=b"",
                    mailbox_leaf_index=0,
                )
            )


def _holds(leaf: dict[str, Any], handle: str, row: dict[str, Any]) -> bool:
    hashed = merkle.leaf_hash(versions.row_of(handle, row["version"], row["salt"]))
    proof = [bytes.fromhex(step) for step in row["proof"]]
    root = bytes.fromhex(leaf["root"])
    proved = merkle.verify_inclusion(hashed, row["position"], row["rows"], proof, root)
    return proved and bool(row["rows"] == leaf["rows"])


def test_each_vaults_newest_version_is_proved_to_its_owner_alone(desk: Store, charter: Charter, ledger: Any) -> None:
    with clock.held(START):
        assert not versions.commit_due(desk, charter), "there is no vault yet"
        _vaults(desk)
        assert versions.commit_due(desk, charter)
    (leaf,) = ledger.leaves("versions")
    for number, handle in enumerate(HANDLES):
        (row,) = versions.proofs(desk, handle, -1)
        assert row["version"] == 10 + number
        assert _holds(leaf, handle, row)
        assert not _holds(leaf, handle, {**row, "version": 9}), "the control"
        assert versions.proofs(desk, handle, row["leaf_index"]) == []
    # Nothing of a person, and nothing that a person who knows handle and number could try out.
    assert set(leaf) == {"v", "kind", "at", "root", "rows", "previous"}
    assert not any(handle in json.dumps(leaf) for handle in HANDLES)


def test_twice_within_the_cosignature_age_whether_or_not_anybody_saved_and_chained(
    desk: Store, charter: Charter, ledger: Any
) -> None:
    _vaults(desk)
    every = timedelta(hours=charter.constants.cosignature_age_hours) / 2
    for after, due in ((0.0, True), (0.9, False), (1.0, True), (2.0, True), (2.5, False)):
        with clock.held(START + every * after):
            assert versions.commit_due(desk, charter) is due
    leaves = ledger.leaves("versions")
    indexes = [row["leaf_index"] for row in versions.proofs(desk, HANDLES[0], -1)]
    assert [leaf["previous"] for leaf in leaves] == [-1, *indexes[:-1]]
    with clock.held(START + timedelta(days=42)):
        versions.commit_due(desk, charter)
    assert len(versions.proofs(desk, HANDLES[0], -1)) == 1, "older proofs than any backup are of no use"


def test_a_ledger_that_is_down_costs_nothing_but_time(desk: Store, charter: Charter, ledger: Any) -> None:
    _vaults(desk)
    ledger.down = True
    with pytest.raises(WardwellError):
        versions.commit_due(desk, charter)
    assert versions.proofs(desk, HANDLES[0], -1) == []
    ledger.down = False
    assert versions.commit_due(desk, charter)
    assert len(versions.proofs(desk, HANDLES[0], -1)) == 1


def test_a_crash_between_leaf_and_row_makes_no_second_leaf(desk: Store, charter: Charter, ledger: Any) -> None:
    _vaults(desk)
    assert versions.commit_due(desk, charter)
    (row,) = versions.proofs(desk, HANDLES[0], -1)
    with desk.write() as session:
        for one in session.scalars(select(VaultVersion)):
            one.leaf_index = -1
    assert versions.commit_due(desk, charter)
    assert versions.proofs(desk, HANDLES[0], -1) == [row]
    assert len(ledger.leaves("versions")) == 1


def test_who_left_is_in_no_later_batch(desk: Store, charter: Charter, ledger: Any) -> None:
    _vaults(desk)
    assert versions.commit_due(desk, charter)
    with desk.write() as session:
        session.execute(delete(Vault).where(Vault.handle == HANDLES[0]))
    with clock.held(clock.now() + timedelta(days=1)):
        assert versions.commit_due(desk, charter)
    assert [leaf["rows"] for leaf in ledger.leaves("versions")] == [3, 2]
