"""Spool folders: one per sender and receiver; each message acted on exactly once.

A sender calls `enqueue` inside the transaction of the message's cause and `flush` after it; a group of files is written
and fsynced, then each gets its name, then the folder is fsynced, then the outbox rows go. A receiver calls `receive`:
the message id is stored in the same transaction as the effect, then the file is unlinked. A crash at any point repeats
a step, never an effect.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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

_FLUSH_GROUP = 500
# Files that are made durable at once: the file system puts them into one commit, instead of one commit each.
_AT_ONCE = 16
# A part that is older was left by a process that was killed.
_LEFT_SECONDS = 3600

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
    folders: set[Path] = set()
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
            if folder not in folders:
                folders.add(folder)
                _sweep(folder)
            write_messages(folder, messages)
        # One transaction for the group: after a crash before it, receivers know the messages written again.
        with store.write() as session:
            session.execute(delete(table).where(table.id.in_([row.id for row in rows])))
        moved += len(rows)


def write_messages(folder: Path, messages: Sequence[tuple[str, bytes]]) -> None:
    """Write message files (name, body) durably: all of them fsynced, then renamed in order, then the folder fsynced.

    After a crash each is there whole or not at all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for name, body in messages:
        # Two processes of a compartment may flush the same row at once: each writes a file of its own, and the second
        # rename repeats the first. The receiver knows the message by then.
        part = folder / f".{name}.{secrets.token_hex(4)}.part"
        part.write_bytes(body)
        parts.append((part, folder / f"{name}.json"))
    with ThreadPoolExecutor(min(_AT_ONCE, max(1, len(parts)))) as pool:
        list(pool.map(_to_disk, (part for part, _ in parts)))
    for part, final in parts:
        part.rename(final)
    _to_disk(folder)


def _to_disk(path: Path) -> None:
    """Return when what was written to a file or folder is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Remove the parts that killed processes left in `folder`."""
    for part in folder.glob(".*.part"):
        # Another process may be giving it its name just now.
        with contextlib.suppress(FileNotFoundError):
            if part.stat().st_mtime < time.time() - _LEFT_SECONDS:
                part.unlink()


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
