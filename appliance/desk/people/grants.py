"""Who holds which role: proposed by one person, countersigned by another, and taken away the same way.

Owns: role grants and their rules. A directory group grants nothing. Every grant and every revocation stands in the
ledger first, naming the person by a salted hash: a bare handle beside a role would tell, through the ledger's mailbox
keys, which of the few holders of that role has a private space. Must never see: what a role is used for.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from sqlalchemy import select
from sqlalchemy.orm import Session

from appliance import clock
from appliance.account import Account
from appliance.charter import Charter
from appliance.desk.models.people import DeskAccount, Grant, Person
from appliance.desk.sign_in import sessions
from appliance.errors import WardwellError
from appliance.spool.append import append
from appliance.spool.log_entries import RoleGranted, RoleRevoked, request
from appliance.storage import Store

# Words in the roster's `duties`, or names of units, that exclude from coordinating.
_NOT_COORDINATOR = ("supervis", "internal affairs", "professional standards")


@dataclass(frozen=True)
class Held:
    """One grant, for pages. `state`: "proposed", "active", "ending" (its end is proposed), "ended"."""

    id: int
    handle: str
    name: str
    role: str
    state: str
    proposed_by: str
    countersigned_by: str
    since: datetime | None


def subject(handle: str, salt: str) -> str:
    """How the ledger's public leaf names a person: SHA-256 over salt and handle (both hex), hex."""
    return hashlib.sha256(bytes.fromhex(salt) + bytes.fromhex(handle)).hexdigest()


def listed(store: Store) -> list[Held]:
    """Every grant that is proposed, active or about to end, by name and role."""
    with store.read() as session:
        rows = session.scalars(select(Grant).where(Grant.revoked_at.is_(None)).order_by(Grant.role, Grant.id)).all()
        return [
            Held(
                row.id,
                row.handle,
                _name(session, row.handle),
                row.role,
                _state(row),
                row.proposed_by,
                row.countersigned_by,
                row.countersigned_at,
            )
            for row in rows
        ]


def _state(row: Grant) -> str:
    if row.revoked_at is not None:
        return "ended"
    if row.countersigned_at is None:
        return "proposed"
    return "ending" if row.revoke_proposed_by else "active"


def _name(session: Session, handle: str) -> str:
    person, account = session.get(Person, handle), session.get(DeskAccount, handle)
    return person.name if person is not None else account.name if account is not None else ""


def _open_roles(session: Session, handle: str) -> set[str]:
    return set(session.scalars(select(Grant.role).where(Grant.handle == handle, Grant.revoked_at.is_(None))))


def check_rules(session: Session, charter: Charter, handle: str, role: str) -> None:
    """Raise WardwellError when the person of `handle` may not hold `role`, by the charter or the roster."""
    if role not in charter.roles or role in ("anyone", "officer"):
        raise WardwellError("That role cannot be granted.", "Choose one of the charter's roles.")
    if not _name(session, handle):
        raise WardwellError("There is no such person.", "Take the roster first, or make the local account.")
    held = _open_roles(session, handle)
    if role in held:
        raise WardwellError("This person has that role already, or it is proposed.", "Look at the list of roles.")
    apart = {*charter.separation.get(role, []), *(r for r, others in charter.separation.items() if role in others)}
    if held & apart:
        raise WardwellError(
            f"{charter.roles[role]} cannot be held together with {charter.roles[min(held & apart)]}.",
            "Choose another person, or revoke the other role first.",
        )
    person = session.get(Person, handle)
    if role == "coordinator" and person is not None:
        about = f"{person.duties} {person.unit}".casefold()
        if any(word in about for word in _NOT_COORDINATOR):
            raise WardwellError(
                "A coordinator may not supervise people or do internal affairs.", "Choose another person."
            )
    if role == "clinician" and person is not None:
        raise WardwellError("A clinician has an appliance-local account.", "Make the local account first.")


def propose(store: Store, charter: Charter, by: Account, handle: str, role: str) -> int:
    """Propose `role` for a person; returns the grant's id. It counts for nothing until somebody else countersigns."""
    _may(charter, by, "propose")
    with store.write() as session:
        check_rules(session, charter, handle, role)
        row = Grant(
            handle=handle,
            role=role,
            salt=secrets.token_hex(32),
            proposed_by=by.id,
            proposed_at=clock.now(),
            countersigned_by="",
            countersigned_at=None,
            leaf_index=-1,
            revoke_proposed_by="",
            revoked_by="",
            revoked_at=None,
        )
        session.add(row)
        session.flush()
        return row.id


def _may(charter: Charter, by: Account, purpose: str) -> None:
    if not charter.allows(by.roles, "grant", purpose):
        raise WardwellError("The charter does not let you do that.", "Ask somebody whom the charter names.")


