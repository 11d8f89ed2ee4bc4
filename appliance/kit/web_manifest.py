"""The release manifest of the private space: reading it, checking its signature, and what an agency fills in.

Owns: the format (docs/web-check.md) and its signature's namespace. Must never see: a server. The manifest comes from
a bundle and is the same for every agency; its `{desk}` and `{post}` stand for hosts that each `site.json` names.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from appliance.crypto import sshsig
from appliance.errors import WardwellError

NAMESPACE = "wardwell/v1/space"
SITE_NAMESPACE = "wardwell-site"


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A served file: SHA-256 in hex, size in bytes before any compression on the way, and its headers."""

    sha256: str
    size: int
    headers: dict[str, str]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a release serves. The appliance writes `published` paths: their headers are known, not their bytes."""

    kind: str
    version: str
    files: dict[str, File]
    published: dict[str, dict[str, str]]
    published_below: list[str]

    def knows(self, path: str) -> bool:
        """Whether a page of this release may ask for `path` of its own host."""
        return path in self.files or path in self.published or path.startswith(tuple(self.published_below))


class Hosts(msgspec.Struct, frozen=True):
    desk: str
    post: str
    space: str


class Site(msgspec.Struct, frozen=True):
    """What the check needs of `site.json`."""

    hosts: Hosts


@dataclass(frozen=True)
class Read:
    """A manifest, and why its signature does not count ("" when it was made by the key that was given)."""

    manifest: Manifest
    content: bytes
    unsigned: str


def read(path: Path, signature: Path | None, key: Path | None) -> Read:
    """The manifest at `path`, its signature (default: `PATH.sig`) checked by the public key file `key`.

    Raises WardwellError when it is no manifest; a signature that fails is said in the result.
    """
    content = _bytes(path)
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError:
        raise WardwellError(f"{path.name} is not a release manifest.", "Take it from the bundle again.") from None
    if manifest.kind != "wardwell-space":
        raise WardwellError(f"{path.name} is another kind of manifest.", "Take space-manifest.json from the bundle.")
    return Read(manifest, content, _unsigned(content, signature or path.with_name(f"{path.name}.sig"), key))


def _unsigned(content: bytes, signature: Path, key: Path | None) -> str:
    if key is None:
        return "no release key was given to check its signature with (--key)"
    line = key_line(key)
    if not signature.is_file():
        return f"{signature.name} is not there: the manifest is unsigned"
    try:
        sshsig.verify(line, content, signature.read_bytes(), NAMESPACE)
    except WardwellError as problem:
        return problem.message
    return ""


def key_line(path: Path) -> str:
    """The OpenSSH public key in `path`. Raises WardwellError when it is none: a mistake of the call, no difference."""
    line = _bytes(path).decode(errors="replace").strip()
    sshsig.load_public(line)
    return line


def site_of(content: bytes) -> Site | None:
    """The values of `site.json`, or None when it is none."""
    try:
        return msgspec.json.decode(content, type=Site)
    except msgspec.DecodeError:
        return None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise WardwellError(f"{path} cannot be read.", "Give the path of the file.") from None
