"""Legal holds: two people keep the agency's own records about a named person beyond their time, and lift that again.

Owns: the rules of holding, and telling the intake whose records do not expire. What is held is what the agency keeps by
name: who attended which call (intake), follow-ups and corrections (desk). What only the officer can open is never held;
leaving destroys it all the same. Each act stands in the ledger first, with an entry for the person.
Must never see: a private space, whether there is one, a reason in words.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from appliance import clock
from appliance.account import Account
from appliance.charter import Charter
from appliance.charter.person_entry import person_entry
from appliance.desk.models.base import Outbox
from appliance.desk.models.holds import Hold
from appliance.desk.models.people import DeskAccount, Person
from appliance.desk.people import grants
from appliance.errors import WardwellError
from appliance.spool import delivery, log_entries
from appliance.spool.append import append
from appliance.spool.log_entries import HoldChanged
from appliance.spool.messages import LegalHold
from appliance.storage import Store

CATEGORY, READ, ACT = "legal_hold", "verify", "hold"
# Two to six letters, the year, a number: "LIT-2026-0042". A code says which file to ask for, and nothing about it.
MATTER = re.compile(r"[A-Z]{2,6}-20[0-9]{2}-[0-9]{1,6}")
# A proposal that nobody countersigned.
PROPOSAL_DAYS = 14
_NOTES = {
    "proposed": "A legal hold on the agency's records about you was proposed",
    "placed": "A legal hold was placed: the agency's records about you are kept until it is lifted",
    "reviewed": "The legal hold was reviewed: it stays",
    "lift proposed": "It was proposed to lift the legal hold",
    "lifted": "The legal hold was lifted: records about you expire again",
    "withdrawn": "The proposal of a legal hold was withdrawn",
}


@dataclass(frozen=True)
class Held:
    """One hold for pages, made inside `reveal` only. `state`: "proposed", "active", "ending" (its end is proposed)."""

    id: int
    name: str
    number: str
    matter: str
    state: str
    by: tuple[str, ...]
    placed_at: datetime | None
    reviewed_at: datetime | None


@dataclass(frozen=True)
class Told:
    """One hold in force, as its person is told before leaving."""

    matter: str
    placed_on: str
    reviewed_on: str


def find(store: Store, number: str) -> str:
    """The handle of whoever has or had this roster number. Raises WardwellError when nobody does."""
    with store.read() as session:
        handle = session.scalar(select(Person.handle).where(Person.person_id == number.strip()))
    if not handle:
        raise WardwellError("There is nobody with that number.", "Check it against the roster.")
    return handle


def subjects(session: Session, hold_id: int | None = None) -> list[str]:
    """Handles of whom the open holds, or the one with `hold_id`, are about; for their access logs."""
    wanted = select(Hold.handle).where(Hold.lifted_at.is_(None)).distinct()
    return list(session.scalars(wanted if hold_id is None else wanted.where(Hold.id == hold_id)))


def listed(session: Session) -> list[Held]:
    """Every hold that is proposed, in force or about to end. Call it inside `reveal` only."""
    rows = session.scalars(select(Hold).where(Hold.lifted_at.is_(None)).order_by(Hold.matter, Hold.id)).all()
    return [_held(session, row) for row in rows]


def _held(session: Session, row: Hold) -> Held:
    person = session.get(Person, row.handle)
    people = [session.get(DeskAccount, who) for who in (row.proposed_by, row.placed_by) if who]
    return Held(
        id=row.id,
        name=person.name if person else "",
        number=person.person_id if person else "",
        matter=row.matter,
        state=_state(row),
        by=tuple(who.name if who else "Someone who has left" for who in people),
        placed_at=row.placed_at,
        reviewed_at=row.reviewed_at,
    )


def told(store: Store, handle: str) -> list[Told]:
    """The holds in force on the records about one person, for that person."""
    wanted = select(Hold).where(Hold.handle == handle, Hold.placed_at.is_not(None), Hold.lifted_at.is_(None))
    with store.read() as session:
        return [
            Told(row.matter, row.placed_at.date().isoformat(), row.reviewed_at.date().isoformat())
            for row in session.scalars(wanted.order_by(Hold.placed_at))
            if row.placed_at and row.reviewed_at
        ]


def propose(store: Store, charter: Charter, by: Account, handle: str, matter: str) -> None:
    """Propose a hold; it keeps nothing until somebody else countersigns. Raises WardwellError."""
    _may(charter, by)
    matter = matter.strip().upper()
    if not MATTER.fullmatch(matter):
        raise WardwellError(
            "That is not a matter's reference.", "Write letters, the year and a number, like LIT-2026-0042; no words."
        )
    _not_oneself(by, handle)
    with store.read() as session:
        if session.scalar(
            select(Hold.id).where(Hold.handle == handle, Hold.matter == matter, Hold.lifted_at.is_(None))
        ):
            raise WardwellError("That hold already exists or has been proposed.", "Look at the list.")
    row = Hold(
        handle=handle,
        matter=matter,
        salt=secrets.token_hex(32),
        proposed_by=by.id,
        proposed_at=clock.now(),
        placed_by="",
        placed_at=None,
        reviewed_at=None,
        lift_proposed_by="",
        lifted_by="",
        lifted_at=None,
    )
    _ledger(store, charter, by, row, "proposed")
    with store.write() as session:
        session.add(row)


def countersign(store: Store, charter: Charter, by: Account, hold_id: int) -> None:
    """Countersign what is proposed: a hold comes into force, or ends. The ledger and the person's log have it first."""
    _may(charter, by)
    row, first_roles = _load(store, hold_id, "proposed", "ending")
    ending = _state(row) == "ending"
    if by.id == (row.lift_proposed_by if ending else row.proposed_by):
        raise WardwellError("The person who proposed this cannot countersign it.", "Ask a second person.")
    _not_oneself(by, row.handle)
    if "trustee" not in by.roles | first_roles:
        raise WardwellError("One of the two must be the officers' trustee.", "Ask the trustee to countersign.")
    _ledger(store, charter, by, row, "lifted" if ending else "placed")
    now = clock.now()
    with store.write() as session:
        live = session.get_one(Hold, hold_id)
        if ending:
            live.lifted_by, live.lifted_at = by.id, now
        else:
            live.placed_by, live.placed_at, live.reviewed_at = by.id, now, now
        session.flush()
        _tell_intake(session, live.handle)
    delivery.flush(store, Outbox)


