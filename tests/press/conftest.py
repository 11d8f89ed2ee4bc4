"""What the press's tests share: a ledger that takes everything."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import msgspec
import pytest

from appliance.settings import Home
from appliance.spool.messages import Append, Appended


@pytest.fixture
def taking_ledger(home: Home) -> Iterator[list[Append]]:
    """Everything that was appended, in order; a public leaf's index is its place in the list."""
    taken: list[Append] = []
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(home.socket("ledger")))
    server.listen()
    server.settimeout(0.05)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            with connection, connection.makefile("rwb") as stream:
                taken.append(msgspec.json.decode(stream.readline(), type=Append))
                answer = Appended(public_index=len(taken) - 1, about_indexes={}, tree_size=len(taken))
                stream.write(msgspec.json.encode(answer) + b"\n")

    thread = threading.Thread(target=serve)
    thread.start()
    yield taken
    stop.set()
    thread.join()
    server.close()
