"""The three sockets are answered by their processes, not only by the kernel."""

from __future__ import annotations

import re
import socket
import time

from appliance.health.check import Check, fine, wrong
from appliance.settings import Home

_TIMEOUT = 3.0


def check(home: Home) -> list[Check]:
    hosts = home.settings().hosts
    requests = {
        "ledger": b"\n",
        "desk": f"GET / HTTP/1.0\r\nHost: {hosts.desk}\r\n\r\n".encode(),
        "post": f"GET /state HTTP/1.0\r\nHost: {hosts.post}\r\n\r\n".encode(),
    }
    return [_process(home, name, request) for name, request in requests.items()]


def _process(home: Home, name: str, request: bytes) -> Check:
    begun = time.monotonic()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_TIMEOUT)
            connection.connect(str(home.socket(name)))
            connection.sendall(request)
            response = connection.recv(64)
    except OSError:
        response = b""
    if name == "ledger":
        good = response.startswith(b"{")
    else:
        good = re.match(rb"HTTP/1\.[01] [1-4]\d\d", response) is not None
    if good:
        return fine(f"process {name}", f"answers in {(time.monotonic() - begun) * 1000:.0f} ms")
    fix = f"Read {home.logs(name) / name}.log and start {name} again."
    return wrong(f"process {name}", "it does not answer", fix)
