"""What became of each dropped file: kept for the CAD administrator, counted for the status page.

Owns: `models.receipts`. Must never see: what a refused row said; a receipt has its place and the reason only.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from appliance.desk.models.receipts import Receipt, RefusedLine, Unmapped
from appliance.errors import WardwellError
from appliance.spool.delivery import Handler
from appliance.spool.messages import FileReceipt, Message

_YES = {True: "yes", False: "no"}
Row = TypeVar("Row", Receipt, RefusedLine, Unmapped)
PAGE = 50
ALL_COLUMNS = (
    *("id", "at", "feed", "file", "sha256", "taken", "rows", "calls", "updates", "repeats", "involvements"),
    *("refused", "flagged_times", "dry_run"),
)
CSV_COLUMNS = ("file", "line", "column", "reason")


def store_receipt(session: Session, receipt: FileReceipt) -> None:
    """Keep one receipt as it arrived."""
    row = Receipt(
        feed=receipt.feed,
        file=receipt.file,
        sha256=receipt.sha256,
        at=receipt.at,
        taken=receipt.taken,
        rows=receipt.rows,
        calls=receipt.calls,
        updates=receipt.updates,
        repeats=receipt.repeats,
        involvements=receipt.involvements,
        # A file that is unusable as a whole is refused for a reason that is no row.
        refused=max(receipt.refused_rows, len(receipt.refused)),
        flagged_times=receipt.flagged_times,
        chosen=receipt.chosen,
        dry_run=receipt.dry_run,
    )
    session.add(row)
    session.flush()
    session.add_all(
        RefusedLine(receipt_id=row.id, file=line.file, line=line.line, column=line.column, reason=line.reason)
        for line in receipt.refused
    )
    for what, counts in (("unit", receipt.unmapped_units), ("type", receipt.unmapped_types)):
        session.add_all(
            Unmapped(
                receipt_id=row.id,
                what=what,
                value=value,
                count=count,
                nearest=receipt.nearest_types.get(value, []) if what == "type" else [],
            )
            for value, count in counts.items()
        )


HANDLERS: Mapping[type[Message], Handler] = {FileReceipt: store_receipt}


@dataclass(frozen=True)
class Feed:
    """How one feed is doing: its last file, how many are in quarantine."""

    name: str
    last: datetime
    files: int
    quarantined: int


def _kept(session: Session, rows: Sequence[Row]) -> list[Row]:
    # Readable after the session's end, which would otherwise empty them.
    for row in rows:
        session.expunge(row)
    return list(rows)


def latest(session: Session, page: int = 1) -> tuple[list[Receipt], int]:
    """One page of receipts, newest first, and how many pages there are."""
    count = session.scalar(select(func.count()).select_from(Receipt)) or 0
    pages = max(1, -(-count // PAGE))
    offset = (min(max(page, 1), pages) - 1) * PAGE
    rows = session.scalars(select(Receipt).order_by(Receipt.at.desc(), Receipt.id.desc()).offset(offset).limit(PAGE))
    return _kept(session, rows.all()), pages


def receipt_with(session: Session, receipt_id: int) -> tuple[Receipt, list[RefusedLine], list[Unmapped]]:
    """One receipt, its refused rows in the file's order, and what had no place, most frequent first."""
    row = session.get(Receipt, receipt_id)
    if row is None:
        raise WardwellError("There is no such receipt.", "Go back to the list.")
    lines = session.scalars(
        select(RefusedLine).where(RefusedLine.receipt_id == receipt_id).order_by(RefusedLine.line, RefusedLine.id)
    )
    unmapped = session.scalars(
        select(Unmapped).where(Unmapped.receipt_id == receipt_id).order_by(Unmapped.count.desc(), Unmapped.value)
    )
    return _kept(session, [row])[0], _kept(session, lines.all()), _kept(session, unmapped.all())


def all_csv(session: Session) -> Iterator[str]:
    """Every receipt, oldest first, one line each (RFC 4180); times are ISO in UTC."""
    columns = [getattr(Receipt, name) for name in ALL_COLUMNS]
    yield _line(ALL_COLUMNS)
    for row in session.execute(select(*columns).order_by(Receipt.at, Receipt.id)).yield_per(1000):
        cells = row._asdict() | {
            "at": row.at.isoformat(),
            **{name: _YES[getattr(row, name)] for name in ("taken", "dry_run")},
        }
        yield _line([_plain(cell) if isinstance(cell, str) else cell for cell in cells.values()])


def _line(cells: Sequence[object]) -> str:
    sheet = io.StringIO()
    csv.writer(sheet).writerow(cells)
    return sheet.getvalue()


def refused_csv(lines: list[RefusedLine]) -> str:
    """The refused rows of one file as CSV (RFC 4180)."""
    rows = ([_plain(line.file), line.line or "", _plain(line.column), _plain(line.reason)] for line in lines)
    return "".join(map(_line, [CSV_COLUMNS, *rows]))


def as_json(row: Receipt, lines: list[RefusedLine], unmapped: list[Unmapped]) -> dict[str, Any]:
    """One receipt whole, for other programs: counts, how the file was read, refused rows, what had no place."""
    counts = ("rows", "calls", "updates", "repeats", "involvements", "refused")
    names = ("feed", "file", "sha256", "dry_run", "taken", *counts)
    return {
        **{name: getattr(row, name) for name in names},
        "at": row.at.isoformat(),
        "flagged_times": row.flagged_times,
        "chosen": row.chosen,
        "refused_rows": [{name: getattr(line, name) for name in CSV_COLUMNS} for line in lines],
        "unmapped_units": {item.value: item.count for item in unmapped if item.what == "unit"},
        "unmapped_types": {item.value: item.count for item in unmapped if item.what == "type"},
        "nearest_types": {item.value: item.nearest for item in unmapped if item.nearest},
    }


def _plain(cell: str) -> str:
    # A file may be named like a formula; a spreadsheet must not run it.
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def feeds(session: Session) -> list[Feed]:
    """Every feed that ever dropped a file, by name."""
    quarantined = func.count().filter(Receipt.taken.is_(False))
    rows = session.execute(
        select(Receipt.feed, func.max(Receipt.at), func.count(), quarantined)
        .where(Receipt.dry_run.is_(False))
        .group_by(Receipt.feed)
        .order_by(Receipt.feed)
    )
    return [Feed(name, last, files, int(bad or 0)) for name, last, files, bad in rows]
