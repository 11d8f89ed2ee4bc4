"""Health of every compartment, as each said it last.

Owns: the health rows. Must never see: anything about a person; facts are counts and words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from appliance import clock
from appliance.desk.models.health import HealthRow
from appliance.settings import COMPARTMENTS
from appliance.spool.delivery import Handler
from appliance.spool.messages import Health, Message
from appliance.storage import Store

SILENT_SECONDS = 35  # health comes every 10 s; three missed and a little


@dataclass(frozen=True)
class Shown:
    """One compartment's line on the status page. Of one that is `silent`, nothing was heard for SILENT_SECONDS."""

    compartment: str
    at: datetime | None
    ok: bool
    facts: dict[str, str]
    fix: str
    silent: bool = False


def take_health(session: Session, message: Health) -> None:
    """Keep the newest health of a compartment; an unknown one is ignored."""
    if message.compartment not in (*COMPARTMENTS, "witness"):
        return
    row = session.get(HealthRow, message.compartment)
    if row is None:
        row = HealthRow(compartment=message.compartment, at=message.at, ok=message.ok, facts={}, fix="")
        session.add(row)
    elif message.at < row.at:
        return
    row.at, row.ok, row.facts, row.fix = message.at, message.ok, dict(message.facts), message.fix


HANDLERS: Mapping[type[Message], Handler] = {Health: take_health}


def shown(store: Store) -> list[Shown]:
    """One line per compartment, in the order of the design, whether it was heard or not."""
    with store.read() as session:
        rows = {row.compartment: row for row in session.scalars(select(HealthRow))}
        lines = []
        for name in (*COMPARTMENTS, *(n for n in rows if n not in COMPARTMENTS)):
            row = rows.get(name)
            if row is None:
                lines.append(Shown(name, None, False, {}, f"Start {name}: nothing was heard from it yet."))
            elif (clock.now() - row.at).total_seconds() > SILENT_SECONDS:
                fix = f"Look at the log of {name}: it went silent."
                lines.append(Shown(name, row.at, False, row.facts, fix, silent=True))
            else:
                lines.append(Shown(name, row.at, row.ok, row.facts, row.fix))
        return lines
