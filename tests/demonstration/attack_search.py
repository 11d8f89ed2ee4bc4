"""Root's search: every database opened with its key, and every other byte of the appliance, for one text.

Owns: what counts as "everywhere", and the disguises under which a text is sought. Must never see: `demo/` under the
home, which stands for people's heads, phones and wallets and is on no machine of an agency's.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import sqlcipher3

from appliance.post.memory import Memory
from appliance.settings import COMPARTMENTS, Home

# A shorter piece of a text than this would be found by chance.
_SHORTEST = 8
_PIECE = 24


@dataclass
class Search:
    """Where it looked and what it found. `places` are files and "compartment.table" names, without any content."""

    databases: int = 0
    cells: int = 0
    files: int = 0
    bytes: int = 0
    places: list[str] = field(default_factory=list)


def disguises(text: str) -> set[bytes]:
    """The text, and pieces of it, as plain bytes, UTF-16, JSON, URL, hex and base64 at each alignment."""
    if len(text) < _SHORTEST:
        raise ValueError(f"a text of fewer than {_SHORTEST} characters is found by chance")
    middle = max(0, len(text) // 2 - _PIECE // 2)
    plain = {text, text.upper(), text.lower(), text[:_PIECE], text[middle : middle + _PIECE], text[-_PIECE:]}
    found: set[bytes] = set()
    for piece in plain:
        raw = piece.encode()
        found |= {
            raw,
            piece.encode("utf-16-le"),
            piece.encode("utf-16-be"),
            raw.hex().encode(),
            raw.hex().upper().encode(),
        }
        found |= {
            json.dumps(piece)[1:-1].encode(),
            quote(piece).encode(),
            quote(piece, safe="").replace("%20", "+").encode(),
        }
        for shift in range(3):
            # The first and the last characters depend on the neighbors; the middle does not.
            coded = base64.b64encode(b"\0" * shift + raw)
            inner = coded[4 if shift else 0 : len(coded) - 4]
            found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return {piece for piece in found if len(piece) >= _SHORTEST}


def rows(home: Home, compartment: str) -> Iterator[tuple[str, tuple[object, ...]]]:
    """(table, row) of everything in one database, its write-ahead log included, opened with its own key."""
    path = home.database(compartment)
    if not path.exists():
        return
    connection = sqlcipher3.connect(f"file:{path}?mode=ro", uri=True, timeout=15)
    try:
        connection.execute(f"PRAGMA key = \"x'{home.key(compartment).read_text().strip()}'\"")
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                yield table, row
    finally:
        connection.close()


def _folders(home: Home) -> list[Path]:
    found = [home.root]
    with contextlib.suppress(Exception):
        found.append(Memory(home).folder)  # the open epoch's cells, in memory
    return found


def files(home: Home) -> Iterator[Path]:
    """Every file of the appliance: databases and WAL as raw bytes, logs, spool, drop, public, backups, memory."""
    pockets = home.root / "demo"
    for folder in _folders(home):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink() and pockets not in path.parents:
                yield path


def search(home: Home, text: str) -> Search:
    """Look for `text` everywhere. Raises ValueError for a text that is too short to mean anything."""
    wanted = disguises(text)
    done = Search()
    for compartment in COMPARTMENTS:
        hits: set[str] = set()
        for table, row in rows(home, compartment):
            for cell in row:
                done.cells += 1
                raw = cell if isinstance(cell, bytes) else str(cell).encode()
                if any(piece in raw for piece in wanted):
                    hits.add(f"{compartment}.{table}")
        done.databases += 1
        done.places += sorted(hits)
    for path in files(home):
        try:
            raw = path.read_bytes()
        except OSError:
            continue  # a spool file that was taken meanwhile
        done.files += 1
        done.bytes += len(raw)
        if any(piece in raw for piece in wanted):
            done.places.append(str(path.relative_to(home.root) if home.root in path.parents else path))
    return done
