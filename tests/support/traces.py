"""Searching a running appliance for words: memory of its processes, pages of its databases, files of its home.

A process' memory is read through `/proc/PID/mem` by the user that owns it. That is as good as a core dump and needs no
debugger: a core file holds these same mappings, and by default leaves some of them out.
"""

from __future__ import annotations

import base64
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from sqlalchemy import text

from appliance.settings import Home
from appliance.storage import open_store

# What a deflated stream begins with: gzip, zlib at its four levels, or a ZIP member. The most that is unpacked of one.
_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]|PK\x03\x04.{4}\x08\x00.{16}", re.DOTALL)
_MOST_BYTES = 16 << 20


def memory(process: int) -> Iterator[bytes]:
    """Every readable mapping of a process but those that only show an unchanged file, such as a library's code."""
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as held:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r(.)..", line)
            if not found or "[vvar" in line or "[vsyscall]" in line or (found[3] == "-" and "/" in line):
                continue
            begin, end = (int(part, 16) for part in found.groups()[:2])
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
    """The content of every file below `root`, and what is packed in it, but those below `without`."""
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink() and not (without and path.is_relative_to(without)):
            with suppress(FileNotFoundError):  # gone meanwhile, in a folder that is in use
                yield from unpacked(path.read_bytes())


def unpacked(content: bytes) -> Iterator[bytes]:
    """`content`, and every deflated stream and ZIP member in it.

    Snappy, as LevelDB has it, needs no unpacking: it leaves a word that stands for the first time as it is.
    """
    yield content
    for found in _PACKED.finditer(content):
        begin, form = found.start(), zlib.MAX_WBITS | 32
        if found[0].startswith(b"PK"):
            lengths = content[begin + 26 : begin + 30]
            begin, form = begin + 30 + sum(int.from_bytes(lengths[at : at + 2], "little") for at in (0, 2)), -15
        try:
            plain = zlib.decompressobj(form).decompress(content[begin : begin + _MOST_BYTES], _MOST_BYTES)
        except zlib.error:
            continue
        if plain:
            yield plain


def spellings(word: str) -> list[bytes]:
    """`word` as 8-bit, 16-bit and 32-bit text of either byte order, and in base64 wherever it may begin in it."""
    raw = word.encode()
    wide = [b"\0".join(word[at : at + 1].encode() for at in range(len(word)))]
    wide.append(b"\0\0\0".join(word[at : at + 1].encode() for at in range(len(word))))
    encoded = []
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + raw)
        # The first and the last character also hold bits of what stands beside the word.
        encoded.append(whole[-(-8 * shift // 6) : 8 * (shift + len(raw)) // 6])
    return [raw, *wide, *encoded]


def found_in(pieces: Iterable[bytes], words: Iterable[str], plain: Iterable[str] = ()) -> set[str]:
    """Which of `words` (ASCII, 12 characters at least) stand in `pieces` in any spelling, and of `plain` as they are.

    Each spelling is one more way through everything: a gigabyte of memory takes half a second for each.
    """
    forms = {form: word for word in words for form in spellings(word)} | {word.encode(): word for word in plain}
    return {word for piece in pieces for form, word in forms.items() if form in piece}
