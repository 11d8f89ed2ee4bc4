"""Keys of the backup: whom it is made for, how its pieces are named, and what proves that this appliance made it.

Owns: finding the age recipient, and two keys that come (HKDF-SHA256) from the five compartment keys, so that they exist
only while the appliance is unsealed and are never stored: `wardwell/v1/backup/names` names pieces,
`wardwell/v1/backup/seal` authenticates manifests (age alone does not say who encrypted).
Must never see: a database's content.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyrage
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appliance.custody.keys import ROOT_BYTES, backup_recipient, compartment_key
from appliance.errors import WardwellError
from appliance.settings import COMPARTMENTS, Home


def _derive(secret: bytes, info: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=info.encode()).derive(secret)


@dataclass(frozen=True)
class Keys:
    """What makes and checks a backup while the appliance is unsealed: the compartment keys and what comes from them."""

    databases: Mapping[str, str]

    def _of_all(self, info: str) -> bytes:
        return _derive(b"".join(bytes.fromhex(self.databases[name]) for name in COMPARTMENTS), info)

    @property
    def names(self) -> bytes:
        """The key under which pieces are named (32 bytes)."""
        return self._of_all("wardwell/v1/backup/names")

    @property
    def seal(self) -> bytes:
        """The key that authenticates manifests (32 bytes)."""
        return self._of_all("wardwell/v1/backup/seal")


def keys_from_root(root: bytes) -> Keys:
    """The keys as the root secret gives them; for restore."""
    return Keys({name: compartment_key(root, name) for name in COMPARTMENTS})


def keys_of(home: Home) -> Keys:
    """The keys of an unsealed appliance. Raises WardwellError when it is sealed or not set up."""
    keys = {}
    for name in COMPARTMENTS:
        try:
            keys[name] = home.key(name).read_text().strip()
        except OSError:
            raise WardwellError(
                f"The key of {name} is not here: the appliance is sealed or was never set up.",
                "Unseal it (`wardwell custody unseal`) and begin again as root.",
            ) from None
    return Keys(keys)


def recipient_of(home: Home) -> str:
    """The recipient of this appliance's backups, from `backup.pub` beside the settings.

    A demonstration, whose root secret lies on its disk, takes it from there. Raises WardwellError when neither is.
    """
    published = home.settings_file.parent / "backup.pub"
    try:
        text = published.read_text()
    except OSError:
        root = home.root / "root"
        if home.production or not root.exists():
            raise WardwellError(
                "No backup key is published: backup.pub is missing.", "Hold the ceremony: `wardwell custody ceremony`."
            ) from None
        return backup_recipient(root.read_bytes())
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        return str(pyrage.x25519.Recipient.from_str(lines[0]))
    except (IndexError, pyrage.RecipientError):
        raise WardwellError(
            f"{published} holds no age recipient.", "Put the line back that the ceremony printed."
        ) from None


def read_root(path: Path) -> bytes:
    """The root secret from a file of 32 bytes or 64 hex digits ("-" reads standard input). Raises WardwellError."""
    try:
        raw = sys.stdin.buffer.read(1024) if str(path) == "-" else path.read_bytes()
    except OSError:
        raise WardwellError(f"{path} cannot be read.", "Name the file that holds the root secret.") from None
    if len(raw) == ROOT_BYTES:
        return raw
    try:
        root = bytes.fromhex(raw.decode("ascii").strip())
    except ValueError:
        root = b""
    if len(root) != ROOT_BYTES:
        raise WardwellError(
            "That is not a root secret: it must be 32 bytes or 64 hex digits.", "Combine the shares again."
        )
    return root
