"""Reading a bundle: nothing of it is used before its signature and every digest have been checked.

Owns: the names inside a bundle and the order of the checks. Must never see: an appliance's data. Runs on the appliance
with what is installed there; the same checks with stock tools stand in docs/bundle.md.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

import msgspec

from appliance.crypto import sshsig
from appliance.errors import Refused, WardwellError

NAMESPACE = "wardwell/v1/release"
SUMS, SIGNATURE, MINISIGNATURE = "SHA256SUMS", "SHA256SUMS.sig", "SHA256SUMS.minisig"
PUBLIC_KEY, MANIFEST = "release.pub", "manifest.json"
UNSIGNED = frozenset({SUMS, SIGNATURE, MINISIGNATURE})
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9][A-Za-z0-9._+~/@-]*)")
# Bytes; digests and signatures are read whole before anything is known of who wrote them.
_SMALL = 1 << 20
_AGAIN = "Fetch the bundle again from where your agency was given it, and do not install this one."


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a bundle says of itself. `made_at` is the only thing in which two builds of one commit differ."""

    product: str
    version: str
    commit: str
    debian: str
    python: str
    architecture: str
    made_at: str


@dataclass(frozen=True)
class Bundle:
    """A bundle that was checked: its file, what it says of itself, and who signed it (`SHA256:…`)."""

    path: Path
    manifest: Manifest
    fingerprint: str

    @property
    def folder(self) -> str:
        """The one folder that the file unpacks to."""
        return f"wardwell-{self.manifest.version}"

    def check_update(self, installed: str, debian: str) -> None:
        """Raise Refused unless this is newer than the version `installed` and for this machine's Debian (`12`)."""
        if self.manifest.debian != debian:
            raise Refused(
                f"{self.path.name} is for Debian {self.manifest.debian}, and this machine runs Debian {debian}.",
                "Fetch the bundle that is made for this machine.",
            )
        if _number(self.manifest.version) <= _number(installed):
            raise Refused(
                f"{self.path.name} holds version {self.manifest.version}, not newer than {installed}, which runs here.",
                "To go back, use `wardwell update rollback`; an older version is never installed over a newer one.",
            )

    def unpack(self, to: Path) -> Path:
        """Unpack into `to`; the folder that came out."""
        with tarfile.open(self.path) as tar:
            # Names were checked: plain files below one folder.
            tar.extractall(to)  # noqa: S202
        return to / self.folder


def read_bundle(path: Path, fingerprint: str) -> Bundle:
    """Check `path` against the fingerprint (`SHA256:…`) of the release key that is trusted.

    Raises Refused for a file that is no bundle, is cut short, was signed by another key, or holds a file
    more, less or other than what was signed.
    """
    try:
        with tarfile.open(path, "r:") as tar:
            return _check(path, tar, fingerprint)
    except FileNotFoundError:
        raise Refused(f"{path} is not there.", "Give the path of the bundle.") from None
    except (tarfile.TarError, EOFError, OSError, msgspec.DecodeError, UnicodeError):
        raise Refused(f"{path.name} is no bundle, or is cut short.", _AGAIN) from None


def _check(path: Path, tar: tarfile.TarFile, fingerprint: str) -> Bundle:
    if path.stat().st_size % tarfile.RECORDSIZE:
        raise _refused(f"{path.name} is cut short.")
    every = tar.getmembers()
    members = {_inside(member): member for member in every}
    if len(members) != len(every):
        raise _refused(f"{path.name} holds one name twice.")
    signed = _read(tar, members, SUMS)
    key = _read(tar, members, PUBLIC_KEY).decode().strip()
    if sshsig.fingerprint(key) != fingerprint:
        raise _refused(f"{path.name} is signed by {sshsig.fingerprint(key)}, and the trusted key is {fingerprint}.")
    try:
        sshsig.verify(key, signed, _read(tar, members, SIGNATURE), NAMESPACE)
    except WardwellError as error:
        raise _refused(f"{path.name}: {error.message}") from None
    wanted = sums(signed)
    present = set(members) - UNSIGNED
    for name in sorted(present ^ set(wanted)):
        raise _refused(
            f"{path.name} {'holds' if name in present else 'lacks'} {name}, which was {_was(name in present)}."
        )
    for name, digest in wanted.items():
        if _digest(tar, members[name]) != digest:
            raise _refused(f"{name} in {path.name} is not what was signed.")
    manifest = msgspec.json.decode(_read(tar, members, MANIFEST), type=Manifest)
    _number(manifest.version)
    if manifest.product != "wardwell":
        raise _refused(f"{path.name} is a bundle of {manifest.product}.")
    if {member.name.split("/")[0] for member in tar.getmembers()} != {f"wardwell-{manifest.version}"}:
        raise _refused(f"{path.name} does not unpack to the folder of its version.")
    return Bundle(path, manifest, fingerprint)


def sums(content: bytes) -> dict[str, str]:
    """Name -> SHA-256 (hex) of a SHA256SUMS file. Raises Refused for a line that is none."""
    wanted = {}
    for line in content.decode().splitlines():
        match = _LINE.fullmatch(line)
        if match is None or ".." in match[2].split("/"):
            raise _refused("SHA256SUMS holds a line that is none.")
        wanted[match[2]] = match[1]
    return wanted


def _inside(member: tarfile.TarInfo) -> str:
    """The name below the one folder. Raises Refused for what no bundle holds.

    That is all but plain files: folders, links, devices, paths elsewhere, and modes that no digest covers.
    """
    name = member.name.partition("/")[2]
    plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.mode & ~0o755
    if not plain or member.name.startswith("/") or ".." in member.name.split("/") or not name:
        raise _refused("It holds a folder, a link, a device or a path that leads elsewhere.")
    return name


def _read(tar: tarfile.TarFile, members: dict[str, tarfile.TarInfo], name: str) -> bytes:
    """The content of a small file. Raises Refused when it is not there, or is not small."""
    file = tar.extractfile(members[name]) if name in members and members[name].size < _SMALL else None
    if file is None:
        raise _refused(f"{name} is missing in it.")
    return file.read()


def _digest(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = tar.extractfile(member)
    assert file is not None  # _inside lets only files through
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _number(version: str) -> tuple[int, ...]:
    """`1.10.0` as numbers, which compare as versions do. Raises Refused for any other form."""
    if not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", version):
        raise _refused(f"{version} is no version number.")
    return tuple(int(part) for part in version.split("."))


def _was(present: bool) -> str:
    return "not signed" if present else "signed"


def _refused(message: str) -> Refused:
    return Refused(message, _AGAIN)
