"""Many rows at once: what the object mapper would do row by row, for tables that take a million.

Owns: inserting tuples as the driver takes them, past the mapper and the column types. Must never see: what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.orm import DeclarativeBase, Session


def insert_rows(session: Session, model: type[DeclarativeBase], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert `rows`: one value per column of `model`'s table, in the table's order, already as the database keeps it.

    Values are not converted: a `UtcSeconds` is given as its integer. Raises what the driver raises.
    """
    if not rows:
        return
    table = model.__table__
    assert isinstance(table, Table)
    names = [column.name for column in table.columns]
    connection = session.connection()
    compiled = insert(table).compile(dialect=connection.dialect, column_keys=names)
    if compiled.positional:
        connection.exec_driver_sql(str(compiled), list(rows))
    else:
        connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in rows])
