"""Promise: many rows at once are found and set as one by one; columns in another order than the table's are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from appliance.intake.models import Call
from appliance.storage import Store, insert_rows, rows_among, update_rows

MANY = 2_500


@pytest.fixture
def calls(store_of: Callable[[str], Store]) -> Store:
    """Calls "0" to "2499" of two feeds in turn, each at its own second."""
    store = store_of("intake")
    rows = [(n, "ab"[n % 2], str(n), "1", b"", 1, n, "ordinary", False, True, "") for n in range(MANY)]
    with store.write() as session:
        insert_rows(session, Call, rows)
    return store


def test_rows_are_found_among_more_values_than_one_query_takes(calls: Store) -> None:
    number: Any = Call.number.expression
    feed: Any = Call.feed.expression
    wanted = [str(n) for n in range(MANY)] + ["none"]
    with calls.read() as session:
        everywhere = rows_among(session, select(Call.number), None, number, wanted)
        of_one = rows_among(session, select(Call.number), (feed, "a"), number, wanted)
    assert sorted(int(one) for (one,) in everywhere) == list(range(MANY))
    assert sorted(int(one) for (one,) in of_one) == list(range(0, MANY, 2))


def test_only_the_named_columns_of_the_named_rows_change(calls: Store) -> None:
    with calls.write() as session:
        update_rows(session, Call, ["stamp", "revision"], [("2", 7, 3), ("3", 8, 4)])
    with calls.read() as session:
        query = select(Call.id, Call.stamp, Call.revision, Call.type).where(Call.id.in_([2, 3, 4]))
        found = [tuple(row) for row in session.execute(query.order_by(Call.id))]
    assert found == [(2, "1", 1, "ordinary"), (3, "2", 7, "ordinary"), (4, "3", 8, "ordinary")]


def test_columns_in_another_order_are_refused(calls: Store) -> None:
    with calls.write() as session, pytest.raises(ValueError, match="order"):
        update_rows(session, Call, ["revision", "stamp"], [(7, "2", 3)])
