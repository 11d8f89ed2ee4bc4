"""One history: a crash loses nothing, and a database that was edited or set back is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from appliance.crypto.tlog import PublicLog
from appliance.crypto.trusted_keys import NotWitnessed, require_witnessed
from appliance.errors import WardwellError
from appliance.kit.verify import verify_home
from appliance.kit.witness import Witness
from appliance.ledger import keys
from appliance.ledger.log import Disagreement, Log, first_difference
from appliance.ledger.models import Leaf
from appliance.settings import Home
from appliance.storage import Store
from tests.ledger.support import about, grow

ANN = "a" * 32


def test_a_crash_before_publishing_loses_nothing(store: Store, founded: Home) -> None:
    grow(Log(store), 5)
    Log(store).append_all([about(ANN)])  # durable, and the process dies before tiles are written
    assert PublicLog(founded.public / "ledger").size == 5
    assert Log(store).size == 6
    assert PublicLog(founded.public / "ledger").size == 6
    assert verify_home(founded).problem is not None  # no witness has looked yet


def test_the_tree_is_the_same_however_often_the_ledger_starts(store: Store, founded: Home, witness: Witness) -> None:
    for _ in range(4):
        grow(Log(store), 130)
    witness.look()
    report = verify_home(founded)
    assert report.ok, report.problem
    assert (report.size, report.witnessed_size) == (520, 520)


@pytest.mark.parametrize("position", [0, 3, 299])
def test_an_edited_database_is_refused_and_the_entry_named(store: Store, founded: Home, position: int) -> None:
    grow(Log(store), 300)
    assert first_difference(store, PublicLog(founded.public / "ledger")) is None
    with store.write() as session:
        session.execute(update(Leaf).where(Leaf.position == position).values(data=b'{"v":1,"kind":"grant"}'))
    assert first_difference(store, PublicLog(founded.public / "ledger")) == position
    with pytest.raises(Disagreement, match=f"at entry {position}\\."):
        Log(store)


def test_a_deleted_entry_and_an_older_database_are_refused(store: Store) -> None:
    grow(Log(store), 10)
    with store.write() as session:
        session.execute(delete(Leaf).where(Leaf.position == 9))
    with pytest.raises(Disagreement, match="9 entries, and 10"):
        Log(store)
    with store.write() as session:
        session.execute(delete(Leaf).where(Leaf.position == 4))
    with pytest.raises(Disagreement, match="Entry 4 is missing"):
        Log(store)


def test_root_who_rewrites_database_and_files_is_refused_by_what_the_witness_saw(
    store: Store, founded: Home, witness: Witness
) -> None:
    grow(Log(store), 5)
    witness.look()
    with store.write() as session:
        session.execute(update(Leaf).where(Leaf.position == 2).values(data=b'{"kind":"grant","n":9,"v":1}'))
    for path in sorted((founded.public / "ledger").rglob("*"), reverse=True):
        if path.name != "vkey":
            path.unlink() if path.is_file() else path.rmdir()
    with pytest.raises(Disagreement):
        Log(store)


def test_the_key_is_never_made_anew_under_a_published_log(store: Store, founded: Home) -> None:
    grow(Log(store), 1)
    vkey = keys.create(founded)
    assert keys.create(founded) == vkey
    assert keys.key_file(founded).stat().st_mode & 0o777 == 0o600
    keys.key_file(founded).unlink()
    with pytest.raises(WardwellError, match="already published"):
        keys.create(founded)


def test_relying_on_a_leaf_needs_the_witness(log: Log, founded: Home, witness: Witness) -> None:
    def is_first(leaf: dict[str, object]) -> bool:
        return leaf["kind"] == "roster" and leaf["version"] == 0

    grow(log, 3)
    with pytest.raises(NotWitnessed):
        require_witnessed(founded, 0, is_first)
    witness.look()
    assert require_witnessed(founded, 0, is_first).log.size == 3
    with pytest.raises(WardwellError, match="not the expected one"):
        require_witnessed(founded, 1, is_first)
    grow(log, 1)
    with pytest.raises(NotWitnessed):
        require_witnessed(founded, 3, is_first)
    bundle = founded.public / "ledger" / "tile/entries/000.p/3"
    bundle.write_bytes(bundle.read_bytes().replace(b'"version":0', b'"version":7'))
    with pytest.raises(WardwellError, match="does not fit"):
        require_witnessed(founded, 0, is_first)


def test_outside_a_demonstration_keys_count_only_when_the_trustee_signed_them(log: Log, founded: Home) -> None:
    from appliance.crypto import sshsig
    from appliance.crypto.trusted_keys import trusted_keys

    assert str(trusted_keys(founded)[0]) == (founded.public / "ledger/vkey").read_text().strip()
    founded.settings_file.write_text('agency = "Test Agency"\n')
    with pytest.raises(WardwellError, match=r"site\.json is missing"):
        trusted_keys(founded)
    stated = {f"{name}_vkey": (founded.public / name / "vkey").read_text().strip() for name in ("ledger", "witness")}
    raw = json.dumps(stated).encode()
    (founded.public / "site.json").write_bytes(raw)
    for signer in ("trustee", "agency"):
        with pytest.raises(WardwellError, match=r"not signed by the agency"):
            trusted_keys(founded)
        key_file: Path = founded.root / signer
        key_file.write_bytes(sshsig.generate_private_openssh())
        private = sshsig.load_private(key_file)
        (founded.public / f"{signer}.pub").write_text(sshsig.public_line(private, signer))
        (founded.public / f"site.json.{signer}.sig").write_bytes(sshsig.sign(private, raw, "wardwell-site"))
    assert str(trusted_keys(founded)[1]) == stated["witness_vkey"]
    (founded.public / "site.json").write_bytes(raw.replace(b"wardwell", b"wardvell"))
    with pytest.raises(WardwellError):
        trusted_keys(founded)
