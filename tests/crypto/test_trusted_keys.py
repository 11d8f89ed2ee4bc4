"""Each key file beside what it vouches for is swapped, with all that the thief can sign anew; none is believed.

The appliance is founded for real: two signers, the ledger behind its socket, a witness. Each attack has the untouched
appliance as its control, in the same test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from appliance import clock
from appliance.charter import signatures
from appliance.crypto import sshsig, tiles
from appliance.crypto.canonical import canonical
from appliance.crypto.notes import COSIGNATURE, Checkpoint, Signer
from appliance.crypto.restore_statement import CUSTODY_KEY
from appliance.crypto.trusted_keys import key_of, trusted_keys, witnessed
from appliance.desk.log_state import log_state
from appliance.desk.roster import publication
from appliance.errors import WardwellError
from appliance.health import keys as health
from appliance.kit.verify import verify_home
from appliance.kit.witness import Witness
from appliance.kit.witness import create as create_witness
from appliance.ledger import restore_entry
from appliance.press import keys as press_keys
from appliance.press import logview, pages, report
from appliance.settings import Home
from appliance.spool.append import LedgerDown, append
from appliance.spool.log_entries import Founded, request
from appliance.storage import Store
from tests.demonstration import founding
from tests.ledger.support import folders_of
from tests.support.ledger import RunningLedger, running

DAY = timedelta(days=1)
SIGNERS = ("agency", "trustee")
CUSTODY = Signer.generate("custody/test")


@pytest.fixture
def ledger(home: Home, store_of: Callable[[str], Store]) -> Iterator[RunningLedger]:
    """A founded appliance whose founding the witness has cosigned."""
    create_witness(home.root / "demo" / "witness", home.public / "witness")
    with running(home, store_of("ledger")) as served:
        (home.public / "ledger" / CUSTODY_KEY).write_text(str(CUSTODY.verifier))
        press_keys.report_key(home)
        founding.make_keys(home, dict.fromkeys(SIGNERS, "test"))
        founding.publish_charter(home)
        founding.publish_site(home, home.settings())
        signatures.enter(home)
        served.log.publish()
        Witness(folders_of(home)).look()
        yield served


class Thief:
    """Who can write everything in `public/`, and has a key of their own for each one there."""

    def __init__(self, home: Home) -> None:
        self.home, self.key = home, home.root / "thief"
        self.key.write_bytes(sshsig.generate_private_openssh())
        self.private = sshsig.load_private(self.key)
        self.line = sshsig.public_line(self.private, "test")

    def swap(self, signer: str) -> None:
        """Take the place of agency or trustee: key, charter's signature, site file's signature."""
        (self.home.public / f"{signer}.pub").write_text(self.line)
        self.sign(self.home.public / "charter.toml", "wardwell-charter", signer)
        self.sign(self.home.public / "site.json", "wardwell-site", signer)

    def sign(self, path: Path, namespace: str, signer: str) -> None:
        signature = sshsig.sign(self.private, path.read_bytes(), namespace)
        path.with_name(f"{path.name}.{signer}.sig").write_bytes(signature)


def charter_problems(home: Home) -> list[str]:
    return [signed.problem for signed in signatures.verify(home) if signed.problem]


def test_the_keys_of_the_founding_leaf_are_trusted(home: Home, ledger: RunningLedger) -> None:
    keys = trusted_keys(home)
    [leaf] = ledger.leaves("founding")
    assert (leaf["agency"], leaf["trustee"]) == (key_of(keys.agency), key_of(keys.trustee))
    assert "test" not in leaf["agency"], "a comment may be somebody's name"
    assert keys.anchor == "witnessed"
    assert keys.custody == CUSTODY.verifier
    assert charter_problems(home) == []
    assert verify_home(home).ok
    assert health.check(home)[0].ok
    assert log_state(home, DAY).problem == ""
    # Again: nothing is doubled.
    assert signatures.enter(home) is None
    assert ledger.log.size == 2


@pytest.mark.parametrize("signer", SIGNERS)
def test_a_signers_key_swapped_with_all_its_signatures(home: Home, ledger: RunningLedger, signer: str) -> None:
    assert charter_problems(home) == []
    assert "valid" in report._signature(home, signer)
    Thief(home).swap(signer)
    with pytest.raises(WardwellError, match=f"{signer}.pub is not the key"):
        trusted_keys(home)
    assert charter_problems(home)
    assert "NOT VALID" in report._signature(home, signer)
    assert verify_home(home).problem is not None
    with pytest.raises(WardwellError):
        witnessed(home)
    with pytest.raises(WardwellError):
        restore_entry.trusted_keys(ledger.store)


def test_a_swap_is_noticed_before_the_witness_came_and_when_its_word_is_gone(home: Home, ledger: RunningLedger) -> None:
    (home.public / "witness" / "checkpoint").unlink()
    assert trusted_keys(home).anchor == "ledgered"
    Thief(home).swap("trustee")
    with pytest.raises(WardwellError, match=r"trustee\.pub"):
        trusted_keys(home)


def test_a_site_file_that_is_gone_does_not_bring_the_time_before_the_founding_back(
    home: Home, ledger: RunningLedger
) -> None:
    assert trusted_keys(home).anchor
    (home.public / "site.json").unlink()
    with pytest.raises(WardwellError, match=r"site\.json is missing"):
        trusted_keys(home)
    assert log_state(home, DAY).problem


def test_a_roster_and_a_key_list_of_the_thief(home: Home, ledger: RunningLedger, tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("employee_number,name\n")
    founding.sign(home, roster, "wardwell-roster")
    assert publication.signers(home, roster) == ("test", "test")
    keylist = home.public / "keylist.json"
    keylist.write_bytes(canonical({"version": 1, "supporters": []}))
    own = sshsig.load_private(founding.key_file(home, "trustee"))
    (home.public / "keylist.json.sig").write_bytes(sshsig.sign(own, keylist.read_bytes(), "wardwell-keylist"))
    assert pages._supporters(home) == ([], 1)

    thief = Thief(home)
    for signer in SIGNERS:
        (home.public / f"{signer}.pub").write_text(thief.line)
        thief.sign(roster, "wardwell-roster", signer)
    (home.public / "keylist.json.sig").write_bytes(sshsig.sign(thief.private, keylist.read_bytes(), "wardwell-keylist"))
    with pytest.raises(WardwellError):
        publication.signers(home, roster)
    with pytest.raises(WardwellError):
        pages._supporters(home)


def test_the_witnesss_key_swapped_with_its_word(home: Home, ledger: RunningLedger) -> None:
    assert log_state(home, DAY).problem == ""
    thief = Signer.generate("witness/thief", COSIGNATURE)
    note = (home.public / "ledger" / "checkpoint").read_bytes()
    (home.public / "witness" / "checkpoint").write_bytes(thief.cosign(note, clock.now()))
    (home.public / "witness" / "vkey").write_text(str(thief.verifier))
    assert log_state(home, DAY).problem
    assert not health.check(home)[0].ok
    assert trusted_keys(home).anchor == "ledgered", "the thief's word vouches for nothing"


def test_the_logs_key_swapped_with_the_whole_log(home: Home, ledger: RunningLedger) -> None:
    assert log_state(home, DAY).origin
    thief, builder = Signer.generate(ledger.log._signer.name), tiles.Builder()
    builder.add(canonical({"v": 1, "kind": "charter", "at": "2026-11-23T06:00:00Z"}))
    note = thief.sign(Checkpoint(thief.name, builder.size, builder.root()).text())
    tiles.publish(home.public / "ledger", builder.take_full(), builder.take_partial(), note)
    (home.public / "ledger" / "vkey").write_text(str(thief.verifier))
    assert log_state(home, DAY).origin == ""
    with pytest.raises(WardwellError):
        logview.read_log(home)
    with pytest.raises(WardwellError):
        signatures.ledgered(home)


def test_the_report_key_swapped(home: Home, ledger: RunningLedger) -> None:
    line = press_keys.report_public_line(home)
    assert logview.site_agrees(home, line) is True
    assert health.check(home)[0].ok
    thief = Thief(home)
    (home.public / "press" / "report.pub").write_text(thief.line)
    assert "report.pub" in health.check(home)[0].says
    assert key_of(trusted_keys(home).report) == key_of(line)
    site = home.public / "site.json"
    site.write_bytes(canonical(json.loads(site.read_bytes()) | {"report_key": thief.line}))
    with pytest.raises(WardwellError):
        logview.site_agrees(home, thief.line)


def test_custodys_key_swapped(home: Home, ledger: RunningLedger) -> None:
    assert health.check(home)[0].ok
    thief = Signer.generate("custody/test")
    (home.public / "ledger" / CUSTODY_KEY).write_text(str(thief.verifier))
    assert restore_entry.custody_key(ledger.store) == CUSTODY.verifier
    assert not health.check(home)[0].ok


def test_the_ledger_takes_one_founding_leaf(home: Home, ledger: RunningLedger) -> None:
    keys = trusted_keys(home)
    same = Founded(agency=key_of(keys.agency), trustee=key_of(keys.trustee))
    assert append(home, request(same)).public_index == 0
    with pytest.raises(LedgerDown, match="founded with other keys"):
        append(home, request(Founded(agency=key_of(Thief(home).line), trustee=key_of(keys.trustee))))
    assert ledger.leaves("founding")[0]["agency"] == key_of(keys.agency)


def test_a_log_without_the_leaf_is_told(home: Home, store_of: Callable[[str], Store]) -> None:
    """An appliance that was founded before there was such a leaf: all works, and the status page says what to do."""
    create_witness(home.root / "demo" / "witness", home.public / "witness")
    with running(home, store_of("ledger")):
        press_keys.report_key(home)
        founding.make_keys(home, dict.fromkeys(SIGNERS, "test"))
        founding.publish_charter(home)
        founding.publish_site(home, home.settings())
        assert trusted_keys(home).anchor == ""
        [told] = health.check(home)
        assert (told.ok, "found accept" in told.fix) == (False, True)
