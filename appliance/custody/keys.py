"""The root secret and everything that comes from it.

Owns: the derivations, and with custody by `file` also `root` and `<compartment>/key`. Must never see: a database.
Every key is HKDF-SHA256 (RFC 5869, no salt) of the root secret (32 random bytes) under an info string of its own:

    wardwell/v1/db/<compartment>   SQLCipher key of a compartment, 64 hex digits
    wardwell/v1/disk               passphrase of the data volume, 64 hex digits
    wardwell/v1/backup             X25519 key of the backups, as an age identity
    wardwell/v1/custody            Ed25519 key that signs what two persons decided (a restore); its public half is the
                                   check value that tells right cards from wrong ones before anything is opened

With custody by `file` (a demonstration only) the root secret lies on the disk; an appliance in use has it in shares.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import bech32
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appliance import durable
from appliance.crypto.notes import ED25519, Signer
from appliance.errors import Refused, WardwellError
from appliance.settings import COMPARTMENTS, Home

ROOT_BYTES = 32
CUSTODY_NAME = "wardwell/custody"
# On the data volume, once it was opened with shares: custody by file must never start on these data.
PRODUCTION_MARK = "production"


def compartment_key(root: bytes, compartment: str) -> str:
    """The database key of `compartment` (64 hex digits) from the 32-byte root secret."""
    if compartment not in COMPARTMENTS:
        raise ValueError(f"no compartment {compartment!r}")
    return _derive(root, f"db/{compartment}").hex()


def disk_key(root: bytes) -> str:
    """The passphrase of the data volume: 64 hex digits, so that it passes through any tool's input unchanged."""
    return _derive(root, "disk").hex()


def backup_identity(root: bytes) -> str:
    """The age identity (`AGE-SECRET-KEY-1…`) that opens backups. Source: the age format, C2SP age.md."""
    return _bech32("age-secret-key-", _derive(root, "backup")).upper()


def backup_recipient(root: bytes) -> str:
    """The age recipient (`age1…`) that backups are sealed to; public."""
    public = X25519PrivateKey.from_private_bytes(_derive(root, "backup")).public_key()
    return _bech32("age", public.public_bytes_raw())


def custody_signer(root: bytes) -> Signer:
    """The key that signs for both groups together; it exists only while their cards are combined."""
    return Signer(CUSTODY_NAME, ED25519, Ed25519PrivateKey.from_private_bytes(_derive(root, "custody")))


def _derive(root: bytes, purpose: str) -> bytes:
    if len(root) != ROOT_BYTES:
        raise WardwellError("The root secret is damaged: it is not 32 bytes.", "Restore it from custody.")
    return HKDF(SHA256(), 32, salt=None, info=f"wardwell/v1/{purpose}".encode()).derive(root)


def _bech32(prefix: str, data: bytes) -> str:
    # Whole bytes always convert, so the library's None for input that does not fit never comes.
    return bech32.bech32_encode(prefix, bech32.convertbits(data, 8, 5) or [])


def create_file_custody(home: Home) -> None:
    """Have the root secret and every compartment's key on disk; for demonstrations. Calling it again changes nothing.

    Raises WardwellError when the appliance is no demonstration, when a database is there without its key (a new key
    would never open it), or when a key is not the one that the root secret gives; Refused on an agency's data.
    """
    refuse_file_custody(home.root)
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


def refuse_file_custody(data: Path) -> None:
    """Raise Refused when what lies under `data` was ever opened with shares: custody by file is not for it."""
    if (data / PRODUCTION_MARK).exists():
        raise Refused(
            "This is an agency's data; keys in files are for demonstrations only.",
            'Set custody = "shares" in wardwell.toml, and unseal with the cards.',
        )


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
    durable.create(path, root, mode=0o600)
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
    durable.create(path, key.encode(), mode=0o600)
