"""The founding document: the first role holders, signed offline by the agency and by the officers' trustee.

Owns: reading it, checking its two signatures, and what follows from it: local accounts without any further right, the
first grants and the hashes of first slips. Everything later goes through `grants` and `slips`. Must never see: a
password in clear (only scrypt lines), a slip.

    [[local_accounts]]               # clinicians, outside trustees
    sign_in_name = "..."
    name = "..."
    password = "scrypt$16$..."       # from `wardwell desk password-line`

    [[grants]]
    role = "coordinator"
    person_id = "E1001"              # from the roster, or: sign_in_name = "..." of a local account

    slips_until = 2026-12-07T00:00:00Z

    [[slips]]                        # from `wardwell kit slips`; the slip itself never comes here
    person_id = "E1001"
    sha256 = "..."
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
from sqlalchemy import select

from appliance import clock
from appliance.account import Account
from appliance.charter import Charter
from appliance.charter.person_entry import person_entry
from appliance.desk import slips
from appliance.desk.models.people import DeskAccount, Person
from appliance.desk.models.people import Slip as SlipRow
from appliance.desk.people import grants
from appliance.desk.roster import publication
from appliance.desk.sign_in import accounts
from appliance.errors import WardwellError
from appliance.settings import Home
from appliance.spool import log_entries
from appliance.spool.append import append
from appliance.storage import Store

NAMESPACE = "wardwell-charter"
# Papers travel; a slip that was made for them may be for longer than one that is handed over at once.
LONGEST_DAYS = 28
_MEND = "Correct it and sign it again."


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


class FoundingSlip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hash (hex) of the first slip of one person, as `appliance.desk.slips.digest` makes it."""

    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    person_id: str = ""
    sign_in_name: str = ""


class Founding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole document."""

    local_accounts: list[LocalAccount] = []
    grants: list[FoundingGrant] = []
    slips: list[FoundingSlip] = []
    slips_until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


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


def accept(home: Home, store: Store, charter: Charter, path: Path) -> int:
    """Check both signatures and carry the document out; how many grants it names. Repeating it changes nothing."""
    signers = publication.verify_two(home, path, NAMESPACE)
    document = read_file(path)
    for local in document.local_accounts:
        if accounts.find_local(store, local.sign_in_name) is None:
            accounts.password_fits(local.password, "")  # a damaged line is found now, not at the first sign-in
            accounts.add_local(store, local.sign_in_name, local.name, local.password)
    for grant in document.grants:
        grants.grant_at_founding(store, charter, _handle(store, grant), grant.role, signers)
    _enter_slips(store, charter, document, signers[1])
    return len(document.grants)


def check(document: Founding, people: set[str]) -> None:
    """Raise WardwellError when it names somebody neither in `people` (roster numbers) nor with a local account."""
    local = {accounts.normal_name(account.sign_in_name) for account in document.local_accounts}
    for account in document.local_accounts:
        try:
            accounts.password_fits(account.password, "")
        except ValueError:
            raise WardwellError("A local account's password line is damaged.", _MEND) from None
    everyone: list[FoundingGrant | FoundingSlip] = [*document.grants, *document.slips]
    for named in everyone:
        if bool(named.person_id) == bool(named.sign_in_name):
            raise WardwellError("A grant or slip must name either a person_id or a sign_in_name.", _MEND)
        known = named.person_id in people if named.person_id else accounts.normal_name(named.sign_in_name) in local
        if not known:
            raise WardwellError("The founding document names somebody who is not on the roster.", _MEND)
    if document.slips:
        last = clock.now() + timedelta(days=LONGEST_DAYS)
        if document.slips_until is None or not clock.now() < document.slips_until <= last:
            raise WardwellError(
                f"The slips of the founding document are not valid now (they may be for {LONGEST_DAYS} days at most).",
                "Make new ones with `wardwell kit slips` and sign again.",
            )


def _enter_slips(store: Store, charter: Charter, document: Founding, trustee: str) -> None:
    """Each slip's hash, once the person's own access log says so. A slip that was used is not brought back."""
    by = Account("", trustee, frozenset({"trustee"}), None)
    for slip in document.slips:
        handle = _handle(store, slip)
        with store.read() as session:
            account = session.get(DeskAccount, handle)
            enrolled = account is not None and bool(account.totp_secret)
            there = session.scalar(select(SlipRow.id).where(SlipRow.code_hash == bytes.fromhex(slip.sha256)))
        over = document.slips_until is None or document.slips_until <= clock.now()
        if there is not None or over or enrolled:
            continue
        about = person_entry(charter, by, "slip", "hand_over", note="A slip was made for the founding")
        append(store.home, log_entries.request(about=about, handles=[handle]))
        slips.enter(store, handle, slip.sha256, document.slips_until or clock.now())


def _handle(store: Store, grant: FoundingGrant | FoundingSlip) -> str:
    if bool(grant.person_id) == bool(grant.sign_in_name):
        raise WardwellError("A grant or slip must name either a person_id or a sign_in_name.", _MEND)
    if grant.sign_in_name:
        local = accounts.find_local(store, grant.sign_in_name)
        if local is not None:
            return local[0]
    with store.read() as session:
        handle = session.scalar(select(Person.handle).where(Person.person_id == grant.person_id, Person.active))
    if handle is None:
        raise WardwellError("A grant names somebody who is not on the roster.", "Take the roster first.")
    return handle
