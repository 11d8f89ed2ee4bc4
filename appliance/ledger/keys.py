"""The ledger's checkpoint key, made once at the founding.

Owns: `ledger/checkpoint.key` (C2SP signer form, 0600) and `public/ledger/vkey`. Must never see: any other key.
"""

from __future__ import annotations

import re
from pathlib import Path

from appliance import durable
from appliance.crypto.notes import Signer
from appliance.errors import WardwellError
from appliance.settings import Home


def origin(home: Home) -> str:
    """The log's origin line, `wardwell/<agency slug>`."""
    slug = re.sub(r"[^a-z0-9]+", "-", home.settings().agency.lower()).strip("-")
    return f"wardwell/{slug or 'agency'}"


def key_file(home: Home) -> Path:
    return home.folder("ledger") / "checkpoint.key"


def create(home: Home) -> str:
    """Make the ledger's key if there is none; return its verifier key, which is also in `public/ledger/vkey`.

    Raises WardwellError when a log was already published and its key is gone: a new key would be a new log.
    """
    path, public = key_file(home), home.public / "ledger"
    if not path.exists():
        if (public / "checkpoint").exists():
            raise WardwellError(
                "The log's signing key is missing, and a log is already published.",
                "Restore ledger/checkpoint.key from a backup; a new key would start another log.",
            )
        durable.create(path, f"{Signer.generate(origin(home)).text()}\n".encode(), mode=0o600)
    vkey = str(load(home).verifier)
    if not (public / "vkey").exists():
        durable.replace(public / "vkey", f"{vkey}\n".encode())
    return vkey


def load(home: Home) -> Signer:
    """The ledger's signing key. Raises WardwellError when it is missing or damaged."""
    try:
        return Signer.parse(key_file(home).read_text())
    except FileNotFoundError:
        raise WardwellError("The log's signing key is missing.", "Found the appliance, or restore it.") from None
