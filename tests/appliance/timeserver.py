"""The agency's time server: answers NTP (RFC 5905, server mode) with this machine's clock, or one that is off.

python -m tests.appliance.timeserver ADDRESS [SECONDS_AHEAD]
"""

from __future__ import annotations

import socket
import struct
import sys
import time

# Seconds from 1900, where NTP begins, to 1970.
_EPOCH = 2_208_988_800


def _stamp(ahead: float) -> tuple[int, int]:
    now = time.time() + ahead + _EPOCH
    return int(now), int(now % 1 * 2**32)


def answer(request: bytes, received: tuple[int, int], sent: tuple[int, int]) -> bytes:
    """Mode 4, stratum 2, precision 2^-20 s; the client's transmit time goes back as the origin."""
    head = struct.pack("!BBbb11I", 0x24, 2, request[2], -20, 0, 0, 0x7F7F0101, *sent, 0, 0, 0, 0, 0, 0)[:24]
    return head + request[40:48] + struct.pack("!4I", *received, *sent)


def serve(address: str, ahead: float) -> None:
    """Until it is ended."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 123))
        while True:
            request, client = server.recvfrom(512)
            if len(request) >= 48:
                received = _stamp(ahead)
                server.sendto(answer(request, received, _stamp(ahead)), client)


if __name__ == "__main__":
    serve(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)
