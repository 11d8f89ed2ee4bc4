"""A bundle is used whole, signed by the trusted key, or not at all."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.cli import wardwell
from appliance.crypto import sshsig
from appliance.errors import Refused, WardwellError
from provisioning.bundle import keys
from provisioning.bundle.read import read_bundle

Pack = Callable[..., Path]


@pytest.fixture
def trusted(release_keys: Path) -> str:
    return sshsig.fingerprint((release_keys / "release.pub").read_text())


def test_a_whole_bundle_is_read_and_unpacked(packed: Pack, trusted: str, tmp_path: Path) -> None:
    bundle = read_bundle(packed(), trusted)
    assert bundle.manifest.version == "0.1.0"
    out = bundle.unpack(tmp_path / "out")
    assert (out / "source.tar").read_bytes() == b"source"


def test_another_signer_is_refused(packed: Pack, tmp_path: Path) -> None:
    other = keys.make(tmp_path / "other")
    with pytest.raises(Refused, match="the trusted key is"):
        read_bundle(packed(), other)


def test_a_key_swapped_in_does_not_help(packed: Pack, tmp_path: Path, release_keys: Path) -> None:
    """Signing anew with another key shows in its fingerprint; swapping only the key shows in the signature."""
    other = keys.make(tmp_path / "other")

    def swap(folder: Path) -> None:
        (folder / "release.pub").write_bytes((tmp_path / "other" / "release.pub").read_bytes())

    with pytest.raises(Refused, match="another key"):
        read_bundle(packed(after=swap), other)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "source.tar").write_bytes(b"Source"), "is not what was signed"),
        (lambda folder: (folder / "apt" / "more.deb").write_bytes(b""), "holds apt/more.deb, which was not signed"),
        (lambda folder: (folder / "source.tar").unlink(), "lacks source.tar, which was signed"),
        (lambda folder: (folder / "SHA256SUMS").write_text("x"), "The signature"),
    ],
    ids=["altered", "added", "removed", "digests"],
)
def test_a_tampered_bundle_is_refused(packed: Pack, trusted: str, change: Callable[[Path], None], words: str) -> None:
    with pytest.raises(Refused, match=words):
        read_bundle(packed(after=change), trusted)


def test_another_versions_folder_is_refused(packed: Pack, trusted: str) -> None:
    with pytest.raises(Refused, match="folder of its version"):
        read_bundle(packed(prefix="wardwell-9.9.9"), trusted)


def test_every_cut_is_noticed(packed: Pack, trusted: str, tmp_path: Path) -> None:
    whole = packed().read_bytes()
    end = len(whole.rstrip(b"\0"))  # a tar ends in zeros, whose number says nothing
    for length in range(0, end, 97):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(Refused):
            read_bundle(tmp_path / "cut", trusted)
    (tmp_path / "cut").write_bytes(whole)
    assert read_bundle(tmp_path / "cut", trusted).manifest.product == "wardwell"


@pytest.mark.parametrize("kind", ["link", "outside", "absolute", "twice"])
def test_what_no_bundle_holds_is_refused(packed: Pack, trusted: str, kind: str) -> None:
    path = packed()
    member = tarfile.TarInfo("wardwell-0.1.0/apt/x")
    if kind == "link":
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    elif kind == "outside":
        member.name = "wardwell-0.1.0/../x"
    elif kind == "absolute":
        member.name = "/wardwell-0.1.0/x"
    else:
        member.name = "wardwell-0.1.0/source.tar"
    with tarfile.open(path, "a") as tar:
        tar.addfile(member, io.BytesIO())
    with pytest.raises(Refused, match=r"leads elsewhere|twice"):
        read_bundle(path, trusted)


def test_stock_tools_agree(packed: Pack, trusted: str, tmp_path: Path, release_keys: Path) -> None:
    """The commands of docs/bundle.md, on the same bundle: whole, and with one byte changed."""
    with tarfile.open(packed()) as tar:
        tar.extractall(tmp_path)
    folder = tmp_path / "wardwell-0.1.0"
    (tmp_path / "signers").write_text(f"release {(release_keys / 'release.pub').read_text()}")
    ssh = "ssh-keygen -Y verify -f ../signers -I release -n wardwell/v1/release -s SHA256SUMS.sig < SHA256SUMS"
    minisign = "minisign -V -p release.minisign.pub -m SHA256SUMS"
    for command in (ssh, minisign, "sha256sum -c --strict SHA256SUMS"):
        assert subprocess.run(command, shell=True, cwd=folder, capture_output=True).returncode == 0, command
    (folder / "source.tar").write_bytes(b"Source")
    assert subprocess.run("sha256sum -c --strict SHA256SUMS", shell=True, cwd=folder, capture_output=True).returncode
    (folder / "SHA256SUMS").write_bytes((folder / "SHA256SUMS").read_bytes() + b"\n")
    for command in (ssh, minisign):
        assert subprocess.run(command, shell=True, cwd=folder, capture_output=True).returncode, command


def test_the_command_refuses_with_its_own_code(packed: Pack, trusted: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(wardwell, ["bundle", "verify", str(packed()), "--fingerprint", trusted])
    assert "0.1.0" in done.output and done.exit_code == 0
    (tmp_path / "none").write_bytes(b"")
    done = CliRunner().invoke(wardwell, ["bundle", "verify", str(tmp_path / "none"), "--fingerprint", trusted])
    assert isinstance(done.exception, WardwellError) and done.exception.exit_code == 3


def test_release_keys_are_made_once(release_keys: Path) -> None:
    before = (release_keys / "release").read_bytes()
    with pytest.raises(WardwellError, match="there already"):
        keys.make(release_keys)
    assert (release_keys / "release").read_bytes() == before
    assert (release_keys / "release").stat().st_mode & 0o077 == 0
