"""Promise: calls and involvement of an earlier version outlive the way to the newest schema."""

from __future__ import annotations

from datetime import UTC, datetime

from alembic import command
from sqlalchemy import select, text

from appliance.intake.models import Call, Involvement, month_of
from appliance.settings import Home
from appliance.storage import open_store
from appliance.storage.migrate import _config, upgrade

RECEIVED = datetime(2026, 10, 14, 17, 1, tzinfo=UTC)


def test_rows_of_the_first_schema_come_along(home: Home) -> None:
    store = open_store(home, "intake")
    config = _config("intake")
    with store.writer.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.commit()
    with store.write() as session:
        session.execute(
            text("INSERT INTO call VALUES (7, 'cad', '1', 's', 'd', 2, '2026-10-14 17:01:00.000000', 'death', 1)")
        )
        for person, end in (("E1", "'2026-10-14 18:01:00.000000'"), ("E2", "NULL")):
            session.execute(
                text(
                    f"INSERT INTO involvement VALUES (7, '{person}', '42', 'primary',"
                    f" '2026-10-14 17:12:00.000000', {end})"
                )
            )
    upgrade(store)
    with store.read() as session:
        (call,) = session.scalars(select(Call))
        people = list(session.scalars(select(Involvement).order_by(Involvement.person_id)))
        assert (call.id, call.number, call.revision, call.received, call.noticed) == (7, "1", 2, RECEIVED, True)
        assert [(one.call_id, one.month, one.start.minute) for one in people] == [
            (7, month_of(int(RECEIVED.timestamp())), 12)
        ] * 2
        assert [one.end for one in people] == [datetime(2026, 10, 14, 18, 1, tzinfo=UTC), None]
    store.close()
