"""The charter's commands: the table shows what the object allows, the check names each fault, both must sign."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance import durable
from appliance.charter import Charter, load_charter, render, signatures
from appliance.charter.commands import charter as command
from appliance.charter.schema import SHIPPED
from appliance.crypto import sshsig, tiles
from appliance.crypto.canonical import canonical
from appliance.crypto.notes import Checkpoint, Signer
from appliance.errors import WardwellError
from appliance.settings import Home


@pytest.fixture
def signed(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose charter carries both signatures."""
    monkeypatch.setenv("WARDWELL_HOME", str(home.root))
    published = home.public / "charter.toml"
    shutil.copy(home.charter_file, published)
    for signer in signatures.SIGNERS:
        key = home.root / f"{signer}.key"
        key.write_bytes(sshsig.generate_private_openssh())
        (home.public / f"{signer}.pub").write_text(sshsig.public_line(sshsig.load_private(key), signer))
        signatures.sign(published, key, signer)
    return home


def publish(home: Home, *leaves: dict[str, object]) -> None:
    """A log of `leaves`, signed by a key of its own, and a witness's key beside it."""
    signer, builder = Signer.generate("wardwell/test-agency"), tiles.Builder()
    for leaf in leaves:
        builder.add(canonical({"v": 1, "at": "2026-11-23T06:00:00Z", **leaf}))
    note = signer.sign(Checkpoint(signer.name, builder.size, builder.root()).text())
    tiles.publish(home.public / "ledger", builder.take_full(), builder.take_partial(), note)
    durable.replace(home.public / "ledger" / "vkey", str(signer.verifier).encode())
    durable.replace(home.public / "witness" / "vkey", str(signer.verifier).encode())


def check() -> Result:
    return CliRunner().invoke(command, ["check", "--json"])


def problems(result: Result) -> list[str]:
    assert result.exit_code == 1, result.output
    found: list[str] = json.loads(result.output)["problems"]
    return found


def test_the_table_says_what_the_object_allows() -> None:
    charter = load_charter()
    shown = render.as_json(charter)["categories"]
    for category, words in shown.items():
        for role in charter.roles:
            allowed = {p for p in charter.purposes[category] if charter.allows([role], category, p)}
            assert set(words["seen_by"].get(role, [])) == allowed
    assert "command" not in shown["attendance"]["seen_by"]
    assert shown["attendance"]["seen_by"]["coordinator"] == ["duty_of_care"]


def test_show_prints_every_role_and_category(signed: Home) -> None:
    shown = CliRunner().invoke(command, ["show"]).output
    charter = load_charter(signed)
    assert all(f" {role} " in shown for role in charter.roles)
    assert all(category.title in shown for category in charter.categories.values())
    assert json.loads(CliRunner().invoke(command, ["show", "--json"]).output)["digest"] == charter.digest


def test_a_charter_signed_by_both_is_in_order(signed: Home) -> None:
    result = check()
    assert result.exit_code == 0, result.output
    assert [one.problem for one in signatures.verify(signed)] == ["", ""]


@pytest.mark.parametrize("signer", ["agency", "trustee"])
def test_one_signature_is_not_enough(signed: Home, signer: str) -> None:
    (signed.public / f"charter.toml.{signer}.sig").unlink()
    (problem,) = problems(check())
    assert signatures.SIGNERS[signer] in problem
    with pytest.raises(WardwellError, match="not signed by both"):
        signatures.enter(signed)


def test_one_key_cannot_sign_for_both(signed: Home) -> None:
    agency, trustee = (signed.public / f"charter.toml.{signer}.sig" for signer in signatures.SIGNERS)
    trustee.write_bytes(agency.read_bytes())
    (problem,) = problems(check())
    assert "another key" in problem


def test_a_changed_charter_is_found_in_force_and_in_public(signed: Home) -> None:
    text = signed.charter_file.read_text()
    signed.charter_file.write_text(text.replace("floor = 20", "floor = 12"))
    assert len(problems(check())) == 3  # two signatures, and another file for everyone to read
    signed.charter_file.write_text(text.replace("floor = 20", "floor = 5"))
    (problem,) = problems(check())
    assert "floor" in problem


def test_the_access_logs_entry_must_be_this_charter(signed: Home) -> None:
    digest = load_charter(signed).digest
    assert signatures.ledgered(signed) is None
    publish(signed, {"kind": "charter", "digest": digest}, {"kind": "grant"})
    assert check().exit_code == 0
    publish(signed, {"kind": "charter", "digest": digest}, {"kind": "charter", "digest": "0" * 64})
    (problem,) = problems(check())
    assert "another charter" in problem


def test_signing_by_command_and_only_a_charter(signed: Home, tmp_path: Path) -> None:
    key = str(signed.root / "agency.key")
    file = tmp_path / "charter.toml"
    shutil.copy(SHIPPED, file)
    result = CliRunner().invoke(command, ["sign", str(file), "--key", key, "--as", "agency"])
    assert result.exit_code == 0, result.output
    line = (signed.public / "agency.pub").read_text()
    sshsig.verify(line, file.read_bytes(), (tmp_path / "charter.toml.agency.sig").read_bytes(), "wardwell-charter")
    file.write_text("version = 1\n")
    result = CliRunner().invoke(command, ["sign", str(file), "--key", key, "--as", "agency"])
    assert isinstance(result.exception, WardwellError)
    with pytest.raises(WardwellError, match="does not sign"):
        signatures.sign(file, Path(key), "chief")


def test_a_contradiction_is_named() -> None:
    raw = SHIPPED.read_text().replace(
        'roles = ["coordinator"]\ncategories = ["incident"', 'roles = ["command"]\ncategories = ["incident"'
    )
    with pytest.raises(WardwellError, match="about people"):
        Charter(raw.encode())
