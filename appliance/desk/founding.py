"""The founding document: the first role holders, signed offline by the agency and by the officers' trustee.

Owns: reading it, checking its two signatures, and what follows from it: local accounts without any further right, and
the first grants. Everything later goes through `grants`. Must never see: a password in clear (only scrypt lines).

    [[local_accounts]]               # clinicians, outside trustees
    sign_in_name = "..."
    name = "..."
    password = "scrypt$16$..."       # from `wardwell desk password-line`

    [[grants]]
    role = "coordinator"
    person_id = "E1001"              # from the roster, or: sign_in_name = "..." of a local account
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from sqlalchemy import select

from appliance.charter import Charter
from appliance.desk import accounts, grants, roster
from appliance.desk.models.people import Person
from appliance.errors import WardwellError
from appliance.settings import Home
from appliance.storage import Store

NAMESPACE = "wardwell-charter"


class LocalAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An appliance-local account."""

    sign_in_name: str
    name: str
    password: str


class FoundingGrant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One role for one person: by roster number or by local sign-in name."""

    role: str
    person_id: str = ""
    sign_in_name: str = ""


class Founding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole document."""

    local_accounts: list[LocalAccount] = []
    grants: list[FoundingGrant] = []


def read_file(path: Path) -> Founding:
    """The document at `path`. Raises WardwellError."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Founding)
    except OSError:
        raise WardwellError(f"{path.name} cannot be read.", "Check the path and its permissions.") from None
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise WardwellError(
            f"{path.name} is not a founding document: {error}.", "Correct it and sign it again."
        ) from None


def found(home: Home, store: Store, charter: Charter, path: Path) -> int:
    """Check both signatures and carry the document out; how many grants it names. Repeating it changes nothing."""
    signers = roster.verify_two(home, path, NAMESPACE)
    document = read_file(path)
    for local in document.local_accounts:
        if accounts.find_local(store, local.sign_in_name) is None:
            accounts.password_fits(local.password, "")  # a damaged line is found now, not at the first sign-in
            accounts.add_local(store, local.sign_in_name, local.name, local.password)
    for grant in document.grants:
        grants.found(store, charter, _handle(store, grant), grant.role, signers)
    return len(document.grants)


def _handle(store: Store, grant: FoundingGrant) -> str:
    if bool(grant.person_id) == bool(grant.sign_in_name):
        raise WardwellError(
            "A grant names a person_id or a sign_in_name, one of them.", "Correct it and sign it again."
        )
    if grant.sign_in_name:
        local = accounts.find_local(store, grant.sign_in_name)
        if local is not None:
            return local[0]
    with store.read() as session:
        handle = session.scalar(select(Person.handle).where(Person.person_id == grant.person_id, Person.active))
    if handle is None:
        raise WardwellError("A grant names somebody who is not on the roster.", "Take the roster first.")
    return handle
