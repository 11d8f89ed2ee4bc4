"""`wardwell custody serve`: the small root process that waits for cards and opens the appliance.

Owns: `custody.sock` and the one act of opening. Must never see: the network; console and web page reach it over its
socket alone. It logs that a card of a group was taken, never a word of it.

One JSON line each way. `{"do": "status"}` and `{"do": "offer", "card": WORDS}` are answered for everybody who may open
the socket (root, and the sealed page's user); `{"do": "forget"}` for root alone. Every answer carries the state:
`{"ok", "state": "sealed"|"opening"|"unsealed", "groups": [{"group", "offered", "needed"}], "minutes_left", "problem",
"fix"}`; a refused one also `"message"` and `"too_many"`. After opening, the process ends so that its memory goes back
to the kernel; systemd starts a fresh one.
"""

from __future__ import annotations

import contextlib
import ctypes
import shutil
import signal
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import msgspec
import structlog

from appliance.custody import opening, public_record
from appliance.custody.machine import Machine
from appliance.custody.offers import Offers, TooMany
from appliance.custody.public_record import Places, PublicRecord
from appliance.errors import Refused, WardwellError

LINE_LIMIT = 4096
READ_SECONDS = 5.0
SEALED_GROUP = "wardwell-sealed"
# mlockall(2), prctl(2). "On fault": what is used is locked, not every page of every library.
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT, _PR_SET_DUMPABLE = 1, 2, 4, 4

_log = structlog.get_logger("custody")


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """One line that is asked."""

    do: str
    card: str = ""


class Keeper:
    """What the process knows and does. `opened` is called once the appliance serves."""

    def __init__(self, places: Places, machine: Machine, offers: Offers, opened: Callable[[], None]) -> None:
        self._places, self._machine, self._offers, self._opened = places, machine, offers, opened
        self._opening = threading.Lock()
        self._problem: WardwellError | None = None

    def answer(self, line: bytes, by_root: bool) -> dict[str, Any]:
        """The answer to one line; never raises."""
        try:
            request = msgspec.json.decode(line, type=Request)
        except (msgspec.DecodeError, msgspec.ValidationError):
            return {"ok": False, "message": "that line is no request", "fix": ""}
        try:
            record = public_record.load(self._places)
            self._do(request, record, by_root)
            return {"ok": True, **self._state(record)}
        except WardwellError as error:
            refused = {"message": error.message, "fix": error.fix, "too_many": isinstance(error, TooMany)}
            return {**self._known_state(), "ok": False, **refused}

    def _do(self, request: Request, record: PublicRecord, by_root: bool) -> None:
        if request.do == "status":
            return
        if request.do == "forget" and by_root:
            self._offers.forget()
            return
        if request.do != "offer":
            raise Refused("Custody has no such command.", "")
        if self._places.unsealed.exists() or self._opening.locked():
            raise Refused("The appliance is not sealed, so no card is needed.", "Keep the card where it belongs.")
        if record.next is not None:
            raise Refused(
                "A change of the root secret was interrupted.", "Finish it: `wardwell custody rotate --new-root`."
            )
        complete = self._offers.offer(request.card, record)
        _log.info("a card was taken")
        if complete and self._opening.acquire(blocking=False):
            self._problem = None
            threading.Thread(target=self._open, args=(record,), name="opening").start()

    def _open(self, record: PublicRecord) -> None:
        try:
            opening.unseal(self._places, self._machine, record, self._offers.take(), lambda step: _log.info(step))
        except WardwellError as error:
            self._problem = error
            _log.error("not unsealed", problem=error.message)
            return
        except OSError as error:
            self._problem = WardwellError(f"The volume cannot be used: {error.strerror}.", "Look at the disk's health.")
            _log.error("not unsealed", problem=self._problem.message)
            return
        finally:
            self._opening.release()
        _log.info("unsealed")
        self._opened()

    def _state(self, record: PublicRecord) -> dict[str, Any]:
        state = "unsealed" if self._places.unsealed.exists() else "sealed"
        return {
            "state": "opening" if self._opening.locked() else state,
            "groups": [asdict(progress) for progress in self._offers.progress(record)],
            "minutes_left": self._offers.minutes_left(),
            "problem": self._problem.message if self._problem else "",
            "fix": self._problem.fix if self._problem else "",
        }

    def _known_state(self) -> dict[str, Any]:
        with contextlib.suppress(WardwellError):
            return self._state(public_record.load(self._places))
        return {}


class _Handler(socketserver.StreamRequestHandler):
    timeout = READ_SECONDS

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            credentials = self.request.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            _, user, _ = struct.unpack("3i", credentials)
            line = self.rfile.readline(LINE_LIMIT)
            self.wfile.write(msgspec.json.encode(self.server.keeper.answer(line, user == 0)) + b"\n")  # type: ignore[attr-defined]


class Server(socketserver.ThreadingUnixStreamServer):
    """Custody's socket around a Keeper."""

    daemon_threads = True

    def __init__(self, places: Places, machine: Machine, offers: Offers | None = None) -> None:
        self.keeper = Keeper(places, machine, offers or Offers(), self._end)
        places.socket.parent.mkdir(parents=True, exist_ok=True)
        places.socket.unlink(missing_ok=True)
        super().__init__(str(places.socket), _Handler)
        places.socket.chmod(0o660)

    def _end(self) -> None:
        # From another thread: `shutdown` waits for the loop that it ends.
        threading.Thread(target=self.shutdown).start()


def keep_memory_private() -> None:
    """Let no page of this process reach a swap file or a core dump. Not fatal where the kernel forbids locking."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) != 0:
        _log.warning("the memory could not be locked; see that swap is off")
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def serve(places: Places, machine: Machine) -> None:
    """Serve until SIGTERM, or until the appliance was opened. Raises Refused for data that custody is not for."""
    if places.home.settings().custody != "shares":
        raise Refused('custody = "file" is for demonstrations.', 'Set custody = "shares" in wardwell.toml.')
    keep_memory_private()
    with Server(places, machine) as server:
        if places.home.production:
            shutil.chown(places.socket, group=SEALED_GROUP)
        signal.signal(signal.SIGTERM, lambda *_: server._end())
        _log.info("serving")
        server.serve_forever(poll_interval=0.2)


def ask(places: Places, request: Request) -> dict[str, Any]:
    """Ask the running process. Raises WardwellError when it does not answer."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(READ_SECONDS)
            connection.connect(str(places.socket))
            connection.sendall(msgspec.json.encode(request) + b"\n")
            with connection.makefile("rb") as lines:
                reply: dict[str, Any] = msgspec.json.decode(lines.readline())
    except PermissionError:
        raise WardwellError("Only root may do that here.", "Use `sudo`, or the sealed page in a browser.") from None
    except (OSError, msgspec.DecodeError):
        raise WardwellError(
            "Custody's process does not answer.", "Start it: `systemctl start wardwell-custody`."
        ) from None
    return reply
