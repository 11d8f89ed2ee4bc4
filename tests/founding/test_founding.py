"""Founding without a secret on the way: papers out, signed with ssh-keygen by two, taken in; anything else refused."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.charter import signatures
from appliance.crypto import sshsig
from appliance.crypto.notes import COSIGNATURE, Signer
from appliance.crypto.tlog import PublicLog
from appliance.crypto.trusted_keys import trusted_keys
from appliance.desk import slips
from appliance.desk.sign_in.accounts import find_local, hash_password, roles_of
from appliance.errors import Refused, WardwellError
from appliance.founding import accept as taking
from appliance.founding.commands import found
from appliance.migrate import migrate_one
from appliance.settings import Home
from appliance.spool.append import append
from appliance.spool.messages import Append
from appliance.storage import open_store
from provisioning.cli import wardwell
from tests.ledger.support import Served
from tests.support.waiting import until

ROSTER = (
    "employee_number,name,call_sign,unit,division,duties\n"
    "E1001,Alex Amaya,1A1,A watch,Patrol,\n"
    "E1002,Bo Berg,1A2,A watch,Patrol,\n"
)


def witness_line() -> str:
    return str(Signer.generate("witness/trustee", COSIGNATURE).verifier)


class Parties:
    """The two signers, each with a machine (a folder) of their own, and the stick that travels."""

    def __init__(self, folder: Path) -> None:
        self.stick, self.folder = folder / "stick", folder
        for name in ("agency", "trustee"):
            (folder / name).mkdir()
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name} of the test"]
            subprocess.run([*command, "-f", str(folder / name / "key")], check=True)

    def fingerprint(self, name: str) -> str:
        return sshsig.fingerprint((self.folder / name / "key.pub").read_text())

    def fill_in(self) -> Path:
        """Roster and role holders, and the trustee's slips; the file with the slips in clear."""
        (self.stick / "roster.csv").write_text(ROSTER)
        password = hash_password("a long local password")
        with (self.stick / "founding.toml").open("a") as file:
            file.write(
                '\n[[local_accounts]]\nsign_in_name = "breakglass"\nname = "Local Administrator"\n'
                f'password = "{password}"\n\n[[grants]]\nrole = "admin"\nsign_in_name = "breakglass"\n'
                '\n[[grants]]\nrole = "coordinator"\nperson_id = "E1001"\n'
            )
        paper = self.folder / "trustee" / "slips.txt"
        arguments = [str(self.stick / "founding.toml"), "--print", str(paper)]
        key = str(self.folder / "trustee" / "key.pub")
        done = CliRunner().invoke(wardwell, ["kit", "slips", *arguments, "--trustee-key", key])
        assert done.exit_code == 0, done.output
        return paper

    def sign(self, name: str, key: str = "") -> None:
        key_file = self.folder / (key or name) / "key"
        subprocess.run(["sh", str(self.stick / "sign.sh"), name, str(key_file)], check=True, capture_output=True)


