"""How a worker's process is told to stop or to do its upkeep now, and how the workers of a home are asked.

Owns: the handlers of SIGTERM, SIGINT and SIGUSR1, and one file per worker. The process holds a POSIX lock on it and
writes there how many upkeeps it began and completed. Whoever asks learns the process id from the kernel, as the holder
of that lock: an id that was left behind is never signalled, and no account can make root signal another process by
what it writes. Must never see: what the workers do.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import struct
import time
from collections.abc import Iterator
from pathlib import Path

from appliance.errors import WardwellError
from appliance.runtime.turns import Control
from appliance.settings import COMPARTMENTS, Home

DEADLINE_SECONDS = 60.0
_LOOK_SECONDS = 0.05
# `struct flock` of fcntl(2): type, whence, start, length, holder's process id.
_LOCK = struct.Struct("hhqqi4x")


def heed_signals(control: Control) -> Control:
    """Let SIGTERM and SIGINT stop it, and SIGUSR1 ask it for its upkeep; returns `control`."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: control.stop())
    signal.signal(signal.SIGUSR1, lambda *_: control.upkeep())
    return control


@contextlib.contextmanager
def controlled(home: Home, compartment: str) -> Iterator[Control]:
    """The Control of this process, the one worker of `compartment`. Raises WardwellError when another one runs."""
    file = home.worker_file(compartment)
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # Before the lock, whose holder is signalled: without a handler SIGUSR1 ends a process.
        control = heed_signals(Control(lambda begun, done: _write(descriptor, begun, done)))
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise WardwellError(f"The worker of {compartment} is already serving here.", "Stop it first.") from None
        control.record(0, 0)
        yield control
    finally:
        os.close(descriptor)


def _write(descriptor: int, begun: int, done: int) -> None:
    # Of one length always, so that a reader never sees the rest of a longer line.
    os.pwrite(descriptor, f"{begun:10} {done:10}\n".encode(), 0)


def ask_upkeep(home: Home, seconds: float = DEADLINE_SECONDS) -> dict[str, str]:
    """Tell every worker of `home` to do its upkeep now, and wait until it is done, `seconds` at most.

    Worker -> what hindered it, "" when everything is done that was due when this was called. Raises WardwellError when
    this account may not signal them.
    """
    deadline = time.monotonic() + seconds
    workers = {name: _Worker(home.worker_file(name)) for name in COMPARTMENTS}
    outcome = {name: "" if worker.signal() else "is not running" for name, worker in workers.items()}
    waiting = {name for name, hindered in outcome.items() if not hindered}
    while waiting and time.monotonic() < deadline:
        waiting = {name for name in waiting if not workers[name].is_done()}
        time.sleep(_LOOK_SECONDS if waiting else 0)
    return outcome | dict.fromkeys(waiting, f"did not answer within {seconds:g} s")


class _Worker:
    """A worker as another process sees it, by its file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._begun = 0

    def signal(self) -> bool:
        """Tell it to do its upkeep now; False when it does not run."""
        try:
            with self._opened() as descriptor:
                pid = _holder(descriptor)
                if not pid:
                    return False
                self._begun = _read(descriptor)[0]
                process = os.pidfd_open(pid)
                try:
                    # Still the holder: then `process` is this worker and no other that got its number since.
                    if _holder(descriptor) != pid:
                        return False
                    signal.pidfd_send_signal(process, signal.SIGUSR1)
                finally:
                    os.close(process)
        except PermissionError:
            raise WardwellError("Only root may ask the workers here.", "Use `sudo`.") from None
        except OSError:
            # No file, or a link in its place; or it ended meanwhile.
            return False
        return True

    def is_done(self) -> bool:
        """Whether an upkeep is complete that began after `signal` was called."""
        try:
            with self._opened() as descriptor:
                return _read(descriptor)[1] > self._begun
        except OSError:
            return False

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        # The folder is the compartment's: what lies there may be a link or a pipe.
        descriptor = os.open(self._file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _holder(descriptor: int) -> int:
    """The id of the process that holds the lock on this file, 0 when none does."""
    asked = _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    kind, _, _, _, pid = _LOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    return 0 if kind == fcntl.F_UNLCK else int(pid)


def _read(descriptor: int) -> tuple[int, int]:
    """How many upkeeps the worker began and completed."""
    try:
        begun, done = os.pread(descriptor, 64, 0).split()
        return int(begun), int(done)
    except ValueError:
        return 0, 0
