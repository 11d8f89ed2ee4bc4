"""Real servers on loopback and people with browsers: desk and post under gunicorn, and the static files."""

from __future__ import annotations

import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from appliance.desk.sign_in import sessions
from appliance.kit import keylist
from appliance.post import epochs
from appliance.post.memory import Memory
from appliance.storage import Store
from provisioning import packages
from tests.post.post_site import Desk
from tests.post.small_ledger import SmallLedger
from tests.support.waiting import answers, until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Town:
    """`session` runs one unlock-to-lock of a person with the product's own browser code."""

    def __init__(self, driver: Path, desk: Desk, post: Store, memory: Memory, ledger: SmallLedger) -> None:
        self.desk, self.post, self.memory = desk, post, memory
        self.home = post.home
        self.hosts = self.home.settings().hosts
        self.people: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.keylist: dict[str, Any] = {"version": 1, "supporters": []}
        self.log = self.home.log / "servers.log"
        self._files = self._static()
        self.ports = {"static": self._files.server_address[1], "desk": free_port(), "post": free_port()}
        post_options = ("--config", "python:webapp.post.gunicorn_config")
        self._servers = [self._serve("desk", ("--workers", "1", "--threads", "2")), self._serve("post", post_options)]
        setup = {
            "hosts": {"desk": self.hosts.desk, "post": self.hosts.post, "space": self.hosts.space},
            "ports": self.ports,
            "site": {
                "ledger_vkey": str(ledger.signer.verifier),
                "witness_vkey": str(ledger.witness.verifier),
            },
        }
        self._node = subprocess.Popen(
            [str(packages.NODE), str(driver), json.dumps(setup)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, server in zip(("desk", "post"), self._servers, strict=True):
            self._wait_for(name, server)

    def _wait_for(self, name: str, server: subprocess.Popen[bytes]) -> None:
        until(lambda: server.poll() is not None or answers(self.ports[name]), seconds=30)
        assert server.poll() is None, self.log.read_text()

    def _static(self) -> http.server.ThreadingHTTPServer:
        public = self.home.public

        class Handler(http.server.SimpleHTTPRequestHandler):
            def translate_path(self, path: str) -> str:
                return str(public / urllib.parse.urlsplit(path).path.lstrip("/"))

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing, as nginx does."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        return server

    def _serve(self, name: str, options: Sequence[str]) -> subprocess.Popen[bytes]:
        with open(self.log, "ab") as log:
            return subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn", "--no-control-socket", *options),
                    *("--bind", f"127.0.0.1:{self.ports[name]}", f"webapp.{name}:create_app()"),
                ],
                env={**os.environ, "WARDWELL_HOME": str(self.home.root)},
                stdout=log,
                stderr=log,
            )

    def call(self, name: str, **arguments: Any) -> Any:
        """One command of the driver."""
        assert self._node.stdin is not None and self._node.stdout is not None
        self._node.stdin.write(json.dumps({"name": name, **arguments}) + "\n")
        self._node.stdin.flush()
        answer = json.loads(self._node.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["ok"]

    @property
    def epoch(self) -> int:
        return epochs.current(self.post).epoch

    def person(self, name: str, *roles: str) -> None:
        """Somebody new; whoever had that name before in these tests is somebody else."""
        self.people[name] = (self.desk.account(*roles), roles)

    def session(self, name: str, *actions: dict[str, Any], **options: Any) -> dict[str, Any]:
        """Unlock, do `actions`, lock; what was seen on the wire, the conversations and any problem."""
        handle, roles = self.people[name]
        token = sessions.start(self.desk.store, handle, "space", "ready")
        done: dict[str, Any] = self.call(
            "session", who=handle, token=token, roles=roles, keylist=self.keylist, actions=actions, **options
        )
        return done

    def list_supporter(self, name: str, number: int, **options: Any) -> keylist.Entry:
        """A supporter makes keys in their own browser, and the signed list names them; the entry as it was exported."""
        made = self.session(name, {"do": "keys"}, **options)["answers"][0]
        entry = keylist.read_entry(json.dumps(made["block"]).encode(), "test")
        assert keylist.check_groups(entry) == made["check"]  # what both read aloud is the same
        others = [one for one in self.keylist["supporters"] if one["number"] != number]
        self.keylist = {"version": 1, "supporters": [*others, {**made["block"], "number": number}]}
        return entry

    def next_day(self) -> None:
        epochs.turn(self.post, self.memory)

    def close(self) -> None:
        processes: list[subprocess.Popen[Any]] = [*self._servers, self._node]
        for process in processes:
            process.terminate()
            process.wait(15)
        for stream in (self._node.stdin, self._node.stdout):
            if stream is not None:
                stream.close()
        self._files.shutdown()
        self._files.server_close()
