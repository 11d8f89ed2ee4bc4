"""A bundle is used whole, signed by the trusted key, or not at all."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.crypto import sshsig
from appliance.errors import Refused, WardwellError
from appliance.operate.bundle import read_bundle
from provisioning.bundle import keys
from provisioning.cli import wardwell

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


@pytest.mark.parametrize("kind", ["link", "folder", "outside", "absolute", "setuid", "twice"])
def test_what_no_bundle_holds_is_refused(packed: Pack, trusted: str, kind: str) -> None:
    path = packed()
    member = tarfile.TarInfo("wardwell-0.1.0/apt/x")
    if kind == "link":
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    elif kind == "folder":
        # Unpacking a folder sets its mode, wherever it lies.
        member.type, member.name = tarfile.DIRTYPE, "wardwell-0.1.0/../../etc"
    elif kind == "setuid":
        member.mode = 0o4755
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


def _documented() -> list[str]:
    """The first block of shell in docs/bundle.md, line by line."""
    text = (Path(__file__).parents[2] / "docs" / "bundle.md").read_text()
    lines = text.split("```sh\n", 1)[1].split("```", 1)[0].splitlines()
    assert lines[0].startswith("tar -xf wardwell-0.1.0.bundle && cd ")
    return lines


def _follow(lines: list[str], folder: Path) -> list[str]:
    """Type the lines; those that failed."""
    return [line for line in lines if subprocess.run(line, shell=True, cwd=folder, capture_output=True).returncode]


def test_stock_tools_agree(packed: Pack, tmp_path: Path) -> None:
    """The documented commands pass a whole bundle, and each kind of change fails in the command that is for it."""
    unpack, *checks = _documented()
    packed().rename(tmp_path / "wardwell-0.1.0.bundle")
    assert _follow([unpack], tmp_path) == []
    folder = tmp_path / "wardwell-0.1.0"
    assert _follow(checks, folder) == []
    (folder / "more").write_text("added")
    assert [line.split()[0] for line in _follow(checks, folder)] == ["cut"]
    (folder / "more").unlink()
    (folder / "source.tar").write_bytes(b"Source")
    assert [line.split()[0] for line in _follow(checks, folder)] == ["sha256sum"]
    (folder / "source.tar").write_bytes(b"source")
    (folder / "SHA256SUMS").write_bytes((folder / "SHA256SUMS").read_bytes() + b"\n")
    assert {line.split()[0] for line in _follow(checks, folder)} >= {"ssh-keygen", "minisign"}


@pytest.mark.parametrize(
    ("installed", "debian", "words"),
    [("0.1.0", "12", "not newer"), ("0.10.0", "12", "not newer"), ("0.0.9", "13", "for Debian 12")],
)
def test_an_update_that_does_not_fit_is_refused(
    packed: Pack, trusted: str, installed: str, debian: str, words: str
) -> None:
    bundle = read_bundle(packed(), trusted)
    bundle.check_update("0.0.9", "12")
    with pytest.raises(Refused, match=words):
        bundle.check_update(installed, debian)


def test_the_command_refuses_with_its_own_code(packed: Pack, trusted: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(wardwell, ["bundle", "verify", str(packed()), "--fingerprint", trusted])
    assert "0.1.0" in done.output and done.exit_code == 0
    (tmp_path / "none").write_bytes(b"")
    done = CliRunner().invoke(wardwell, ["bundle", "verify", str(tmp_path / "none"), "--fingerprint", trusted])
    assert isinstance(done.exception, WardwellError) and done.exception.exit_code == 3


def test_release_keys_are_made_once(release_keys: Path) -> None:
    before = (release_keys / "release").read_bytes()
    with pytest.raises(WardwellError, match="exists already"):
        keys.make(release_keys)
    assert (release_keys / "release").read_bytes() == before
    assert (release_keys / "release").stat().st_mode & 0o077 == 0
