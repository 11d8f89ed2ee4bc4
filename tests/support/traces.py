"""Searching a running appliance for words: memory of its processes, rows of its databases, files of its home."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy import text

from appliance.settings import Home
from appliance.storage import open_store


def memory(process: int) -> Iterator[bytes]:
    """Every readable mapping of a process, which a core dump would hold."""
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as held:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if not found or "[vvar" in line or "[vsyscall]" in line:
                continue
            begin, end = (int(part, 16) for part in found.groups())
            try:
                held.seek(begin)
                yield held.read(end - begin)
            except (OSError, ValueError, OverflowError):
                continue


def processes(folder: Path) -> list[int]:
    """Every process that was started for this folder: it is in its command line or its environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in told and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


def rows(home: Home, compartment: str) -> Iterator[bytes]:
    """Every row of the compartment's database, opened with its key."""
    store = open_store(home, compartment)
    with store.read() as session:
        for (table,) in session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all():
            for row in session.execute(text(f'SELECT * FROM "{table}"')):
                yield b"\0".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in row)
    store.close()


def files(root: Path, without: Path | None = None) -> Iterator[bytes]:
    """The content of every file below `root`, but those below `without`."""
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink() and not (without and path.is_relative_to(without)):
            yield path.read_bytes()


def found_in(pieces: Iterable[bytes], words: Iterable[str]) -> set[str]:
    """Which of `words` stand in `pieces`, as 8-bit, 16-bit or 32-bit text."""
    forms = {word.encode(code): word for word in words for code in ("ascii", "utf-16-le", "utf-16-be", "utf-32-le")}
    return {word for piece in pieces for form, word in forms.items() if form in piece}
