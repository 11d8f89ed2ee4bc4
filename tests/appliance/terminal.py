"""A person at a terminal of the appliance: reads what is shown, types when something is asked."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import subprocess
import time
from types import TracebackType

from tests.appliance.ssh import PROMPT, Shell

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """One interactive command over ssh. Use as a context manager; `expect` waits, `type` answers."""

    def __init__(self, shell: Shell, command: str) -> None:
        self.shown = ""
        self._seen = 0
        master, slave = pty.openpty()
        self._process = subprocess.Popen(
            shell.interactive(command), stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self._master = master
        if shell.user != "root":
            self.expect(PROMPT)
            self.type(shell.password)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(10)
        os.close(self._master)

    def expect(self, *patterns: str, timeout: float = 60) -> re.Match[str]:
        """The first match of one of the patterns in what was shown since the last one."""
        deadline = time.monotonic() + timeout
        while True:
            found = [match for one in patterns if (match := re.search(one, self.shown[self._seen :]))]
            if found:
                first = min(found, key=lambda match: match.start())
                self._seen += first.end()
                return first
            if not self._read(deadline - time.monotonic()):
                raise AssertionError(f"waited for {patterns}; shown was:\n{self.shown[self._seen - 2000 :][-4000:]}")

    def _read(self, seconds: float) -> bool:
        if seconds <= 0 or not select.select([self._master], [], [], seconds)[0]:
            return False
        piece = b""
        with contextlib.suppress(OSError):
            piece = os.read(self._master, 65536)
        self.shown += _COLOURS.sub("", piece.decode(errors="replace"))
        return bool(piece)

    def type(self, text: str) -> None:
        """A line from the keyboard."""
        os.write(self._master, text.encode() + b"\n")

    def end(self, timeout: float = 300) -> int:
        """Until the command is over; its status."""
        deadline = time.monotonic() + timeout
        while self._read(deadline - time.monotonic()):
            pass
        return self._process.wait(10)