@pytest.fixture
def unfounded(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """An appliance with its schema and its own keys, serving its log, and founded by nobody."""
    monkeypatch.setenv("WARDWELL_HOME", str(home.root))
    home.charter_file.unlink()
    for compartment in ("ledger", "desk", "press"):
        migrate_one(home, compartment)
    served = Served(home)
    served.start()
    yield home
    served.stop()


@pytest.fixture
def parties(tmp_path: Path) -> Parties:
    return Parties(tmp_path)


def request(parties: Parties, witness: str = "") -> Result:
    return CliRunner().invoke(
        found, ["request", "--to", str(parties.stick), "--witness-key", witness or witness_line()]
    )


def accept(parties: Parties, **changed: str) -> Result:
    keys = {name: parties.fingerprint(name) for name in ("agency", "trustee")} | changed
    words = ["accept", "--from", str(parties.stick), "--agency-key", keys["agency"], "--trustee-key", keys["trustee"]]
    return CliRunner().invoke(found, words)


def signed(parties: Parties) -> Path:
    assert request(parties).exit_code == 0
    paper = parties.fill_in()
    parties.sign("trustee")
    parties.sign("agency")
    return paper


def public_files(home: Home) -> set[str]:
    return {path.name for path in home.public.iterdir() if path.is_file()}


@pytest.mark.system
def test_two_signatures_found_an_appliance_and_no_secret_travels(unfounded: Home, parties: Parties) -> None:
    home = unfounded
    paper = signed(parties)
    code = re.findall(r"E1001\n +slip +(\S+)", paper.read_text())[0]
    assert parties.fingerprint("trustee") in paper.read_text()

    # Nothing on the stick is a slip or a private key; the hash of each slip is.
    for path in parties.stick.iterdir():
        assert code not in path.read_text() and "PRIVATE KEY" not in path.read_text()
    assert slips.digest(code) in (parties.stick / "founding.toml").read_text()

    done = accept(parties)
    assert done.exit_code == 0, done.output
    assert all(not one.problem for one in signatures.verify(home))
    assert str(trusted_keys(home)[0]) == (home.public / "ledger" / "vkey").read_text().strip()
    log = published(home, 7)
    kinds = [json.loads(entry)["kind"] for entry in log.entries(0, log.size)]
    assert kinds == ["founding", "charter", "roster", "grant", "grant", "about", "about"]

    store = open_store(home, "desk")
    try:
        handle, _ = find_local(store, "breakglass") or ("", "")
        with store.read() as session:
            assert roles_of(session, handle) == {"admin"}
        assert slips.count_open(store) == 2
        breakglass = re.findall(r"breakglass\n +slip +(\S+)", paper.read_text())[0]
        assert slips.find(store, handle, breakglass, "totp") > 0
        with pytest.raises(slips.WrongSlip):
            slips.find(store, handle, code, "totp")  # another person's
    finally:
        store.close()

    # Again: nothing is doubled.
    assert accept(parties).exit_code == 0
    before = append(home, Append(kind="charter", public={"version": 0, "digest": "a mark"})).public_index
    assert before == 7


def published(home: Home, size: int) -> PublicLog:
    """The public log once it holds `size` entries; the ledger publishes a moment after it acknowledged."""
    until(lambda: PublicLog(home.public / "ledger").size >= size)
    return PublicLog(home.public / "ledger")


def refused(parties: Parties, expected: dict[str, str], home: Home) -> str:
    with pytest.raises(Refused) as caught:
        taking.check(home, parties.stick, expected)
    return caught.value.message


@pytest.mark.system
def test_papers_that_are_not_in_order_are_refused_before_anything_changes(unfounded: Home, parties: Parties) -> None:
    home = unfounded
    signed(parties)
    keys = {name: parties.fingerprint(name) for name in ("agency", "trustee")}
    before = public_files(home)
    kept = parties.folder / "kept"
    shutil.copytree(parties.stick, kept)

    def spoilt(name: str, old: bytes, new: bytes) -> str:
        shutil.copytree(kept, parties.stick, dirs_exist_ok=True)
        data = (parties.stick / name).read_bytes()
        assert old in data
        (parties.stick / name).write_bytes(data.replace(old, new))
        return refused(parties, keys, home)

    assert "does not fit" in spoilt("founding.toml", b'"coordinator"', b'"trustee"')
    assert "does not fit" in spoilt("roster.csv", b"E1002", b"E1003")
    assert "does not fit" in spoilt("charter.toml", b"[constants]", b"[constants]  # mine")
    assert "does not fit" in spoilt("site.json", b"desk.wardwell", b"evil.wardwell")
    shutil.copytree(kept, parties.stick, dirs_exist_ok=True)
    (parties.stick / "charter.toml.agency.sig").unlink()
    assert "missing" in refused(parties, keys, home)
    for signer in keys:  # one signature is not enough
        shutil.copytree(kept, parties.stick, dirs_exist_ok=True)
        (parties.stick / f"site.json.{signer}.sig").unlink()
        assert f"site.json.{signer}.sig is missing" in refused(parties, keys, home)
    shutil.copytree(kept, parties.stick, dirs_exist_ok=True)
    shutil.copy(parties.stick / "site.json.trustee.sig", parties.stick / "site.json.agency.sig")
    assert refused(parties, keys, home)

    # Signed well, but by a key that is not the one on the trustee's paper.
    shutil.copytree(kept, parties.stick, dirs_exist_ok=True)
    assert "not the trustee's" in refused(parties, {**keys, "trustee": keys["agency"]}, home)
    parties.sign("trustee", key="agency")
    assert "one key" in refused(parties, {**keys, "trustee": keys["agency"]}, home)

    # Signed well, but about another appliance.
    shutil.copytree(kept, parties.stick, dirs_exist_ok=True)
    home.settings_file.write_text('agency = "Another Agency"\ndemonstration = true\n')
    assert "does not match this appliance" in refused(parties, keys, home)
    home.settings_file.write_text('agency = "Test Agency"\ndemonstration = true\n')
    assert public_files(home) == before

    taking.check(home, parties.stick, keys)  # control: unspoilt, they are in order


@pytest.mark.system
def test_a_founded_appliance_keeps_its_two_keys(unfounded: Home, parties: Parties, tmp_path: Path) -> None:
    signed(parties)
    assert accept(parties).exit_code == 0
    (tmp_path / "others").mkdir()
    others = Parties(tmp_path / "others")
    signed(others)
    done = accept(others)
    assert isinstance(done.exception, Refused) and "founded with another key" in done.exception.message
    # The pinned files are only copies of what the log was founded with.
    published(unfounded, 7)
    for signer in ("agency", "trustee"):
        (unfounded.public / f"{signer}.pub").unlink()
    done = accept(others)
    assert isinstance(done.exception, Refused) and "founded with another key" in done.exception.message


@pytest.mark.system
def test_a_later_site_file_counts_on_and_an_older_one_is_refused(unfounded: Home, parties: Parties) -> None:
    home, witness = unfounded, witness_line()

    def version() -> int:
        return int(json.loads((home.public / "site.json").read_bytes())["version"])

    def rename(agency: str) -> None:
        home.settings_file.write_text(f'agency = "{agency}"\ndemonstration = true\n')

    def again() -> Result:
        for signature in parties.stick.glob("site.json.*.sig"):
            signature.unlink()
        assert request(parties, witness).exit_code == 0
        parties.sign("trustee")
        parties.sign("agency")
        return accept(parties)

    assert request(parties, witness).exit_code == 0
    parties.fill_in()
    assert again().exit_code == 0 and version() == 1
    older = parties.folder / "older"
    shutil.copytree(parties.stick, older)

    # Nothing changed: the same file again. Another name: the next version.
    assert again().exit_code == 0 and version() == 1
    rename("Renamed Agency")
    assert again().exit_code == 0 and version() == 2
    # Back to the first name, so that only the number speaks against the older papers.
    rename("Test Agency")
    shutil.copytree(older, parties.stick, dirs_exist_ok=True)
    done = accept(parties)
    assert isinstance(done.exception, Refused) and "browsers accept no older one" in done.exception.message
    assert version() == 2
    assert again().exit_code == 0 and version() == 3

    # Damaged on the disk: no number can be counted on, and the papers that both signed last mend it.
    (home.public / "site.json").write_text('{"version": 3')
    done = request(parties, witness)
    assert isinstance(done.exception, WardwellError) and "signed papers again" in done.exception.fix
    assert accept(parties).exit_code == 0 and version() == 3


def test_slips_do_not_travel_with_the_papers(tmp_path: Path) -> None:
    document = tmp_path / "founding.toml"
    document.write_text('[[grants]]\nrole = "admin"\nperson_id = "E1"\n')
    done = CliRunner().invoke(wardwell, ["kit", "slips", str(document), "--print", str(tmp_path / "slips.txt")])
    assert done.exit_code == 1 and not (tmp_path / "slips.txt").exists()


def test_making_slips_again_replaces_the_hashes(tmp_path: Path) -> None:
    from appliance.desk.people.founding_document import read_file

    (tmp_path / "papers").mkdir()
    document = tmp_path / "papers" / "founding.toml"
    document.write_text('# words\n[[grants]]\nrole = "admin"\nperson_id = "E1"\n')
    hashes = []
    for _ in range(2):
        command = ["kit", "slips", str(document), "--print", str(tmp_path / "slips.txt")]
        assert CliRunner().invoke(wardwell, command).exit_code == 0
        made = read_file(document)
        assert len(made.slips) == len(made.grants) == 1
        hashes.append(made.slips[0].sha256)
    assert hashes[0] != hashes[1]
    assert (tmp_path / "slips.txt").stat().st_mode & 0o777 == 0o600
    assert document.read_text().count("slips_until") == 1


def test_papers_that_are_signed_are_not_written_over(home: Home, parties: Parties) -> None:
    from appliance.custody.keys import ROOT_BYTES, custody_signer
    from appliance.custody.restore_signature import publish_custody_key
    from appliance.errors import WardwellError
    from appliance.founding import papers

    for compartment in ("ledger", "press"):
        migrate_one(home, compartment)
    written = papers.write_request(home, parties.stick, witness_vkey=witness_line(), charter=None)
    assert set(written) == {"site.json", "charter.toml", "founding.toml", "roster.csv", "README.txt", "sign.sh"}
    assert json.loads((parties.stick / "site.json").read_text())["custody_vkey"] == ""
    publish_custody_key(home, bytes(ROOT_BYTES))
    custody = str(custody_signer(bytes(ROOT_BYTES)).verifier)
    papers.write_request(home, parties.stick, witness_vkey=witness_line(), charter=None)
    assert json.loads((parties.stick / "site.json").read_text())["custody_vkey"] == custody
    (parties.stick / "roster.csv").write_text(ROSTER)
    (parties.stick / "site.json.trustee.sig").write_text("signature")
    with pytest.raises(WardwellError, match="is signed"):
        papers.write_request(home, parties.stick, witness_vkey=witness_line(), charter=None)
    assert (parties.stick / "roster.csv").read_text() == ROSTER


def test_a_witness_elsewhere_has_to_be_named(home: Home) -> None:
    from appliance.errors import WardwellError
    from appliance.founding import papers

    with pytest.raises(WardwellError, match="witness"):
        papers.witness_key(home, home.settings(), "")
    line = witness_line()
    assert papers.witness_key(home, home.settings(), line + "\n") == line
