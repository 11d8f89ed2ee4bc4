"""What the browser and the appliance must agree on, byte for byte: sealing, canonical JSON, signatures, age."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
from pathlib import Path
from typing import Any

import pytest

from appliance.charter.schema import load_charter
from appliance.crypto.canonical import canonical
from appliance.crypto.sealing import OVERHEAD_BYTES, info, key_pair, open_sealed, seal
from appliance.errors import WardwellError
from tests.space.conftest import Call


def b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def test_browser_opens_what_python_seals(call: Call) -> None:
    pair = key_pair()
    sealed = seal(pair.public, b"for one officer", info=info("exposure", "ab" * 16))
    arguments = {"seed": b64(pair.seed), "sealed": b64(sealed)}
    opened = call("open", **arguments, info=info("exposure", "ab" * 16).decode())
    assert base64.b64decode(opened) == b"for one officer"
    # Control: the same bytes for another person, and altered, do not open.
    assert call("open", **arguments, info=info("exposure", "cd" * 16).decode()) is None
    altered = sealed[:-1] + bytes([sealed[-1] ^ 1])
    assert call("open", seed=b64(pair.seed), sealed=b64(altered), info=info("exposure", "ab" * 16).decode()) is None


def test_python_opens_what_the_browser_seals(call: Call) -> None:
    pair = key_pair()
    arguments = {"key": b64(pair.public), "plaintext": b64(b"back again")}
    sealed = base64.b64decode(call("seal", **arguments, info="wardwell/v1/entry/x"))
    assert len(sealed) == len(b"back again") + OVERHEAD_BYTES
    assert open_sealed(pair.seed, sealed, info=info("entry", "x")) == b"back again"
    with pytest.raises(WardwellError):
        open_sealed(pair.seed, sealed, info=info("entry", "y"))


def test_one_seed_gives_one_public_key(call: Call) -> None:
    seed = secrets.token_bytes(32)
    assert base64.b64decode(call("key_pair", seed=b64(seed))) == key_pair(seed).public


VALUES: list[Any] = [
    {"b": 1, "a": [True, None, 'é\u2028\u0007"\\/'], "\ufb33": 1, "\U0001f600": 2},
    {"nested": {"z": -1, "A": 2**53 - 1}, "": ""},
    [],
    0,
]


def test_canonical_json_is_the_same(call: Call) -> None:
    assert [base64.b64decode(value) for value in call("canonical", values=VALUES)] == [canonical(v) for v in VALUES]


def test_signatures_of_ssh_keygen(call: Call, tmp_path: Path) -> None:
    key, message = tmp_path / "key", tmp_path / "site.json"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "trustee", "-f", str(key)], check=True)
    message.write_text('{"agency": "Test"}')
    sign = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", "wardwell-site", str(message)]
    subprocess.run(sign, check=True, capture_output=True)
    listed = subprocess.run(["ssh-keygen", "-l", "-f", f"{key}.pub"], check=True, capture_output=True, text=True).stdout
    arguments = {
        "line": (tmp_path / "key.pub").read_text(),
        "signature": (tmp_path / "site.json.sig").read_text(),
    }
    message_64 = b64(message.read_bytes())
    good = call("sshsig", **arguments, namespace="wardwell-site", message=message_64)
    assert good == {"fingerprint": listed.split()[1], "good": True}
    assert not call("sshsig", **arguments, namespace="wardwell-keylist", message=message_64)["good"]
    assert not call("sshsig", **arguments, namespace="wardwell-site", message=b64(b'{"agency": "Tess"}'))["good"]


def test_another_key_signs_nothing(call: Call, tmp_path: Path) -> None:
    for name in ("ours", "theirs"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    (tmp_path / "m").write_text("x")
    sign = [
        "ssh-keygen",
        "-q",
        "-Y",
        "sign",
        "-f",
        str(tmp_path / "theirs"),
        "-n",
        "wardwell-site",
        str(tmp_path / "m"),
    ]
    subprocess.run(sign, check=True, capture_output=True)
    signature = (tmp_path / "m.sig").read_text()
    for name, expected in (("ours", False), ("theirs", True)):
        line = (tmp_path / f"{name}.pub").read_text()
        answer = call("sshsig", line=line, namespace="wardwell-site", message=b64(b"x"), signature=signature)
        assert answer["good"] is expected


def test_wraps_are_age_files(call: Call, tmp_path: Path) -> None:
    master = secrets.token_bytes(32)
    wrapped = call("wrap", master=b64(master), secret="six-words")
    assert base64.b64decode(call("unwrap", wrapped=wrapped, secret="six-words")) == master
    assert call("unwrap", wrapped=wrapped, secret="other-words") is None
    header = base64.b64decode(wrapped).split(b"\n")
    assert header[0] == b"age-encryption.org/v1"
    assert header[1].startswith(b"-> scrypt ")


def test_labels_are_the_charters() -> None:
    from provisioning.build_space import CACHE, charter_words

    words = charter_words(load_charter())
    assert words["categories"]["exposure"]["label"] == "Only you"
    assert words["categories"]["release"]["label"] == "Counted only in groups of 20 or more"
    if (CACHE / "charter.json").exists():
        assert json.loads((CACHE / "charter.json").read_text())["constants"]["idle_minutes"] == 15
