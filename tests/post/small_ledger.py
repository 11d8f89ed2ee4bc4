"""A small log with real proofs, signatures and cosignatures, in one thread: what post and browsers read is genuine."""

from __future__ import annotations

import socketserver
import threading
from pathlib import Path
from typing import Any

import msgspec

from appliance import clock
from appliance.crypto import tiles
from appliance.crypto.canonical import canonical
from appliance.crypto.notes import COSIGNATURE, Checkpoint, Signer
from appliance.settings import Home
from appliance.spool.messages import Append, Appended, Refused


class SmallLedger:
    """Listens on the ledger's socket of `home`; publishes and cosigns after every append."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.entries: list[dict[str, Any]] = []
        self.down = False
        self.signer = Signer.generate("wardwell/test")
        self.witness = Signer.generate("witness/test", COSIGNATURE)
        self._tree = tiles.Builder()
        self._lock = threading.Lock()
        for name, signer in (("ledger", self.signer), ("witness", self.witness)):
            folder = home.public / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "vkey").write_text(str(signer.verifier) + "\n")
        self._publish()
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                request = msgspec.json.decode(self.rfile.readline(), type=Append)
                answer = Refused(reason="down") if outer.down else outer.append(request)
                self.wfile.write(msgspec.json.encode(answer) + b"\n")

        home.socket("ledger").parent.mkdir(parents=True, exist_ok=True)
        self._server = socketserver.ThreadingUnixStreamServer(str(home.socket("ledger")), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def append(self, request: Append) -> Appended:
        with self._lock:
            leaf = {"v": 1, "kind": request.kind, "at": clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"), **request.public}  # type: ignore[dict-item]
            index = self._tree.size
            self._tree.add(canonical(leaf))
            self.entries.append(leaf)
            self._publish()
            return Appended(public_index=index, about_indexes={}, tree_size=self._tree.size)

    def _publish(self) -> None:
        note = self.signer.sign(Checkpoint("wardwell/test", self._tree.size, self._tree.root()).text())
        tiles.publish(self.home.public / "ledger", self._tree.take_full(), self._tree.take_partial(), note)
        witnessed: Path = self.home.public / "witness" / "checkpoint"
        witnessed.write_bytes(self.witness.cosign(note, clock.now()))

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
