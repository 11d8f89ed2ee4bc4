"""SSHSIG: what we sign, ssh-keygen verifies, and the other way round; one flipped byte is refused by both."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from appliance.crypto import sshsig
from appliance.errors import WardwellError

NAMESPACE = "wardwell-report"
DATA = b'{"period":"2026-10"}'


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_bytes(sshsig.generate_private_openssh())
    path.chmod(0o600)
    return path


def keygen_verify(folder: Path, line: str, data: bytes, armored: bytes) -> int:
    (folder / "allowed").write_text(f"agency {line}\n")
    (folder / "data.sig").write_bytes(armored)
    command = ["ssh-keygen", "-Y", "verify", "-f", "allowed", "-I", "agency", "-n", NAMESPACE, "-s", "data.sig"]
    return subprocess.run(command, cwd=folder, input=data, capture_output=True).returncode


def test_ssh_keygen_accepts_what_we_sign_and_refuses_a_flipped_byte(key_file: Path, tmp_path: Path) -> None:
    private = sshsig.load_private(key_file)
    line, armored = sshsig.public_line(private, "agency"), sshsig.sign(private, DATA, NAMESPACE)
    assert keygen_verify(tmp_path, line, DATA, armored) == 0
    assert keygen_verify(tmp_path, line, bytes([DATA[0] ^ 1]) + DATA[1:], armored) != 0


def test_we_accept_what_ssh_keygen_signs_and_name_its_fingerprint(tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "union", "-f", "k"], cwd=tmp_path, check=True)
    (tmp_path / "data").write_bytes(DATA)
    sign = ["ssh-keygen", "-q", "-Y", "sign", "-f", "k", "-n", NAMESPACE, "data"]
    subprocess.run(sign, cwd=tmp_path, check=True, capture_output=True)
    line = (tmp_path / "k.pub").read_text().strip()
    sshsig.verify(line, DATA, (tmp_path / "data.sig").read_bytes(), NAMESPACE)
    listed = subprocess.run(
        ["ssh-keygen", "-l", "-f", "k.pub"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert sshsig.fingerprint(line) == listed.stdout.split()[1]
    assert sshsig.public_line(sshsig.load_private(tmp_path / "k"), "union") == line


def test_every_single_flipped_byte_of_data_or_signature_is_refused(key_file: Path) -> None:
    private = sshsig.load_private(key_file)
    line, armored = sshsig.public_line(private, ""), sshsig.sign(private, DATA, NAMESPACE)
    sshsig.verify(line, DATA, armored, NAMESPACE)
    for position in range(len(DATA)):
        altered = DATA[:position] + bytes([DATA[position] ^ 1]) + DATA[position + 1 :]
        with pytest.raises(WardwellError):
            sshsig.verify(line, altered, armored, NAMESPACE)
    # The last line end of the armor carries nothing, so it is left out.
    for position in range(len(armored) - 1):
        altered = armored[:position] + bytes([armored[position] ^ 1]) + armored[position + 1 :]
        with pytest.raises(WardwellError):
            sshsig.verify(line, DATA, altered, NAMESPACE)


def test_another_namespace_another_key_and_rubbish_are_refused(key_file: Path, tmp_path: Path) -> None:
    private = sshsig.load_private(key_file)
    line, armored = sshsig.public_line(private, ""), sshsig.sign(private, DATA, NAMESPACE)
    with pytest.raises(WardwellError, match="not for"):
        sshsig.verify(line, DATA, armored, "wardwell-charter")
    (tmp_path / "other").write_bytes(sshsig.generate_private_openssh())
    with pytest.raises(WardwellError, match="another key"):
        sshsig.verify(sshsig.public_line(sshsig.load_private(tmp_path / "other"), ""), DATA, armored, NAMESPACE)
    for rubbish in (b"", b"\xff", armored[:80], b"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----"):
        with pytest.raises(WardwellError, match="not an OpenSSH signature"):
            sshsig.verify(line, DATA, rubbish, NAMESPACE)


def test_only_ed25519_keys_are_taken(tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", "k"], cwd=tmp_path, check=True)
    with pytest.raises(WardwellError, match="Ed25519"):
        sshsig.load_private(tmp_path / "k")
    with pytest.raises(WardwellError, match="Ed25519"):
        sshsig.fingerprint((tmp_path / "k.pub").read_text())
    with pytest.raises(WardwellError, match="not here"):
        sshsig.load_private(tmp_path / "missing")
