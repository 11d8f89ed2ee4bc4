"""The supporters' key list: numbered, whole, signed by the trustee, and refused when anything of it changed."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance.crypto import sshsig
from appliance.errors import WardwellError
from appliance.kit import cells
from appliance.kit.keylist import keylist, read_list


def entry(name: str, **more: Any) -> dict[str, Any]:
    public = cells.new_keys().public
    return {
        "number": None,
        "name": name,
        "role": "peer",
        "languages": ["English"],
        "phone": "555-0100",
        "about": "",
        "xwing": base64.b64encode(public.xwing).decode(),
        "x25519": base64.b64encode(public.x25519).decode(),
        **more,
    }


@pytest.fixture
def trustee(tmp_path: Path) -> Path:
    """A trustee's key, an entries folder and a public folder."""
    (tmp_path / "key").write_bytes(sshsig.generate_private_openssh())
    line = sshsig.public_line(sshsig.load_private(tmp_path / "key"), "trustee")
    for name in ("entries", "public"):
        (tmp_path / name).mkdir()
    (tmp_path / "public" / "trustee.pub").write_text(line + "\n")
    return tmp_path


def run(*arguments: str | Path) -> str:
    return CliRunner().invoke(keylist, [str(a) for a in arguments], catch_exceptions=False).output


def sign(trustee: Path, *entries: dict[str, Any]) -> str:
    for path in (trustee / "entries").iterdir():
        path.unlink()
    for at, one in enumerate(entries):
        (trustee / "entries" / f"{at}.json").write_text(json.dumps(one))
    return run("sign", "--entries", trustee / "entries", "--key", trustee / "key", "--out", trustee / "public")


def test_numbers_stay_and_versions_rise(trustee: Path) -> None:
    first = sign(trustee, entry("Ana"), entry("Ben", role="clinician"))
    assert "version 1, 2 supporters" in first
    renewed = entry("Ana")
    sign(trustee, entry("Cleo"), renewed)
    listed = read_list(trustee / "public")
    assert listed is not None and listed.version == 2
    assert [(one.number, one.name) for one in listed.supporters] == [(1, "Ana"), (3, "Cleo")]
    assert listed.supporters[0].xwing == renewed["xwing"]
    shown = run("verify", trustee / "public", "--key", trustee / "public" / "trustee.pub")
    assert "Version 2" in shown and "Cleo" in shown


def test_openssh_accepts_the_signature_and_a_flipped_byte_is_refused(trustee: Path) -> None:
    sign(trustee, entry("Ana"))
    public = trustee / "public"
    line = (public / "trustee.pub").read_text()
    (trustee / "allowed").write_text(f'trustee namespaces="wardwell-keylist" {line}')

    def openssh() -> int:
        command = ["ssh-keygen", "-Y", "verify", "-f", str(trustee / "allowed"), "-I", "trustee"]
        command += ["-n", "wardwell-keylist", "-s", str(public / "keylist.json.sig")]
        return subprocess.run(command, input=(public / "keylist.json").read_bytes(), check=False).returncode

    assert openssh() == 0
    raw = bytearray((public / "keylist.json").read_bytes())
    raw[raw.index(b"555")] ^= 1
    (public / "keylist.json").write_bytes(raw)
    assert openssh() != 0
    with pytest.raises(WardwellError, match="altered"):
        run("verify", public, "--key", public / "trustee.pub")


def test_wrong_entries_and_wrong_keys_are_refused(trustee: Path) -> None:
    sign(trustee, entry("Ana"))
    before = (trustee / "public" / "keylist.json").read_bytes()
    one = entry("Ben")
    short = base64.b64encode(secrets.token_bytes(31)).decode()
    wrong: list[tuple[str, list[dict[str, Any]]]] = [
        ("no usable keys", [entry("Ben", x25519=short)]),
        ("no usable keys", [entry("Ben", xwing="not base64")]),
        ("peer or clinician", [entry("Ben", role="chief")]),
        ("not a supporter's entry", [entry("Ben", secret="x")]),
        ("same key", [one, {**one, "name": "Cleo"}]),
        ("same number", [entry("Ben", number=5), entry("Cleo", number=5)]),
        ("no entry", []),
    ]
    for words, entries in wrong:
        with pytest.raises(WardwellError, match=words):
            sign(trustee, *entries)
    (trustee / "key").write_bytes(sshsig.generate_private_openssh())
    with pytest.raises(WardwellError, match="not the key of this appliance's trustee"):
        sign(trustee, entry("Ben"))
    assert (trustee / "public" / "keylist.json").read_bytes() == before
