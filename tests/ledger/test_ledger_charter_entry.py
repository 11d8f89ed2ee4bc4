"""The charter in force is entered into the access log once, and again only when it changed."""

from __future__ import annotations

import shutil

from appliance.charter import load_charter, signatures
from appliance.crypto import sshsig
from appliance.ledger.log import Log
from appliance.settings import Home
from appliance.storage import Store
from tests.support.ledger import running


def sign(home: Home) -> None:
    shutil.copy(home.charter_file, home.public / "charter.toml")
    for signer in signatures.SIGNERS:
        key = home.root / f"{signer}.key"
        if not key.exists():
            key.write_bytes(sshsig.generate_private_openssh())
        (home.public / f"{signer}.pub").write_text(sshsig.public_line(sshsig.load_private(key), signer))
        signatures.sign(home.public / "charter.toml", key, signer)


def test_the_charter_is_entered_once_per_change(store: Store, founded: Home) -> None:
    sign(founded)
    with running(founded, store) as ledger:
        assert signatures.enter(founded) == 0
        ledger.log.publish()
        assert signatures.enter(founded) is None
        founded.charter_file.write_text(founded.charter_file.read_text() + "\n# agreed again\n")
        sign(founded)
        assert signatures.enter(founded) == 1
        ledger.log.publish()
        leaf = signatures.ledgered(founded)
        assert leaf is not None
        assert leaf["digest"] == load_charter(founded).digest
    assert Log(store).size == 2
