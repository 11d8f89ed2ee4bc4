"""Closed boards: files that are written once, read by everybody, and expire by epoch.

Owns: `public/boards/`. Cells stand in the order of their random ids, so nothing of when they came is left. Each board's
digest stands in the ledger before the index names it. Must never see: what is in a cell.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from appliance import durable
from appliance.post.models import Board
from appliance.settings import Home
from appliance.spool.append import append
from appliance.spool.log_entries import BoardClosed, request
from appliance.storage import Store

CONSTANTS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "rules" / "constants.json").read_bytes())
CELL_BYTES: int = CONSTANTS["cell_bytes"]
ID_BYTES: int = CONSTANTS["cell_id_bytes"]
KINDS = ("requests", "replies")
# The ids of a requests board alone: every officer's browser looks there for its own, without the whole board.
REQUEST_IDS = "request-ids"
EPOCHS_KEPT = 60


def path_of(home: Home, epoch: int, kind: str) -> Path:
    """The file of one board."""
    return home.public / "boards" / f"{epoch}-{kind}.bin"


def _write_once(path: Path, data: bytes) -> bytes:
    """Write `path` unless it is there; what it holds then. A board that exists never changes, whatever happened."""
    if not path.exists():
        durable.replace(path, data)
    return path.read_bytes()


def publish(store: Store, epoch: int, cells: dict[str, list[bytes]]) -> None:
    """Write the boards of `epoch`, put their digests into the ledger, and name them in the index.

    May be repeated after a crash: what was written stays. Raises LedgerDown; the index then does not name them yet.
    """
    home = store.home
    written: dict[str, tuple[bytes, int]] = {}
    for kind in KINDS:
        data = _write_once(path_of(home, epoch, kind), b"".join(sorted(cells[kind])))
        written[kind] = (data, len(data) // CELL_BYTES)
    whole, count = written["requests"]
    ids = b"".join(whole[at : at + ID_BYTES] for at in range(0, len(whole), CELL_BYTES))
    written[REQUEST_IDS] = (_write_once(path_of(home, epoch, REQUEST_IDS), ids), count)
    for kind, (data, count) in written.items():
        with store.read() as session:
            if session.get(Board, (epoch, kind)) is not None:
                continue
        digest = hashlib.sha256(data).hexdigest()
        entry = BoardClosed(epoch=epoch, board=kind, sha256=digest, cells=count)
        leaf_index = append(home, request(entry)).public_index
        with store.write() as session:
            session.add(Board(epoch=epoch, kind=kind, sha256=digest, cells=count, leaf_index=leaf_index))
    expire(store, epoch - EPOCHS_KEPT)
    write_index(store)


def expire(store: Store, last: int) -> None:
    """Forget boards of epoch `last` and before: the index first, so that it never names a missing file."""
    with store.write() as session:
        old = session.execute(select(Board.epoch, Board.kind).where(Board.epoch <= last)).all()
        session.execute(delete(Board).where(Board.epoch <= last))
    if old:
        write_index(store)
    for epoch, kind in old:
        path_of(store.home, epoch, kind).unlink(missing_ok=True)


def write_index(store: Store) -> None:
    """Write `index.json`: `[{epoch, kind, sha256, cells, leaf_index}]`, oldest first."""
    with store.read() as session:
        rows = session.scalars(select(Board).order_by(Board.epoch, Board.kind)).all()
        index = [
            {
                "epoch": row.epoch,
                "kind": row.kind,
                "sha256": row.sha256,
                "cells": row.cells,
                "leaf_index": row.leaf_index,
            }
            for row in rows
        ]
    path, data = store.home.public / "boards" / "index.json", (json.dumps(index) + "\n").encode()
    if not path.exists() or path.read_bytes() != data:
        durable.replace(path, data)
