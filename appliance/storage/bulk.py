"""Many rows at once: what the object mapper would do row by row, for tables that take a million.

Owns: inserting and finding tuples as the driver has them, past the mapper and the column types. Must never see: what
they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Select, Table, bindparam, insert, literal_column, update
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
    connection = session.connection()
    statement = _insertion(table, connection.dialect)
    if statement:
        connection.exec_driver_sql(statement, list(rows))
    else:
        names = [column.name for column in table.columns]
        connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in rows])


@lru_cache(maxsize=64)
def _insertion(table: Table, dialect: Dialect) -> str:
    """The statement for all columns of `table`; "" where the driver names values instead of counting them."""
    compiled = insert(table).compile(dialect=dialect, column_keys=[column.name for column in table.columns])
    return str(compiled) if compiled.positional else ""


def update_rows(
    session: Session, model: type[DeclarativeBase], names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Set the columns `names`, in the table's order, of the rows with the id that ends each of `rows`.

    Values are not converted, as for `insert_rows`. Raises what the driver raises.
    """
    if not rows:
        return
    table = model.__table__
    assert isinstance(table, Table)
    connection = session.connection()
    binds = [f"new_{name}" for name in names] + ["row_id"]
    statement = update(table).where(table.c.id == bindparam("row_id"))
    statement = statement.values({name: bindparam(f"new_{name}") for name in names})
    compiled = statement.compile(dialect=connection.dialect)
    if compiled.positional:
        if compiled.positiontup != binds:
            raise ValueError(f"the columns of {table.name} are not named in their order")
        connection.exec_driver_sql(str(compiled), list(rows))
    else:
        connection.execute(statement, [dict(zip(binds, row, strict=True)) for row in rows])


def rows_among(
    session: Session,
    query: Select[Any],
    equal: tuple[ColumnElement[Any], Any] | None,
    among: ColumnElement[Any],
    values: Sequence[Any],
) -> list[tuple[Any, ...]]:
    """The rows of `query` where `among` is one of `values` and, with `equal`, another column equals one value.

    For thousands of values at once: naming each of them costs the mapper more than finding its row. `query` has no
    values of its own, and none is converted: select a `UtcSeconds` with `type_coerce(column, BigInteger)`.
    """
    rows: list[Any] = []
    connection = session.connection()
    if not connection.dialect.positional:
        if equal is not None:
            query = query.where(equal[0] == equal[1])
        for begin in range(0, len(values), _GROUP):
            rows += connection.execute(query.where(among.in_(values[begin : begin + _GROUP]))).all()
        return rows
    place: ColumnElement[Any] = literal_column("?")
    query = query if equal is None else query.where(equal[0] == place)
    statement = str(query.where(among.in_([place])).compile(dialect=connection.dialect))
    first = () if equal is None else (equal[1],)
    for begin in range(0, len(values), _GROUP):
        group = values[begin : begin + _GROUP]
        places = "(" + ", ".join("?" * len(group)) + ")"
        rows += connection.exec_driver_sql(statement.replace("(?)", places), (*first, *group)).all()
    return rows
