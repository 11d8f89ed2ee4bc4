"""Keys come from one root secret, are never made anew beside a database, and lie readable for nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from appliance.custody.keys import compartment_key, create_file_custody, root_file
from appliance.errors import WardwellError
from appliance.settings import COMPARTMENTS, Home
from appliance.storage import open_store
from appliance.storage.migrate import upgrade


@pytest.fixture
def bare(tmp_path: Path) -> Home:
    home = Home(tmp_path / "bare")
    home.root.mkdir()
    home.settings_file.write_text('agency = "Test"\ndemonstration = true\n')
    return home


def test_each_compartment_has_its_own_key_from_the_root() -> None:
    import hashlib
    import hmac

    root = bytes(range(32))
    keys = {name: compartment_key(root, name) for name in COMPARTMENTS}
    assert len(set(keys.values())) == len(COMPARTMENTS)
    extracted = hmac.new(bytes(32), root, hashlib.sha256).digest()
    assert keys["ledger"] == HKDFExpand(SHA256(), 32, b"wardwell/v1/db/ledger").derive(extracted).hex()
    with pytest.raises(ValueError, match="no compartment"):
        compartment_key(root, "../desk")
    with pytest.raises(WardwellError, match="32 bytes"):
        compartment_key(root[:31], "desk")


def test_founding_twice_changes_nothing_and_closes_the_files(bare: Home) -> None:
    create_file_custody(bare)
    first = {path: path.read_bytes() for path in [root_file(bare), *map(bare.key, COMPARTMENTS)]}
    create_file_custody(bare)
    assert first == {path: path.read_bytes() for path in first}
    assert {path.stat().st_mode & 0o777 for path in first} == {0o600}
    assert {bare.folder(name).stat().st_mode & 0o777 for name in COMPARTMENTS} == {0o700}


def test_a_lost_key_comes_back_from_the_root_and_opens_the_old_database(bare: Home) -> None:
    create_file_custody(bare)
    store = open_store(bare, "ledger")
    upgrade(store)
    store.close()
    bare.key("ledger").unlink()
    create_file_custody(bare)
    store = open_store(bare, "ledger")
    store.close()


def test_no_new_root_beside_old_databases_and_no_foreign_key(bare: Home) -> None:
    create_file_custody(bare)
    store = open_store(bare, "ledger")
    upgrade(store)
    store.close()
    root = root_file(bare).read_bytes()
    root_file(bare).unlink()
    with pytest.raises(WardwellError, match="databases"):
        create_file_custody(bare)
    assert not root_file(bare).exists()
    root_file(bare).write_bytes(root[::-1])
    with pytest.raises(WardwellError, match="not the one"):
        create_file_custody(bare)


@pytest.mark.parametrize("line", ["demonstration = false", 'demonstration = true\ncustody = "shares"'])
def test_no_root_on_disk_outside_a_demonstration(bare: Home, line: str) -> None:
    bare.settings_file.write_text(line + "\n")
    with pytest.raises(WardwellError, match="Only a demonstration"):
        create_file_custody(bare)
    assert not root_file(bare).exists()
