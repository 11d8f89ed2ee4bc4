"""Builds a bundle from a commit and a filled pool, without a network. Two builds differ in their declared time alone.

Owns: the layout of the file (decision 0007, docs/bundle.md). Must never see: what is not committed; the source and the
browser code come from the commit, never from the working tree.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from appliance.crypto import sshsig
from appliance.errors import WardwellError
from appliance.kit.web_manifest import NAMESPACE as SPACE_NAMESPACE
from appliance.operate.bundle import MANIFEST, MINISIGNATURE, NAMESPACE, PUBLIC_KEY, SIGNATURE, SUMS, UNSIGNED, Manifest
from provisioning.bundle import keys, pool, sbom

ROOT = Path(__file__).resolve().parents[2]
SPACE_MANIFEST = "space-manifest.json"
_DIST = ("webapp/desk/dist", "webapp/space/dist")
# First in the file, so that `tar` lists them first and a damaged copy is noticed early.
_FIRST = ("install.sh", SUMS, SIGNATURE, MINISIGNATURE, PUBLIC_KEY, "release.minisign.pub", MANIFEST)


def build(stored: Path, release_keys: Path, out: Path, made_at: datetime, say: pool.Say) -> str:
    """Write the bundle of this tree's commit to `out`; returns its SHA-256 in hex.

    Raises WardwellError when the pool is not filled for this commit's lists, a key is missing, or `out` exists.
    """
    keys.check(release_keys)
    if not pool.is_filled(stored):
        raise WardwellError(f"{stored} is not filled for this tree.", "Fill it: `wardwell bundle pool`.")
    if out.exists():
        raise WardwellError(f"{out} exists already.", "Name another file, or remove that one.")
    commit = _git("rev-parse", "HEAD").decode().strip()
    at = datetime.fromtimestamp(int(_git("show", "-s", "--format=%ct", "HEAD")), UTC)
    with tempfile.TemporaryDirectory(prefix="bundle-", dir=out.parent) as scratch:
        folder = Path(scratch) / "content"
        folder.mkdir()
        say("building the browser code of the commit")
        version = _source(Path(scratch) / "tree", folder / "source.tar")
        say("the package repository and the wheels")
        shutil.copy(Path(scratch) / "tree" / "provisioning" / "install" / "install.sh", folder / "install.sh")
        for name in (PUBLIC_KEY, "release.minisign.pub"):
            shutil.copy(release_keys / name, folder / name)
        _repository(stored / "debs", folder / "apt", release_keys, at)
        _wheelhouse(stored / "wheels", folder / "wheels")
        lock = Path(scratch) / "tree" / "webapp" / "space" / "package-lock.json"
        lay_space_manifest(Path(scratch) / "tree" / "webapp" / "space" / "dist", folder, release_keys, version)
        (folder / "sbom.cdx.json").write_bytes(sbom.make(version, commit, folder / "apt", folder / "wheels", lock))
        stamp = made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        manifest = Manifest("wardwell", version, commit, "12", "3.11", "amd64", stamp)
        (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
        say("digests and signatures")
        sign(folder, release_keys, version)
        part = out.with_name(out.name + ".part")
        pack(folder, part, f"wardwell-{version}", int(at.timestamp()))
        part.rename(out)
    with out.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _git(*words: str) -> bytes:
    try:
        return subprocess.check_output(["git", "-C", str(ROOT), *words], stderr=subprocess.PIPE)
    except (OSError, subprocess.CalledProcessError):
        raise WardwellError("This tree has no commit to build from.", "Build from a clone of the repository.") from None


def _source(tree: Path, out: Path) -> str:
    """Unpack the commit into `tree`, build its browser code there, and write both to `out`; returns its version."""
    tree.mkdir()
    # Tests and the demonstration, which lies among them, have no place on an appliance.
    archive = _git("archive", "--format=tar", "HEAD", "--", ".", ":(exclude)tests")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(tree)  # noqa: S202 - our own commit
        moment = int(tar.getmembers()[0].mtime)
    _borrow_modules(tree / "webapp" / "space")
    done = subprocess.run(
        [sys.executable, "-m", "provisioning.build"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise WardwellError(f"The browser code was not built: {done.stderr[-400:]}", "Run `make setup` and try again.")
    built = [path for name in _DIST for path in sorted((tree / name).rglob("*")) if path.is_file()]
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar, tarfile.open(out, "w", format=tarfile.GNU_FORMAT) as written:
        for member in tar.getmembers():
            written.addfile(_plain(member), tar.extractfile(member) if member.isfile() else None)
        for path in built:
            member = tarfile.TarInfo(str(path.relative_to(tree)))
            member.size, member.mtime, member.mode = path.stat().st_size, moment, 0o644
            with path.open("rb") as file:
                written.addfile(member, file)
    version: str = tomllib.loads((tree / "pyproject.toml").read_text())["project"]["version"]
    return version


def _borrow_modules(space: Path) -> None:
    """Let the commit's tree build with this tree's npm packages, if they match the commit's lock."""
    modules = ROOT / "webapp" / "space" / "node_modules"
    # The stamp that provisioning.packages leaves; without it npm would fetch, and into this tree.
    stamp = modules / ".wardwell-lock"
    if not stamp.is_file() or stamp.read_text() != _sha256(space / "package-lock.json"):
        raise WardwellError("The npm packages of this commit are not here.", "Run `make setup` and try again.")
    (space / "node_modules").symlink_to(modules)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The member without the builder's account and umask: owned by root, readable by all, writable by its owner."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    member.pax_headers = {}
    return member