def propose_end(store: Store, charter: Charter, by: Account, hold_id: int) -> None:
    """Propose to lift a hold that is in force, or withdraw one that never was (one person is enough for that)."""
    _may(charter, by)
    row, _ = _load(store, hold_id, "proposed", "active")
    _not_oneself(by, row.handle)
    withdrawn = _state(row) == "proposed"
    _ledger(store, charter, by, row, "withdrawn" if withdrawn else "lift proposed")
    with store.write() as session:
        live = session.get_one(Hold, hold_id)
        if withdrawn:
            session.delete(live)
        else:
            live.lift_proposed_by = by.id


def review(store: Store, charter: Charter, by: Account, hold_id: int) -> None:
    """Record that a hold in force was looked at and is still needed; the person is told that date."""
    _may(charter, by)
    row, _ = _load(store, hold_id, "active")
    _not_oneself(by, row.handle)
    _ledger(store, charter, by, row, "reviewed")
    with store.write() as session:
        session.get_one(Hold, hold_id).reviewed_at = clock.now()


def clean(store: Store, charter: Charter) -> None:
    """Forget proposals that nobody countersigned, and lifted holds when what they held has expired too."""
    now = clock.now()
    stale = and_(Hold.placed_at.is_(None), Hold.proposed_at <= now - timedelta(days=PROPOSAL_DAYS))
    over = Hold.lifted_at <= now - timedelta(days=charter.constants.involvement_days)
    with store.write() as session:
        session.execute(delete(Hold).where(or_(stale, over)))


def _state(row: Hold) -> str:
    if row.lifted_at is not None:
        return "ended"
    if row.placed_at is None:
        return "proposed"
    return "ending" if row.lift_proposed_by else "active"


def _may(charter: Charter, by: Account) -> None:
    if not charter.allows(by.roles, CATEGORY, ACT):
        raise WardwellError("The charter does not let you do that.", "Ask somebody whom the charter names.")


def _not_oneself(by: Account, handle: str) -> None:
    if by.id == handle:
        raise WardwellError("Nobody decides about a hold on their own records.", "Ask another person.")


def _load(store: Store, hold_id: int, *states: str) -> tuple[Hold, frozenset[str]]:
    with store.read() as session:
        row = session.get(Hold, hold_id)
        if row is None or _state(row) not in states:
            raise WardwellError("There is nothing to do about that hold.", "Look at the list.")
        roles = grants.roles_of(session, row.lift_proposed_by or row.proposed_by)
        session.expunge(row)
        return row, roles


def _ledger(store: Store, charter: Charter, by: Account, row: Hold, act: str) -> None:
    about = person_entry(charter, by, CATEGORY, ACT, note=f"{_NOTES[act]} ({row.matter})")
    # Without the matter: beside a date it could tell everybody whose it is.
    entry = None
    if act in ("placed", "lifted"):
        entry = HoldChanged(act="lifted" if act == "lifted" else "placed", subject=grants.subject(row.handle, row.salt))
    append(store.home, log_entries.request(entry, about, [row.handle]))


def _tell_intake(session: Session, handle: str) -> None:
    person = session.get(Person, handle)
    if person is None:
        return
    active = select(Hold.id).where(Hold.handle == handle, Hold.placed_at.is_not(None), Hold.lifted_at.is_(None))
    held = session.scalar(active.limit(1)) is not None
    delivery.enqueue(session, Outbox, LegalHold(person_id=person.person_id, held=held), receiver="intake")
