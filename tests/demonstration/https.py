"""A small HTTPS client for the demonstration: one address, one CA and nothing else, the name as SNI.

Owns: one connection per request. `*.wardwell.localhost` resolves in browsers but not in glibc, so it connects to
127.0.0.1 itself, or to the address that it is given. Must never see: a certificate error that it lets pass; there is
no switch for that.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioning.front import split_host


@dataclass(frozen=True)
class Answer:
    """Status, headers (names in lower case) and body of one answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class _Connection(http.client.HTTPSConnection):
    def __init__(self, name: str, port: int, context: ssl.SSLContext, timeout: float, address: str) -> None:
        super().__init__(name, port, context=context, timeout=timeout)
        self._tls, self._address = context, address

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


class Client:
    """Requests to one host, written as the browser writes it: "desk.wardwell.localhost:8443"."""

    def __init__(
        self, host: str, ca_file: Path, *, origin: str = "", timeout: float = 30.0, address: str = "127.0.0.1"
    ) -> None:
        self.host, self.origin, self.timeout, self.address = host, origin, timeout, address
        self._context = ssl.create_default_context(cafile=str(ca_file))
        self._context.minimum_version = ssl.TLSVersion.TLSv1_3

    def request(self, method: str, path: str, *, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """One request. Raises OSError (ssl.SSLError among them) when there is no answer."""
        name, port = split_host(self.host)
        connection = _Connection(name, port, self._context, self.timeout, self.address)
        sent = {"Host": self.host, **({"Origin": self.origin} if self.origin else {}), **(headers or {})}
        try:
            connection.request(method, path, body=body or None, headers=sent)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, headers=headers)

    def post_json(self, path: str, content: dict[str, Any], *, token: str = "") -> Answer:
        """POST JSON, with the bearer token of a session when there is one."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self.request("POST", path, body=json.dumps(content).encode(), headers=headers)
