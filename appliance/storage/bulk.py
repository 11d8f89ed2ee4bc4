"""Many rows at once: what the object mapper would do row by row, for tables that take a million.

Owns: inserting and finding tuples as the driver has them, past the mapper and the column types. Must never see: what
they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, insert, literal_column
from sqlalchemy.orm import DeclarativeBase, Session

# Values per query: databases bound their number.
_GROUP = 1_000


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


def rows_among(
    session: Session,
    query: Select[Any],
    equal: tuple[ColumnElement[Any], Any],
    among: ColumnElement[Any],
    values: Sequence[Any],
) -> list[tuple[Any, ...]]:
    """The rows of `query` where one column equals one value and `among` is one of `values`.

    For thousands of values at once: naming each of them costs the mapper more than finding its row. `query` has no
    values of its own, and none is converted: select a `UtcSeconds` with `type_coerce(column, BigInteger)`.
    """
    found: list[tuple[Any, ...]] = []
    connection = session.connection()
    if not connection.dialect.positional:
        for begin in range(0, len(values), _GROUP):
            some = query.where(equal[0] == equal[1], among.in_(values[begin : begin + _GROUP]))
            found += [tuple(row) for row in connection.execute(some)]
        return found
    place: ColumnElement[Any] = literal_column("?")
    statement = str(query.where(equal[0] == place, among.in_([place])).compile(dialect=connection.dialect))
    for begin in range(0, len(values), _GROUP):
        group = values[begin : begin + _GROUP]
        places = "(" + ", ".join("?" * len(group)) + ")"
        rows = connection.exec_driver_sql(statement.replace("(?)", places), (equal[1], *group))
        found += [tuple(row) for row in rows]
    return found
