"""What other compartments sealed for one officer, kept until that officer's browser takes it.

Owns: deliveries of exposure, access-log entries, provisional keys, heads proofs. Must never see: what is inside; all of
it is opaque here.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from appliance.desk.erasure import take_forgotten
from appliance.desk.models.vault import Delivery, Entry, Head, ProvisionalKey, Vault
from appliance.spool.delivery import Handler
from appliance.spool.messages import (
    Forgotten,
    HeadProof,
    Message,
    ProvisionalKeyHandedOver,
    SealedEntry,
    SealedExposure,
)
from appliance.storage import Store

HEAD_FIELDS = ("handle", "epoch", "leaf_index", "last_sequence", "key_hash", "salt", "position", "rows", "proof")


def take_exposure(session: Session, message: SealedExposure) -> None:
    """Keep one delivery until its officer takes it. Without a vault there is none: that officer left meanwhile."""
    if session.scalar(select(Vault.version).where(Vault.handle == message.handle)) is None:
        return
    session.add(
        Delivery(
            id=secrets.token_hex(16),
            handle=message.handle,
            kind=message.kind,
            cycle=message.cycle,
            sealed=message.sealed,
        )
    )


def take_entry(session: Session, message: SealedEntry) -> None:
    """Keep one access-log entry. A sequence number that is here already is never written over."""
    if session.get(Entry, (message.handle, message.sequence)) is None:
        session.add(
            Entry(
                handle=message.handle,
                sequence=message.sequence,
                leaf_index=message.leaf_index,
                provisional=message.provisional,
                sealed=message.sealed,
            )
        )


def take_provisional(session: Session, message: ProvisionalKeyHandedOver) -> None:
    """Keep the handed-over provisional key; not for somebody who left meanwhile."""
    if session.scalar(select(Vault.version).where(Vault.handle == message.handle)) is None:
        return
    row = session.get(ProvisionalKey, message.handle)
    if row is None:
        session.add(ProvisionalKey(handle=message.handle, sealed=message.sealed))
    else:
        row.sealed = message.sealed


def take_head(session: Session, message: HeadProof) -> None:
    """Keep the newest heads row of a person; an older epoch never replaces a newer one."""
    row = session.get(Head, message.handle)
    proof: dict[str, Any] = {name: getattr(message, name) for name in HEAD_FIELDS}
    if row is None:
        session.add(Head(handle=message.handle, epoch=message.epoch, proof=proof))
    elif message.epoch >= row.epoch:
        row.epoch, row.proof = message.epoch, proof


HANDLERS: Mapping[type[Message], Handler] = {
    SealedExposure: take_exposure,
    SealedEntry: take_entry,
    ProvisionalKeyHandedOver: take_provisional,
    HeadProof: take_head,
    Forgotten: take_forgotten,
}


@dataclass(frozen=True)
class Waiting:
    """One delivery."""

    id: str
    kind: str
    cycle: int
    sealed: bytes


@dataclass(frozen=True)
class SealedRow:
    """One entry of the access log."""

    sequence: int
    leaf_index: int
    provisional: bool
    sealed: bytes


def deliveries(store: Store, handle: str) -> list[Waiting]:
    """What waits for `handle`, history first, then by cycle."""
    with store.read() as session:
        rows = session.scalars(
            select(Delivery)
            .where(Delivery.handle == handle)
            .order_by(Delivery.kind.desc(), Delivery.cycle, Delivery.id)
        )
        return [Waiting(row.id, row.kind, row.cycle, row.sealed) for row in rows]


def taken(store: Store, handle: str, ids: list[str]) -> None:
    """Delete deliveries that the browser has merged; other people's ids are not touched."""
    with store.write() as session:
        session.execute(delete(Delivery).where(Delivery.handle == handle, Delivery.id.in_(ids)))


def entries(store: Store, handle: str, after: int) -> list[SealedRow]:
    """The access log of `handle` after sequence number `after`."""
    with store.read() as session:
        rows = session.scalars(
            select(Entry).where(Entry.handle == handle, Entry.sequence > after).order_by(Entry.sequence)
        )
        return [SealedRow(row.sequence, row.leaf_index, row.provisional, row.sealed) for row in rows]


def provisional_key(store: Store, handle: str) -> bytes | None:
    """The provisional key sealed to the mailbox key, or None when there was none or it was not handed over yet."""
    with store.read() as session:
        row = session.get(ProvisionalKey, handle)
        return None if row is None else row.sealed


def head(store: Store, handle: str) -> dict[str, Any] | None:
    """The newest heads row of `handle` with its proof, or None."""
    with store.read() as session:
        row = session.get(Head, handle)
        return None if row is None else row.proof
