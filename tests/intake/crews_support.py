"""Unit logs and calls with times of their own, for the tests of crews."""

from __future__ import annotations

from pathlib import Path

import msgspec
from sqlalchemy import select

from appliance.intake.models import Call, Involvement
from appliance.intake.profile.feed_profile import Profile, UnitLog, load_feed
from appliance.intake.settle import crews
from appliance.intake.settle.take import Totals, take_files
from appliance.storage import Store

_STAMP = {"version_pattern": r"(\d{8}_\d{6})", "version_format": "%Y%m%d_%H%M%S"}


def _versioned(name: str) -> Profile | UnitLog:
    return msgspec.structs.replace(load_feed(name), **_STAMP)


LOG, CALLS, UNITS = map(_versioned, ("generic-unit-log", "generic-call-rows", "generic-unit-rows"))
LOG_HEADER = "unit,employee_number,on,off"
CALL_HEADER = "call_number,received,dispatched,arrived,cleared,type,disposition,units"
UNIT_HEADER = CALL_HEADER.removesuffix("s")


def stamped(folder: Path, what: str, version: int, header: str, rows: list[str]) -> Path:
    """A file of the `version`-th export."""
    path = folder / f"{what}_20261101_{version:06d}.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def take_log(store: Store, folder: Path, version: int, *rows: str, log: Profile | UnitLog = LOG) -> Totals:
    return take_files(store, "log", log, [stamped(folder, "log", version, LOG_HEADER, list(rows))], keep=True)


def take_calls(store: Store, folder: Path, version: int, *rows: str) -> Totals:
    return take_files(store, "cad", CALLS, [stamped(folder, "calls", version, CALL_HEADER, list(rows))], keep=True)


def call(number: str, arrived: str, units: str, kind: str = "Suicide", cleared: str = "") -> str:
    """A call whose units arrived when it began; "" never did."""
    return f'{number},{arrived},,{arrived},{cleared},{kind},,"{units}"'


def keep_log(store: Store) -> None:
    """As if a unit log were among the feeds."""
    with store.write() as session:
        crews.keep(session)


def present(store: Store, number: str) -> list[tuple[str, str, str]]:
    """(person, unit, role) of everybody at a call."""
    query = (
        select(Involvement.person_id, Involvement.unit, Involvement.role)
        .join(Call, Call.id == Involvement.call_id)
        .where(Call.number == number)
        .order_by(Involvement.person_id)
    )
    with store.read() as session:
        return [(row[0], row[1], row[2]) for row in session.execute(query)]


def people(store: Store, number: str) -> list[str]:
    return [person for person, _, _ in present(store, number)]
