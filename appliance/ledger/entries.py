"""What a request becomes: leaves, sealed entries, a handed-over key. All inside the caller's transaction.

Owns: the rules of what may be appended, the numbering and chaining of a person's entries, and which key they are sealed
to. Must never see: who a handle is. Formats: docs/interfaces.md, "Ledger".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
from typing import Any

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from appliance import clock
from appliance.crypto import merkle
from appliance.crypto.canonical import canonical
from appliance.crypto.sealing import info, key_pair, seal
from appliance.crypto.tiles import ENTRY_LIMIT
from appliance.crypto.trusted_keys import FOUNDING
from appliance.errors import WardwellError
from appliance.ledger.models import Leaf, Outbox, Person, TicketKey
from appliance.spool.delivery import enqueue
from appliance.spool.log_entries import KINDS, PersonCommitment, PersonEntry
from appliance.spool.messages import (
    About,
    Append,
    Appended,
    EpochTurned,
    Forgotten,
    HeadProof,
    ProvisionalKeyHandedOver,
    Refused,
    SealedEntry,
)

_NEXT = "next position"
_HANDLE = re.compile(r"[0-9a-f]{32}")


class NotAppended(Exception):
    """The request is refused; the reason names no person and repeats nothing of the request."""


def append(session: Session, request: Append) -> Appended | Refused:
    """Write `request` into the transaction: leaves, numbering, sealed messages. A refused one leaves no trace in it."""
    try:
        with session.begin_nested():
            return _append(session, request)
    except NotAppended as error:
        session.info.pop(_NEXT, None)
        return Refused(reason=str(error))


def _append(session: Session, request: Append) -> Appended:
    if request.public is None and not request.about:
        raise NotAppended("there is nothing to append")
    if bool(request.forget) != (request.kind == "erased" and not request.about):
        raise NotAppended("to forget somebody takes a leaf that says so, and nothing else")
    if request.public is None and request.kind != PersonCommitment.kind:
        raise NotAppended("that kind of entry has fields that anyone may read")
    public_index = -1
    if request.forget and not _forget(session, request.forget):
        return Appended(public_index=-1, about_indexes={}, tree_size=_next(session))
    if request.public is not None:
        public_index = _append_public(session, request.kind, request.public)
    handles = [about.handle for about in request.about]
    if len(set(handles)) != len(handles):
        raise NotAppended("a person is named twice in one request")
    indexes = {about.handle: _append_about(session, about) for about in request.about}
    return Appended(public_index=public_index, about_indexes=indexes, tree_size=_next(session))


def append_own(session: Session, kind: str, public: dict[str, Any]) -> int:
    """Append a public leaf of a kind that nobody may ask for; its position."""
    return _add(session, kind, _public_leaf(kind, public))


def turn_epoch(session: Session, message: EpochTurned) -> None:
    """Write the heads leaf of an epoch, and send each person the proof of the own row.

    A row is the canonical JSON of `{handle, last_sequence, key_hash, salt}`; `key_hash` is the SHA-256 (hex) of the
    newest ledgered mailbox key, or empty. Rows are hashed as RFC 6962 leaves, in the order of handles.
    """
    people = session.scalars(select(Person).order_by(Person.handle)).all()
    rows: list[dict[str, Any]] = [
        {
            "handle": person.handle,
            "last_sequence": person.last_sequence,
            "key_hash": _key_hash(person),
            "salt": secrets.token_hex(32),
        }
        for person in people
    ]
    hashes = [merkle.leaf_hash(canonical(row)) for row in rows]
    heads = {"epoch": message.epoch, "root": merkle.root(hashes).hex(), "rows": len(rows)}
    leaf_index = _add(session, "heads", _public_leaf("heads", heads))
    nodes = merkle.of_leaves(hashes)
    for position, row in enumerate(rows):
        proof = HeadProof(
            **row,
            epoch=message.epoch,
            leaf_index=leaf_index,
            position=position,
            rows=len(rows),
            proof=[step.hex() for step in merkle.inclusion_of(nodes, position, len(rows))],
        )
        enqueue(session, Outbox, proof, receiver="desk")


def activate_keys(session: Session, witnessed_size: int) -> tuple[int, int]:
    """Take into use every mailbox key whose leaf is witnessed, handing over and destroying provisional seeds.

    Returns how many keys and how many seeds; after a destroyed seed the caller scrubs the database.
    """
    activated = destroyed = 0
    waiting = select(Person).where(Person.waiting_position < witnessed_size)
    for person in session.scalars(waiting).all():
        key = person.waiting_key
        if key is None:
            continue
        if person.provisional_seed is not None:
            sealed = seal(key, person.provisional_seed, info=info("provisional", person.handle))
            enqueue(session, Outbox, ProvisionalKeyHandedOver(handle=person.handle, sealed=sealed), receiver="desk")
            destroyed += 1
        person.key, person.waiting_key, person.waiting_position = key, None, None
        person.provisional_seed = person.provisional_public = None
        activated += 1
    return activated, destroyed


def _append_public(session: Session, kind: str, public: dict[str, Any]) -> int:
    if kind not in ASKED_FOR:
        raise NotAppended("that kind of public entry does not exist")
    if {"v", "kind", "at"} & public.keys():
        raise NotAppended("a public entry may not set v, kind or at itself")
    leaf = _public_leaf(kind, public)
    special = _SPECIAL.get(kind)
    if special is None:
        _require_fields(kind, public)
        return _add(session, kind, leaf)
    return special(session, public, leaf)


def _require_fields(kind: str, public: dict[str, Any]) -> None:
    try:
        msgspec.convert(public, type=KINDS[kind])
    except msgspec.ValidationError:
        raise NotAppended("an entry of that kind has other fields, or other types in them") from None


def _append_ticket_key(session: Session, public: dict[str, Any], leaf: bytes) -> int:
    purpose, period, spki = (public.get(name) for name in ("purpose", "period", "spki"))
    if not (isinstance(purpose, str) and isinstance(period, str) and isinstance(spki, str)) or not spki:
        raise NotAppended("a ticket key names purpose, period and spki")
    known = session.get(TicketKey, (purpose, period))
    if known is not None:
        leaf_before = session.get(Leaf, known.position)
        if leaf_before is not None and json.loads(leaf_before.data).get("spki") == spki:
            return known.position  # asked again after a crash: the same key has its leaf
        raise NotAppended("there is already a ticket key for that purpose and period")
    _require_fields("ticket-key", public)
    position = _add(session, "ticket-key", leaf)
    session.add(TicketKey(purpose=purpose, period=period, position=position))
    return position


def _append_founding(session: Session, public: dict[str, Any], leaf: bytes) -> int:
    """One per log: whoever could add another would say which keys vouch for all the others."""
    _require_fields(FOUNDING, public)
    before = session.scalar(select(Leaf).where(Leaf.kind == FOUNDING).limit(1))
    if before is None:
        return _add(session, FOUNDING, leaf)
    if public.items() <= json.loads(before.data).items():
        return before.position  # asked again after a crash
    raise NotAppended("the log was founded with other keys")


def _append_versions(session: Session, public: dict[str, Any], _leaf: bytes) -> int:
    """The ledger itself adds the position of the leaf before, so that no batch can be left out of the chain."""
    if public.keys() != {"root", "rows"}:
        raise NotAppended("a batch of versions is a root and a number of rows")
    _require_fields("versions", public)
    before = session.scalar(select(Leaf).where(Leaf.kind == "versions").order_by(Leaf.position.desc()).limit(1))
    if before is not None and json.loads(before.data)["root"] == public["root"]:
        return before.position  # asked again after a crash
    previous = -1 if before is None else before.position
    return _add(session, "versions", _public_leaf("versions", {**public, "previous": previous}))


def _append_mailbox_key(session: Session, public: dict[str, Any], leaf: bytes) -> int:
    handle, encoded = public.get("handle"), public.get("key")
    try:
        key = base64.b64decode(encoded, validate=True) if isinstance(encoded, str) else b""
        seal(key, b"", info=b"trial")
    except (binascii.Error, ValueError, WardwellError):
        raise NotAppended("a mailbox key is an X-Wing public key in base64") from None
    _require_fields("mailbox-key", public)
    person = _person(session, handle)
    if person.key is not None or person.waiting_key is not None:
        # A replacement opens nothing sealed before it: what was provisional is destroyed, never handed to the new key.
        person.provisional_seed = person.provisional_public = None
    person.waiting_key, person.waiting_position = key, _add(session, "mailbox-key", leaf)
    return person.waiting_position


# What anyone may ask for; the rest is the ledger's own, or made from the people named.
ASKED_FOR = frozenset(kind for kind, entry in KINDS.items() if not entry.own)
# The others only need their fields.
_SPECIAL = {
    FOUNDING: _append_founding,
    "mailbox-key": _append_mailbox_key,
    "ticket-key": _append_ticket_key,
    "versions": _append_versions,
}


def _forget(session: Session, handle: str) -> bool:
    """Forget the key and the numbering of a person who left; False when there was no key (asked again after a crash).

    A provisional key of somebody who never enrolled is not touched. What waits to be sent about the person goes too.
    """
    if _HANDLE.fullmatch(handle) is None:
        raise NotAppended("a handle is 32 hexadecimal digits")
    person = session.get(Person, handle)
    if person is None or (person.key is None and person.waiting_key is None):
        return False
    session.delete(person)
    session.execute(delete(Outbox).where(func.instr(Outbox.body, handle.encode()) > 0))
    enqueue(session, Outbox, Forgotten(handle=handle), receiver="desk")
    return True


def _append_about(session: Session, about: About) -> int:
    try:
        msgspec.convert(about.body, type=PersonEntry)
    except msgspec.ValidationError:
        raise NotAppended("an entry about a person has the contract's fields, no others") from None
    person = _person(session, about.handle)
    key, provisional = _seal_to(person)
    plaintext = _canonical(
        {
            "v": 1,
            "handle": person.handle,
            "sequence": person.last_sequence + 1,
            "previous": person.last_commit,
            "at": _now(),
            "salt": secrets.token_hex(32),
            "body": about.body,
        }
    )
    commit = hashlib.sha256(plaintext).hexdigest()
    leaf_index = _add(session, "about", canonical({"v": 1, "kind": PersonCommitment.kind, "commit": commit}))
    person.last_sequence, person.last_commit = person.last_sequence + 1, commit
    message = SealedEntry(
        handle=person.handle,
        sequence=person.last_sequence,
        leaf_index=leaf_index,
        provisional=provisional,
        sealed=seal(key, plaintext, info=info("entry", person.handle)),
    )
    enqueue(session, Outbox, message, receiver="desk")
    return leaf_index


def _seal_to(person: Person) -> tuple[bytes, bool]:
    """The key that an entry about `person` is sealed to now, and whether it is provisional."""
    if person.key is not None and person.waiting_key is None:
        return person.key, False
    if person.provisional_public is None:
        pair = key_pair()
        person.provisional_seed, person.provisional_public = pair.seed, pair.public
    return person.provisional_public, True


def _person(session: Session, handle: object) -> Person:
    if not isinstance(handle, str) or _HANDLE.fullmatch(handle) is None:
        raise NotAppended("a handle is 32 hexadecimal digits")
    person = session.get(Person, handle)
    if person is None:
        person = Person(handle=handle, last_sequence=0, last_commit="0" * 64)
        session.add(person)
    return person


def _key_hash(person: Person) -> str:
    key = person.waiting_key if person.waiting_key is not None else person.key
    return hashlib.sha256(key).hexdigest() if key is not None else ""


def _now() -> str:
    return clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _canonical(value: dict[str, Any]) -> bytes:
    try:
        return canonical(value)
    except (ValueError, UnicodeEncodeError):
        raise NotAppended("an entry holds only text, whole numbers, yes or no, lists and objects") from None


def _public_leaf(kind: str, public: dict[str, Any]) -> bytes:
    leaf = _canonical({"v": 1, "kind": kind, "at": _now(), **public})
    if len(leaf) > ENTRY_LIMIT:
        raise NotAppended("an entry holds at most 65,535 bytes")
    return leaf


def _next(session: Session) -> int:
    """The position of the next leaf; asked of the database once per transaction, which holds the write lock."""
    if _NEXT not in session.info:
        last = session.scalar(select(func.max(Leaf.position)))
        session.info[_NEXT] = 0 if last is None else last + 1
    position: int = session.info[_NEXT]
    return position


def _add(session: Session, kind: str, data: bytes) -> int:
    position = _next(session)
    session.add(Leaf(position=position, kind=kind, data=data))
    session.info[_NEXT] = position + 1
    return position
