"""The root secret and the compartments' keys that come from it.

Owns: `root` and `<compartment>/key`. Must never see: a database. Each compartment's key is HKDF-SHA256 of the root
secret (32 random bytes) with the info `wardwell/v1/db/<compartment>`, written as 64 hex digits.
With custody by `file` (a demonstration only) the root secret lies on the disk; an appliance in use has it in shares.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appliance.errors import WardwellError
from appliance.settings import COMPARTMENTS, Home

ROOT_BYTES = 32


def compartment_key(root: bytes, compartment: str) -> str:
    """The database key of `compartment` (64 hex digits) from the 32-byte root secret."""
    if len(root) != ROOT_BYTES:
        raise WardwellError("The root secret is damaged: it is not 32 bytes.", "Restore it from custody.")
    if compartment not in COMPARTMENTS:
        raise ValueError(f"no compartment {compartment!r}")
    return HKDF(SHA256(), 32, salt=None, info=f"wardwell/v1/db/{compartment}".encode()).derive(root).hex()


def found_file_custody(home: Home) -> None:
    """Have the root secret and every compartment's key on disk; for demonstrations. Calling it again changes nothing.

    Raises WardwellError when the appliance is no demonstration, when a database is there without its key (a new key
    would never open it), or when a key is not the one that the root secret gives.
    """
    settings = home.settings()
    if settings.custody != "file" or not settings.demonstration:
        raise WardwellError(
            "Only a demonstration may keep the root secret in a file.",
            'Set custody = "shares" and unseal with the shares, or demonstration = true for a demonstration.',
        )
    root = _root(home)
    for compartment in COMPARTMENTS:
        home.folder(compartment).mkdir(parents=True, exist_ok=True)
        home.folder(compartment).chmod(0o700)
        _key(home, compartment, compartment_key(root, compartment))


def root_file(home: Home) -> Path:
    """Where the root secret lies with custody by file."""
    return home.root / "root"


def _root(home: Home) -> bytes:
    path = root_file(home)
    if path.exists():
        return path.read_bytes()
    left = [name for name in COMPARTMENTS if home.database(name).exists()]
    if left:
        raise WardwellError(
            f"The root secret is missing, and there are databases ({', '.join(left)}).",
            "Restore the file `root` from custody; a new one would open none of them.",
        )
    root = secrets.token_bytes(ROOT_BYTES)
    _write_secret(path, root)
    return root


def _key(home: Home, compartment: str, key: str) -> None:
    path = home.key(compartment)
    if path.exists():
        if not secrets.compare_digest(path.read_text().strip(), key):
            raise WardwellError(
                f"The key of {compartment} is not the one that the root secret gives.", "Restore both from custody."
            )
        return
    # The root secret gives the same key again, so an old database beside it still opens.
    _write_secret(path, key.encode())


def _write_secret(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
