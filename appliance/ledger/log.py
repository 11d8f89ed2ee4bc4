"""The log itself: one database, one tree, one folder of public files, and never two histories.

Owns: the order in which an append becomes durable (database first, then the answer, then tiles and checkpoint), and the
refusal to run when database, published files and witness disagree. Must never see: who a handle is.
The tree is made from the database's leaves and from nothing else, so a crash can lose no part of it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog
from sqlalchemy import select

from appliance.crypto import merkle, tiles
from appliance.crypto.notes import Checkpoint
from appliance.crypto.tlog import PublicLog
from appliance.crypto.trusted_keys import NotWitnessed, Witnessed, witnessed
from appliance.errors import WardwellError
from appliance.ledger import entries, keys, restore_entry
from appliance.ledger.models import Leaf, Outbox, Seen
from appliance.spool import delivery
from appliance.spool.messages import Append, Appended, EpochTurned, Message, Refused
from appliance.storage import Store

_log = structlog.get_logger("ledger")
_READ_AT_ONCE = 4096

HANDLERS: Mapping[type[Message], delivery.Handler] = {EpochTurned: entries.turn_epoch}


class Disagreement(WardwellError):
    """Database, published files and witness tell different histories; the ledger does not run on top of that."""


class Log:
    """The open log, one per appliance. `append_all`, `receive` and `heed_witness` belong to one thread, `publish` and
    `flush` may run beside them in another."""

    def __init__(self, store: Store) -> None:
        """Replay the database and compare it with what was published. Raises Disagreement, WardwellError."""
        self._store, self._home = store, store.home
        self._signer = keys.load(store.home)
        self._folder = store.home.public / "ledger"
        self._tree = tiles.Builder()
        self._lock = threading.Lock()
        self._published_size = -1
        self._witness_seen: tuple[int, int] | None = None
        self._scrub_due = True
        restore_entry.take_up(store)
        _replay(store, self._folder, self._tree, str(self._signer.verifier))
        self.publish()

    @property
    def size(self) -> int:
        """How many leaves are durable."""
        return self._tree.size

    def append_all(self, requests: list[Append]) -> list[Appended | Refused]:
        """Append each request, all in one transaction; durable when this returns. A refused one leaves no trace."""
        with self._store.write() as session:
            results = [entries.append(session, request) for request in requests]
        # A key that was forgotten must not live on in the write-ahead log either.
        self._scrub_due = self._scrub_due or any(request.forget for request in requests)
        self._catch_up()
        return results

    def receive(self) -> int:
        """Act on waiting messages from post; how many were new."""
        done = delivery.receive(self._store, Seen, HANDLERS, ("post",))
        if done:
            self._catch_up()
        return done

    def flush(self) -> int:
        """Send committed messages on to desk; how many."""
        return delivery.flush(self._store, Outbox)

    def publish(self) -> bool:
        """Write tiles and a checkpoint over everything durable; False when nothing was new.

        When writing fails the process must end (OSError): the next start replays the database and writes all of it.
        """
        with self._lock:
            if self._tree.size == self._published_size:
                return False
            checkpoint = Checkpoint(self._signer.name, self._tree.size, self._tree.root())
            full, partial = self._tree.take_full(), self._tree.take_partial()
        tiles.publish(self._folder, full, partial, self._signer.sign(checkpoint.text()))
        self._published_size = checkpoint.size
        return True

    def heed_witness(self) -> bool:
        """Take keys into use that the witness has now seen; True when that left messages to flush.

        A witnessed checkpoint that is no prefix of this log raises Disagreement.
        """
        if self._scrub_due:
            # A destroyed seed must not live on in the database's write-ahead log.
            self._scrub_due = not self._store.scrub()
        try:
            state = (self._home.public / "witness" / "checkpoint").stat()
            if (state.st_mtime_ns, state.st_ino) == self._witness_seen:
                return False
            if not (self._home.public / "site.json").exists() and not self._home.settings().demonstration:
                return False  # before the founding nobody has said which witness to believe
            word = witnessed(self._home, restore_entry.trusted_keys(self._store))
            seen = word.log.checkpoint()
        except (OSError, NotWitnessed):
            return False  # nothing there, or (a mode that the witness gave it) nothing that this account may read
        except WardwellError as error:
            # Not the witness's word, so keys wait; `wardwell status` shows the age of the last word that was.
            _log.warning("the witness's checkpoint was not accepted", problem=error.message)
            return False
        if seen.size > self._published_size or restore_entry.given_up(self._store, seen, word.at):
            return False
        _require_prefix(self._folder, seen, self._published_size)
        self._witness_seen = (state.st_mtime_ns, state.st_ino)
        with self._store.write() as session:
            activated, destroyed = entries.activate_keys(session, seen.size)
        self._scrub_due = self._scrub_due or destroyed > 0
        return activated > 0

    def _catch_up(self) -> None:
        with self._lock:
            for data in _leaves(self._store, self._tree.size):
                self._tree.add(data)


def first_difference(store: Store, log: PublicLog) -> int | None:
    """The first leaf that the database does not hold as the published tiles have it; None when all agree.

    Finds what root edited in the database, or deleted from it. Raises WardwellError when a tile is missing.
    """
    count = 0
    with store.read() as session:
        for position, data in session.execute(select(Leaf.position, Leaf.data).order_by(Leaf.position)):
            if position != count:
                return count
            if count < log.size and merkle.leaf_hash(data) != log.leaf_hash(count):
                return count
            count += 1
    return count if count < log.size else None


def _leaves(store: Store, first: int) -> Iterator[bytes]:
    """Leaves from `first` on, in order. Raises Disagreement at a gap."""
    position = first
    while True:
        with store.read() as session:
            rows = session.execute(
                select(Leaf.position, Leaf.data)
                .where(Leaf.position >= position)
                .order_by(Leaf.position)
                .limit(_READ_AT_ONCE)
            ).all()
        for row in rows:
            if row.position != position:
                raise Disagreement(
                    f"Entry {position} is missing from the ledger's database.",
                    "Restore the ledger's database from a backup; the published files show what is missing.",
                )
            yield row.data
            position += 1
        if len(rows) < _READ_AT_ONCE:
            return


def _replay(store: Store, folder: Path, tree: tiles.Builder, vkey: str) -> None:
    """Fill `tree` from the database. Raises Disagreement when what was published or witnessed is no prefix of it."""
    heads = []
    if (folder / "checkpoint").exists():
        heads.append(PublicLog(folder, vkey).checkpoint())
    word = _readable_word(store)
    # After a restore the witness's older word may still lie here; the statement of custody says that it is void.
    if word is not None and not restore_entry.given_up(store, word.log.checkpoint(), word.at):
        heads.append(word.log.checkpoint())
    waiting = sorted(heads, key=lambda head: head.size)
    for data in _leaves(store, 0):
        while waiting and waiting[0].size == tree.size:
            _compare(store, folder, tree, waiting.pop(0))
        tree.add(data)
        if tree.size % tiles.WIDTH == 0 and not waiting:
            tiles.write_full(folder, tree.take_full())
    while waiting and waiting[0].size == tree.size:
        _compare(store, folder, tree, waiting.pop(0))
    if waiting:
        raise Disagreement(
            f"The ledger's database has {tree.size} entries, and {waiting[0].size} were published or witnessed.",
            "Restore the newest backup of the ledger's database; an older one would rewrite the log.",
        )


def _readable_word(store: Store) -> Witnessed | None:
    """What the witness last cosigned; None where it left nothing, a file that only it may read, or not its word.

    Whoever can write there could as well remove the file, so what is not its word must not keep the log from starting.
    """
    try:
        if not (store.home.public / "witness" / "checkpoint").exists():
            return None
        return witnessed(store.home, restore_entry.trusted_keys(store))
    except OSError as error:
        _log.warning("the witness's checkpoint cannot be read", problem=error.strerror)
    except WardwellError as error:
        _log.warning("the witness's checkpoint was not accepted", problem=error.message)
    return None


def _compare(store: Store, folder: Path, tree: tiles.Builder, head: Checkpoint) -> None:
    if tree.root() == head.root:
        return
    try:
        position = first_difference(store, PublicLog(folder, at=head))
    except WardwellError:
        position = None
    where = "" if position is None else f" at entry {position}"
    raise Disagreement(
        f"The ledger's database and its published log disagree{where}.",
        "Restore the database from a backup, and tell the officers' trustee; `wardwell ledger verify` says more.",
    )


def _require_prefix(folder: Path, seen: Checkpoint, size: int) -> None:
    log = PublicLog(folder, at=Checkpoint(seen.origin, size, b""))
    if log.root_at(seen.size) != seen.root:
        raise Disagreement("The witness cosigned another log than this one.", "Tell the officers' trustee.")
