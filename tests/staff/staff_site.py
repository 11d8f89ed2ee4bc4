"""What the tests of staff pages share: a ledger that remembers, a signed-in browser."""

from __future__ import annotations

import socketserver
from datetime import datetime
from typing import Any

import msgspec
from flask.testing import FlaskClient

from appliance.settings import Home
from appliance.spool.messages import Append, Appended, FileReceipt, RefusedRow
from webapp.common.csrf import token_for
from webapp.desk.who import COOKIE

PEOPLE = 30


class RememberingLedger(socketserver.ThreadingUnixStreamServer):
    """Answers every append and keeps it; `down` makes it hang up instead."""

    daemon_threads = True

    def __init__(self, path: str) -> None:
        self.appended: list[Append] = []
        self.down = False
        super().__init__(path, _Answer)


class _Answer(socketserver.StreamRequestHandler):
    server: RememberingLedger

    def handle(self) -> None:
        line = self.rfile.readline()
        if self.server.down:
            return
        request = msgspec.json.decode(line, type=Append)
        self.server.appended.append(request)
        answer = Appended(
            public_index=0 if request.public is not None else -1,
            about_indexes={about.handle: 0 for about in request.about},
            tree_size=len(self.server.appended),
        )
        self.wfile.write(msgspec.json.encode(answer) + b"\n")


def handle_of(number: int) -> str:
    return f"{number:032x}"


class Browser:
    """A signed-in person's browser: sends the cookie, the host and the form token as the pages do."""

    def __init__(self, client: FlaskClient, home: Home, token: str) -> None:
        self.client, self.token = client, token
        self.host = home.settings().hosts.desk
        if token:
            client.set_cookie(COOKIE, token, domain=self.host.split(":")[0], secure=True, path="/")

    def _options(self) -> dict[str, Any]:
        return {"base_url": f"https://{self.host}"}

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=headers, **self._options())

    def post(self, path: str, data: dict[str, Any] | None = None) -> Any:
        form = {"csrf_token": token_for(self.token), **(data or {})}
        return self.client.post(path, data=form, **self._options())


def refused_file(at: datetime) -> FileReceipt:
    """The receipt of a file that was not taken."""
    return FileReceipt(
        feed="slo",
        file="calls.csv",
        sha256="ab" * 32,
        at=at,
        taken=False,
        rows=9,
        calls=8,
        updates=0,
        repeats=0,
        involvements=4,
        refused=[RefusedRow("calls.csv", 7, "received", "not a time"), RefusedRow("=calls.csv", 8, "", "ragged")],
        unmapped_units={"K9": 3},
        unmapped_types={"ODD": 1},
        refused_rows=3,
        flagged_times=2,
        chosen=["Encoding: CP-1252, since UTF-8 does not fit."],
    )