def _repository(debs: Path, to: Path, release_keys: Path, at: datetime) -> None:
    """A flat apt repository, signed with the release key."""
    shutil.copytree(debs, to)
    packages = _ftparchive(to, "packages", ".")
    (to / "Packages").write_bytes(packages)
    (to / "Packages.gz").write_bytes(gzip.compress(packages, mtime=0))
    options = {"Origin": "Wardwell", "Suite": "bundle", "Date": at.strftime("%a, %d %b %Y %H:%M:%S UTC")}
    words = [f"-oAPT::FTPArchive::Release::{name}={value}" for name, value in options.items()]
    (to / "Release").write_bytes(_ftparchive(to, *words, "release", "."))
    keys.sign_release(release_keys, to / "Release", at)
    shutil.copy(release_keys / "release.gpg.pub", to / "release.gpg")


def _ftparchive(folder: Path, *words: str) -> bytes:
    try:
        return subprocess.check_output(["apt-ftparchive", *words], cwd=folder, stderr=subprocess.PIPE)
    except (OSError, subprocess.CalledProcessError):
        raise WardwellError("apt-ftparchive failed.", "Install the Debian package apt-utils.") from None


def _wheelhouse(wheels: Path, to: Path) -> None:
    """The wheels and a list of their digests, which pip checks when it installs them; pip's own is not on the list."""
    shutil.copytree(wheels, to)
    lines = []
    for path in sorted(to.glob("*.whl")):
        name, version = path.name.split("-")[:2]
        if name != "pip":
            lines.append(f"{name}=={version} --hash=sha256:{_sha256(path)}\n")
    (to / "requirements.txt").write_text("".join(lines))


def lay_space_manifest(dist: Path, folder: Path, release_keys: Path, version: str) -> None:
    """The manifest of what the private space serves, for `wardwell kit web-check`, and its two signatures.

    Beside `source.tar`, not in it, so that a build with other keys gives the same source.
    """
    path = folder / SPACE_MANIFEST
    shutil.copy(dist / "manifest.json", path)
    key = sshsig.load_private(release_keys / "release")
    path.with_name(f"{SPACE_MANIFEST}.sig").write_bytes(sshsig.sign(key, path.read_bytes(), SPACE_NAMESPACE))
    keys.sign_minisign(release_keys, path, f"wardwell {version} private space")


def _files(folder: Path) -> Iterator[str]:
    yield from sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def sign(folder: Path, release_keys: Path, version: str) -> None:
    """Write the digests of everything in `folder`, and their two signatures."""
    lines = []
    for name in _files(folder):
        if name not in UNSIGNED:
            lines.append(f"{_sha256(folder / name)}  {name}\n")
    content = "".join(lines).encode()
    (folder / SUMS).write_bytes(content)
    (folder / SIGNATURE).write_bytes(sshsig.sign(sshsig.load_private(release_keys / "release"), content, NAMESPACE))
    keys.sign_minisign(release_keys, folder / SUMS, f"wardwell {version}")


def pack(folder: Path, out: Path, prefix: str, moment: int) -> None:
    """Write `folder` to the tar `out`, below `prefix`, every file with the time `moment` (seconds)."""
    names = list(_files(folder))
    with tarfile.open(out, "w", format=tarfile.GNU_FORMAT) as tar:
        for name in (*_FIRST, *(name for name in names if name not in _FIRST)):
            member = tarfile.TarInfo(f"{prefix}/{name}")
            member.size, member.mtime = (folder / name).stat().st_size, moment
            member.mode = 0o755 if name == "install.sh" else 0o644
            with (folder / name).open("rb") as file:
                tar.addfile(member, file)
