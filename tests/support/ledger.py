"""The real ledger behind its unix socket, inside a test; and what its entries say, by the provisional seeds."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import select

from appliance.crypto.sealing import info, open_sealed
from appliance.errors import WardwellError
from appliance.ledger import keys
from appliance.ledger.log import Log
from appliance.ledger.models import Leaf, Person
from appliance.settings import Home
from appliance.spool.messages import Append, SealedEntry
from appliance.storage import Store


class RunningLedger:
    """A served log. `down` makes it hang up on everybody."""

    def __init__(self, store: Store) -> None:
        keys.create(store.home)
        self.store, self.log, self.down = store, Log(store), False

    def leaves(self, kind: str) -> list[dict[str, Any]]:
        """Every public leaf of one kind."""
        with self.store.read() as session:
            rows = session.scalars(select(Leaf).where(Leaf.kind == kind).order_by(Leaf.position))
            return [json.loads(row.data) for row in rows]

    def entries(self, handle: str) -> list[dict[str, Any]]:
        """What `handle`'s access log says to its provisional key of now, oldest first; nothing of before that."""
        self.log.flush()
        with self.store.read() as session:
            person = session.get(Person, handle)
            seed = person.provisional_seed if person is not None else None
        bodies = []
        for path in sorted(self.store.home.spool("ledger", "desk").glob("[0-9]*.json")):
            raw = json.loads(path.read_bytes())
            if raw["message"] == "SealedEntry" and raw["handle"] == handle and seed is not None:
                message = msgspec.json.decode(path.read_bytes(), type=SealedEntry)
                with contextlib.suppress(WardwellError):
                    bodies.append(json.loads(open_sealed(seed, message.sealed, info=info("entry", handle)))["body"])
        return bodies


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


@contextlib.contextmanager
def running(home: Home, store: Store) -> Iterator[RunningLedger]:
    """Serve the ledger of `home` from `store` (its tables made)."""
    ledger = RunningLedger(store)
    one_at_a_time = threading.Lock()

    class Answer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            line = self.rfile.readline()
            if ledger.down or not line:
                return
            with one_at_a_time:
                answer = ledger.log.append_all([msgspec.json.decode(line, type=Append)])[0]
            self.wfile.write(msgspec.json.encode(answer) + b"\n")

    with _Server(str(home.socket("ledger")), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield ledger
        finally:
            server.shutdown()
            thread.join()