def _second_person(charter: Charter, first_roles: frozenset[str], first: str, by: Account, row: Grant) -> None:
    _may(charter, by, "countersign")
    if by.id == first:
        raise WardwellError("The person who proposed this cannot countersign it.", "Ask a second person.")
    if by.id == row.handle:
        raise WardwellError("Nobody countersigns their own role.", "Ask another person.")
    if row.role in charter.grants.need_trustee and "trustee" not in by.roles | first_roles:
        raise WardwellError("One of the two must be the officers' trustee.", "Ask the trustee to countersign.")


def countersign(store: Store, charter: Charter, by: Account, grant_id: int) -> None:
    """Countersign a proposed grant: it stands in the ledger, then it counts."""
    row, first_roles = _load(store, grant_id, "proposed")
    _second_person(charter, first_roles, row.proposed_by, by, row)
    with store.read() as session:
        if not _name(session, row.handle):
            raise WardwellError("That person is not here any more.", "Propose it for somebody else.")
    entry = RoleGranted(role=row.role, **_by_two(row, row.proposed_by, by.id))
    index = append(store.home, request(entry)).public_index
    with store.write() as session:
        live = session.get_one(Grant, grant_id)
        if live.countersigned_at is None and live.revoked_at is None:
            live.countersigned_by, live.countersigned_at, live.leaf_index = by.id, clock.now(), index


def propose_end(store: Store, charter: Charter, by: Account, grant_id: int) -> None:
    """Propose to end an active grant, or withdraw one that was never countersigned (one person is enough for that)."""
    _may(charter, by, "propose")
    with store.write() as session:
        row = session.get(Grant, grant_id)
        if row is None or _state(row) not in ("proposed", "active"):
            raise WardwellError("There is nothing to end.", "Look at the list of roles.")
        if row.countersigned_at is None:
            row.revoked_at, row.revoked_by = clock.now(), by.id
        else:
            row.revoke_proposed_by = by.id


def countersign_end(store: Store, charter: Charter, by: Account, grant_id: int) -> None:
    """Countersign the end of a grant: the ledger has it first; then the role is gone at once, sessions included."""
    row, first_roles = _load(store, grant_id, "ending")
    _second_person(charter, first_roles, row.revoke_proposed_by, by, row)
    entry = RoleRevoked(role=row.role, **_by_two(row, row.revoke_proposed_by, by.id))
    append(store.home, request(entry))
    with store.write() as session:
        live = session.get_one(Grant, grant_id)
        live.revoked_by, live.revoked_at = by.id, clock.now()
    sessions.end_all(store, row.handle)


def _load(store: Store, grant_id: int, state: str) -> tuple[Grant, frozenset[str]]:
    with store.read() as session:
        row = session.get(Grant, grant_id)
        if row is None or _state(row) != state:
            raise WardwellError("There is nothing to countersign.", "Look at the list of roles.")
        first = row.proposed_by if state == "proposed" else row.revoke_proposed_by
        roles = roles_of(session, first)
        session.expunge(row)
        return row, roles


def roles_of(session: Session, handle: str) -> frozenset[str]:
    """The roles that were granted to the person of `handle` and count now."""
    active = select(Grant.role).where(
        Grant.handle == handle, Grant.countersigned_at.is_not(None), Grant.revoked_at.is_(None)
    )
    return frozenset(session.scalars(active))


class _ByTwo(TypedDict):
    subject: str
    proposed_by: str
    countersigned_by: str


def _by_two(row: Grant, first: str, second: str) -> _ByTwo:
    """The salted hashes of whom it is about and of the two people."""
    about, proposed_by, countersigned_by = (subject(handle, row.salt) for handle in (row.handle, first, second))
    return {"subject": about, "proposed_by": proposed_by, "countersigned_by": countersigned_by}


def grant_at_founding(store: Store, charter: Charter, handle: str, role: str, signers: tuple[str, str]) -> None:
    """One founding grant, signed offline by agency and trustee in the founding document; idempotent."""
    with store.read() as session:
        if role in _open_roles(session, handle):
            return
        check_rules(session, charter, handle, role)
    row = Grant(
        handle=handle,
        role=role,
        salt=secrets.token_hex(32),
        proposed_by=f"founding: {signers[0]}",
        proposed_at=clock.now(),
        countersigned_by=f"founding: {signers[1]}",
        countersigned_at=clock.now(),
        leaf_index=-1,
        revoke_proposed_by="",
        revoked_by="",
        revoked_at=None,
    )
    entry = RoleGranted(role=role, subject=subject(handle, row.salt), founding=True)
    row.leaf_index = append(store.home, request(entry)).public_index
    with store.write() as session:
        session.add(row)
