"""Spool folders: one per sender and receiver; each message acted on exactly once.

A sender calls `enqueue` inside the transaction of the message's cause and `flush` after it; a group of files is written
to disk, then each gets its name, then the folder is synced, then the outbox rows go. A receiver calls `receive`:
the message id is stored in the same transaction as the effect, then the file is unlinked. A crash at any point repeats
a step, never an effect.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from appliance import durable
from appliance.settings import Home
from appliance.spool.messages import AnyMessage, Message
from appliance.storage import OutboxMixin, SeenMixin, Store

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(AnyMessage)

_FLUSH_GROUP = 500

Handler = Callable[[Session, Any], None]


def encode(message: Message) -> bytes:
    """The wire form of a message."""
    return _encode(message)


def enqueue(session: Session, outbox: type[OutboxMixin], message: Message, *, receiver: str) -> None:
    """Put `message` into the outbox, in the transaction of its cause."""
    row: Any = outbox()
    row.message_id, row.receiver, row.body = secrets.token_hex(16), receiver, encode(message)
    session.add(row)


def flush(store: Store, outbox: type[OutboxMixin]) -> int:
    """Move committed messages from the outbox to their spool folders; how many were moved."""
    table: Any = outbox
    moved = 0
    while True:
        waiting = select(table.id, table.message_id, table.receiver, table.body).order_by(table.id).limit(_FLUSH_GROUP)
        with store.read() as session:
            rows = session.execute(waiting).all()
        if not rows:
            return moved
        groups: dict[Path, list[tuple[str, bytes]]] = {}
        for row in rows:
            folder = store.home.spool(store.compartment, row.receiver)
            groups.setdefault(folder, []).append((f"{row.id:012d}-{row.message_id}", row.body))
        for folder, messages in groups.items():
            write_messages(folder, messages)
        # One transaction for the group: after a crash before it, receivers know the messages written again.
        with store.write() as session:
            session.execute(delete(table).where(table.id.in_([row.id for row in rows])))
        moved += len(rows)


def write_messages(folder: Path, messages: Sequence[tuple[str, bytes]]) -> None:
    """Write message files (name, body) in order; after a crash each is there whole or not at all."""
    durable.write_group(folder, [(f"{name}.json", body) for name, body in messages])


def send(home: Home, sender: str, receiver: str, message: Message) -> None:
    """Spool a message that has no database effect behind it (health, the epoch's turn)."""
    name = f"{0:012d}-{secrets.token_hex(16)}"
    write_messages(home.spool(sender, receiver), [(name, encode(message))])


def receive(
    store: Store,
    seen: type[SeenMixin],
    handlers: Mapping[type[Message], Handler],
    senders: tuple[str, ...],
) -> int:
    """Act on every waiting message for `store.compartment`, in the order sent per sender; how many were new.

    A file that is no valid message, or that this receiver has no handler for, is set aside under `.refused/` in the
    same folder: it may be tampered with, and it must not block the messages behind it.
    """
    done = 0
    table: Any = seen
    for sender in senders:
        folder = store.home.spool(sender, store.compartment)
        if not folder.is_dir():
            continue
        for path in sorted(folder.glob("[0-9]*.json")):
            message_id = path.stem.split("-", 1)[1]
            try:
                message = _decoder.decode(path.read_bytes())
            except (msgspec.DecodeError, msgspec.ValidationError):
                message = None
            handler = handlers.get(type(message)) if message is not None else None
            if handler is None or message is None or message.crosses[0] not in (sender, "any"):
                (folder / ".refused").mkdir(exist_ok=True)
                path.rename(folder / ".refused" / path.name)
                continue
            with store.write() as session:
                if session.get(table, message_id) is None:
                    row: Any = table()
                    row.message_id = message_id
                    session.add(row)
                    handler(session, message)
                    done += 1
            path.unlink()
    return done
