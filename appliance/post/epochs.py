"""The epoch: a stored integer, advanced by one function.

Owns: when a board closes (daily at CLOSE_HOUR, once enough sessions or days have passed) and the order of closing.
Must never see: a session. How many there were follows from the number of request cells, which is the same for each.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from appliance import clock
from appliance.charter import Charter
from appliance.post import boards
from appliance.post.memory import Memory
from appliance.post.models import EpochState, Outbox
from appliance.spool.delivery import enqueue, flush
from appliance.spool.messages import EpochTurned
from appliance.storage import Store

# Local hour at which a board may close: between night shift's and day shift's visits, and before the morning's.
CLOSE_HOUR = 4


@dataclass(frozen=True)
class State:
    """The open epoch, the close day it was opened on, and a closed epoch whose boards are not out yet (or None)."""

    epoch: int
    opened_day: date
    publishing: int | None


def close_day(at: datetime, time_zone: str) -> date:
    """The day of the last CLOSE_HOUR at or before `at`, on the agency's clock."""
    return (at.astimezone(ZoneInfo(time_zone)) - timedelta(hours=CLOSE_HOUR)).date()


def _today(store: Store) -> date:
    return close_day(clock.now(), store.home.settings().time_zone)


def _row(session: Session) -> EpochState | None:
    return session.get(EpochState, 1)


def current(store: Store) -> State:
    """The present state; the first call ever opens epoch 1."""
    with store.read() as session:
        row = _row(session)
        if row is not None:
            return State(row.epoch, date.fromisoformat(row.opened_day), row.publishing)
    today = _today(store)
    with store.write() as session:
        row = _row(session)
        if row is None:
            row = EpochState(id=1, epoch=1, opened_day=today.isoformat(), publishing=None)
            session.add(row)
        return State(row.epoch, date.fromisoformat(row.opened_day), row.publishing)


def opened_days(store: Store) -> int:
    """For how many closing hours the present epoch has been open."""
    return max(0, (_today(store) - current(store).opened_day).days)


def due(store: Store, memory: Memory, charter: Charter) -> bool:
    """Whether the present epoch is to close: a closing hour has passed, and sessions or days are enough."""
    constants, days = charter.constants, opened_days(store)
    if days < 1:
        return False
    sessions = memory.count(current(store).epoch, "requests") // constants.tickets_per_session
    return sessions >= constants.epoch_min_sessions or days >= constants.epoch_max_days


def turn(store: Store, memory: Memory) -> int:
    """Close the present epoch, open the next and publish the closed boards; the number that was closed.

    The one function that advances the epoch. A crash at any point is finished by `finish`. Raises LedgerDown; the
    boards then wait, unnamed, and `finish` publishes them.
    """
    with memory.closing():
        _finish(store, memory)
        closed = current(store).epoch
        today = _today(store).isoformat()
        with memory.turning(), store.write() as session:
            row = _row(session)
            if row is None or row.epoch != closed:
                raise RuntimeError("the epoch changed behind the closing lock")
            row.epoch, row.opened_day, row.publishing = closed + 1, today, closed
        _finish(store, memory)
    return closed


def finish(store: Store, memory: Memory) -> None:
    """Publish what a crash or a silent ledger left unpublished; nothing to do is fine."""
    with memory.closing():
        _finish(store, memory)


def _finish(store: Store, memory: Memory) -> None:
    state = current(store)
    if state.publishing is not None:
        cells = {kind: memory.cells(state.publishing, kind, boards.CELL_BYTES) for kind in boards.KINDS}
        boards.publish(store, state.publishing, cells)
        with store.write() as session:
            row = _row(session)
            if row is not None:
                row.publishing = None
            enqueue(session, Outbox, EpochTurned(epoch=state.publishing), receiver="ledger")
    flush(store, Outbox)
    memory.forget(state.epoch)
