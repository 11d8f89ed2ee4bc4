"""The one synchronous crossing: ask the ledger to append, and wait until it is on disk.

Wire form on the unix socket: one JSON line each way (`Append` there, `Appended` or `Refused` back), one request per
connection. When the ledger cannot be reached, LedgerDown is raised and nothing may be disclosed.
"""

from __future__ import annotations

import socket

import msgspec

from appliance.errors import WardwellError
from appliance.settings import Home
from appliance.spool.messages import Append, Appended, Refused

TIMEOUT_SECONDS = 5.0
LINE_LIMIT = 8 * 1024 * 1024
_decoder: msgspec.json.Decoder[Appended | Refused] = msgspec.json.Decoder(Appended | Refused)


class LedgerDown(WardwellError):
    """The ledger did not acknowledge; whoever asked may show nothing."""


def append(home: Home, request: Append) -> Appended:
    """Append `request`; return when it is durable. Raises LedgerDown."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(TIMEOUT_SECONDS)
            connection.connect(str(home.socket("ledger")))
            connection.sendall(msgspec.json.encode(request) + b"\n")
            with connection.makefile("rb") as stream:
                line = stream.readline(LINE_LIMIT)
        reply = _decoder.decode(line)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        raise LedgerDown(
            "The access log is not answering, so nothing can be shown.",
            "Ask the administrator to look at `wardwell status`.",
        ) from None
    if isinstance(reply, Refused):
        raise LedgerDown(f"The access log refused the entry: {reply.reason}.", "Report this to the administrator.")
    return reply
