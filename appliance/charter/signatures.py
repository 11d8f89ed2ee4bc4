"""The two signatures under a charter: the agency's and the officers' trustee's.

Owns: signing and verifying `charter.toml` (SSHSIG, namespace `wardwell-charter`), and its entry in the access log.
Must never see: a person. The private keys lie with the two signers, never on the appliance.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance import durable
from appliance.charter.schema import Charter
from appliance.crypto import sshsig
from appliance.crypto.tlog import PublicLog
from appliance.crypto.trusted_keys import key_of, signer_key, trusted_keys
from appliance.errors import WardwellError
from appliance.settings import Home
from appliance.spool.append import append
from appliance.spool.log_entries import CharterEntered, Founded, request

NAMESPACE = "wardwell-charter"
SIGNERS = {"agency": "the agency", "trustee": "the officers' trustee"}
_READ_AT_ONCE = 4096


@dataclass(frozen=True)
class Signed:
    """One of the two signatures: by whom, the key's fingerprint, and what is wrong with it ("" when it fits)."""

    signer: str
    fingerprint: str
    problem: str

    @property
    def title(self) -> str:
        """Who signed, as pages show it."""
        return f"The {SIGNERS[self.signer].removeprefix('the ')}"


def sign(file: Path, key: Path, signer: str) -> Path:
    """Sign `file` with the OpenSSH key at `key`; writes and returns `FILE.<signer>.sig`. Raises WardwellError."""
    if signer not in SIGNERS:
        raise WardwellError(f"{signer!r} does not sign charters.", "Say agency or trustee.")
    path = file.with_name(f"{file.name}.{signer}.sig")
    durable.replace(path, sshsig.sign(sshsig.load_private(key), file.read_bytes(), NAMESPACE))
    return path


def verify(home: Home) -> list[Signed]:
    """Both signatures under the charter in force, against the published keys."""
    signatures = []
    for signer, words in SIGNERS.items():
        fingerprint, problem = "", ""
        try:
            line = signer_key(home, signer)
            fingerprint = sshsig.fingerprint(line)
            signature = (home.public / f"charter.toml.{signer}.sig").read_bytes()
            sshsig.verify(line, home.charter_file.read_bytes(), signature, NAMESPACE)
        except OSError:
            problem = f"the key, the charter or the signature of {words} is missing"
        except WardwellError as error:
            problem = error.message
        signatures.append(Signed(signer, fingerprint, problem))
    return signatures


def ledgered(home: Home) -> dict[str, Any] | None:
    """The newest `charter` leaf of the access log, or None when there is no log or no such leaf yet."""
    if not (home.public / "ledger" / "checkpoint").exists():
        return None
    log = PublicLog(home.public / "ledger", str(trusted_keys(home).ledger))
    for end in range(log.size, 0, -_READ_AT_ONCE):
        for raw in reversed(log.entries(max(end - _READ_AT_ONCE, 0), end)):
            leaf: dict[str, Any] = json.loads(raw)
            if leaf["kind"] == "charter":
                return leaf
    return None


def enter(home: Home) -> int | None:
    """Enter the charter in force into the access log; its leaf, or None when it is the newest there already.

    The first time the keys of both signers are entered before it: from then on they vouch for every other key.

    Raises WardwellError when one of the two signatures does not fit, LedgerDown when the ledger is not answering.
    """
    charter = Charter(home.charter_file.read_bytes())
    for signed in verify(home):
        if signed.problem:
            raise WardwellError(f"The charter is not signed by both: {signed.problem}.", "Have both sign this file.")
    if (home.public / "site.json").exists() and not (keys := trusted_keys(home)).anchor:
        append(home, request(Founded(agency=key_of(keys.agency), trustee=key_of(keys.trustee))))
    newest = ledgered(home)
    if newest is not None and newest.get("digest") == charter.digest:
        return None
    entry = CharterEntered(version=charter.version, digest=charter.digest)
    return append(home, request(entry)).public_index
