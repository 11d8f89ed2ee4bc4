"""Founding of the demonstration: the two signing keys, the signed charter, roster, role holders and site file.

Owns: `demo/keys/` (in an agency these keys lie with the chief's office and with the officers' trustee, on no machine of
the agency's) and what is signed with them. Must never see: anything that arises later in the appliance.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.charter.schema import SHIPPED, Charter
from appliance.crypto import sshsig
from appliance.desk.sign_in.accounts import hash_password
from appliance.founding import papers
from appliance.settings import Home, Settings
from tests.demonstration.agency import LOCAL_ROLES, Agency, write_roster

SIGNERS = ("agency", "trustee")


def folder(home: Home) -> Path:
    return home.root / "demo"


def key_file(home: Home, signer: str) -> Path:
    """The private key of "agency" or "trustee", in OpenSSH's form."""
    return folder(home) / "keys" / signer


def make_keys(home: Home, comments: dict[str, str]) -> None:
    """Both signing keys and their public halves, unless they are there."""
    home.public.mkdir(parents=True, exist_ok=True)
    for signer in SIGNERS:
        path = key_file(home, signer)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(sshsig.generate_private_openssh())
        line = sshsig.public_line(sshsig.load_private(path), comments[signer])
        (home.public / f"{signer}.pub").write_text(line + "\n")


def _key(home: Home, signer: str) -> Ed25519PrivateKey:
    return sshsig.load_private(key_file(home, signer))


def sign(home: Home, path: Path, namespace: str, signers: tuple[str, ...] = SIGNERS) -> None:
    """Sign the file at `path` for each of `signers`: `PATH.agency.sig`, `PATH.trustee.sig`."""
    for signer in signers:
        signature = sshsig.sign(_key(home, signer), path.read_bytes(), namespace)
        path.with_name(f"{path.name}.{signer}.sig").write_bytes(signature)


def publish_charter(home: Home) -> None:
    """The charter that ships, signed by both, as the appliance's own and for everyone to read."""
    for path in (home.charter_file, home.public / "charter.toml"):
        if not path.exists() or path.read_bytes() != SHIPPED.read_bytes():
            path.write_bytes(SHIPPED.read_bytes())
    sign(home, home.public / "charter.toml", "wardwell-charter")


def publish_site(home: Home, settings: Settings) -> None:
    """`public/site.json`, signed by both. The keys that it names must be published already."""
    charter = Charter((home.public / "charter.toml").read_bytes())
    written = papers.next_site(home, settings, charter, (home.public / "witness" / "vkey").read_text().strip())
    path = home.public / "site.json"
    signatures = [path.with_name(f"site.json.{signer}.sig") for signer in SIGNERS]
    if path.exists() and path.read_bytes() == written and all(signature.exists() for signature in signatures):
        return
    path.write_bytes(written)
    sign(home, path, papers.SITE_NAMESPACE)


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def write_documents(home: Home, agency: Agency) -> tuple[Path, Path]:
    """The roster and the founding document (local accounts, first role holders), signed by both; their paths.

    Written once: the passwords of local accounts are stretched with a fresh salt, which would change the file.
    """
    roster, document = folder(home) / "roster.csv", folder(home) / "founding.toml"
    if not roster.exists():
        write_roster(agency, roster)
        sign(home, roster, "wardwell-roster")
    if not document.exists():
        blocks = ["# The first role holders. Signed by the agency and by the officers' trustee."]
        for role in LOCAL_ROLES:
            person = agency.roles[role]
            blocks.append(
                "[[local_accounts]]\n"
                f"sign_in_name = {_quoted(person.name)}\n"
                f"name = {_quoted(person.display)}\n"
                f"password = {_quoted(hash_password(person.password))}"
            )
        for role, person in agency.roles.items():
            if role == "officer":
                continue  # everyone on the roster is one
            who = (
                f"sign_in_name = {_quoted(person.name)}"
                if role in LOCAL_ROLES
                else f"person_id = {_quoted(person.number)}"
            )
            blocks.append(f'[[grants]]\nrole = "{role}"\n{who}')
        document.write_text("\n\n".join(blocks) + "\n")
        sign(home, document, "wardwell-charter")
    return roster, document
