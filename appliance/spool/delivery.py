"""Spool folders: one per sender and receiver; each message acted on exactly once.

A sender calls `enqueue` inside the transaction of the message's cause and `flush` after it; the file is written,
fsynced, renamed and its folder fsynced before the outbox row goes. A receiver calls `receive`: the message id is stored
in the same transaction as the effect, then the file is unlinked. A crash at any point repeats a step, never an effect.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from appliance.settings import Home
from appliance.spool.messages import AnyMessage, Message
from appliance.storage import OutboxMixin, SeenMixin, Store

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(AnyMessage)

_FLUSH_GROUP = 100

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
        for row in rows:
            folder = store.home.spool(store.compartment, row.receiver)
            write_message(folder, f"{row.id:012d}-{row.message_id}", row.body)
        # One transaction for the group: after a crash before it, receivers know the messages written again.
        with store.write() as session:
            session.execute(delete(table).where(table.id.in_([row.id for row in rows])))
        moved += len(rows)


def write_message(folder: Path, name: str, body: bytes) -> None:
    """Write one message file durably: temporary name, fsync, rename, fsync of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    # Two processes of a compartment may flush the same row at once: each writes a file of its own, and the second
    # rename repeats the first. The receiver knows the message by then.
    temporary, final = folder / f".{name}.{secrets.token_hex(4)}.part", folder / f"{name}.json"
    with open(temporary, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(final)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def send(home: Home, sender: str, receiver: str, message: Message) -> None:
    """Spool a message that has no database effect behind it (health, the epoch's turn)."""
    name = f"{0:012d}-{secrets.token_hex(16)}"
    write_message(home.spool(sender, receiver), name, encode(message))


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
