"""No sum of a person is on the appliance: not in a column, a row, a file or an address, in none of the five databases.

The databases are opened with their keys, after a run of everything that knows who was at which call.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import inspect, select, text

from appliance import clock
from appliance.charter import load_charter
from appliance.crypto import sealing
from appliance.desk import worker
from appliance.desk.models.people import Person
from appliance.desk.models.vault import Delivery, Vault
from appliance.intake.deliver import contributions, counts
from appliance.intake.models import Call, Involvement, Outbox
from appliance.intake.profile.feed_profile import load_profile
from appliance.intake.settle.take import take_files
from appliance.kit.exposure import Contribution, summarize
from appliance.rules.exposure_model import load_model
from appliance.settings import COMPARTMENTS, Home
from appliance.spool import delivery
from appliance.spool.messages import MailboxKeyPublished
from appliance.storage import Store
from tests.intake.support import file, roster, row
from tests.support.databases import new_store
from webapp.common.guard import declaration_of, discloses
from webapp.desk import create_app as create_desk
from webapp.post import create_app as create_post

WORDS = re.compile(r"(^|_)(load|score|rank|ranking|sum|total|band|weight|risk|exposure|summary|average)s?(_|$)")
# Keys that count up over all rows of a table, whosever they are; some of them are bound to equal a sum.
COUNTERS = {"id", "call_id"}
ZONE = ZoneInfo("America/Los_Angeles")
NOW = datetime(2026, 10, 15, 18, tzinfo=UTC)
# As many calls for each of the first three people: numbers that nothing else here happens to have.
CALLS = {1: 61, 2: 73, 3: 97}


@dataclass
class Appliance:
    """All five databases, open."""

    home: Home
    stores: dict[str, Store]


@pytest.fixture
def appliance(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Appliance]:
    stores = {name: new_store(home, name) for name in COMPARTMENTS}
    intake, desk, charter = stores["intake"], stores["desk"], load_charter(home)
    monkeypatch.setattr(contributions, "_is_in_the_ledger", lambda *_: True)
    with clock.held(NOW):
        roster(intake)
        with desk.write() as session:
            for number in range(1, 31):
                found = {"handle": f"{number:032x}", "person_id": f"E{number:04d}", "name": f"Person, {number}"}
                session.add(Person(**found, call_sign="", unit="", division="", duties="", active=True))
        with intake.write() as session, desk.write() as own:
            for number in (1, 2):
                key = sealing.key_pair().public
                space = {"version": 1, "blob": b"", "wraps": {}, "enrolled_on": NOW.date(), "mailbox_leaf_index": 0}
                own.add(Vault(handle=f"{number:032x}", mailbox_key=key, **space))
                message = MailboxKeyPublished(f"E{number:04d}", f"{number:032x}", key, 0)
                contributions.accept_key(session, message)
        contributions.admit_keys(intake, charter)
        kinds = ["Deceased Subj", "Child Abuse", "COLL INJ"]
        rows = [row(f"{n}-{k}", f"42{n:02d}", kinds[k % 3]) for n, calls in CALLS.items() for k in range(calls)]
        path = file(tmp_path, "cad_export_20261014_233100.csv", *rows)
        take_files(intake, "cad", load_profile("san-luis-obispo"), [path], keep=True)
        contributions.run_cycle(intake, charter, ZONE)
        with intake.read() as session:
            counts.count(session, "2026-10", ZONE, charter.constants.floor)
        delivery.flush(intake, Outbox)
        worker.once(desk, worker.handlers(charter))
    yield Appliance(home, stores)
    for store in stores.values():
        store.close()


def sums(appliance: Appliance) -> dict[str, set[float]]:
    """What could be added up of each person, by their number and their handle: how many calls, weights, the load."""
    model = load_model()
    with appliance.stores["intake"].read() as session:
        attended = select(Involvement.person_id, Call.id, Call.received, Call.type, Involvement.role)
        lines = session.execute(attended.join(Call, Call.id == Involvement.call_id)).all()
    found = {}
    for number in CALLS:
        own = [
            Contribution(f"{call}", received, kind, role, None, 1, gone=False)
            for person, call, received, kind, role in lines
            if person == f"E{number:04d}"
        ]
        weights = [kind.weight for one in own if (kind := model.type(one.type)) is not None]
        load = summarize(own, NOW, ZONE.key).load
        assert (len(own), sum(weights) > 100, load > 100) == (CALLS[number], True, True)
        values = {float(len(own)), float(sum(weights)), load, round(load, 1), float(round(load)), load / len(own)}
        found[f"E{number:04d}"] = found[f"{number:032x}"] = values
    return found


def rows(appliance: Appliance) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row of every table and view, as it stands after decryption."""
    for compartment, store in appliance.stores.items():
        with store.reader.connect() as connection:
            tables = inspect(connection)
            for table in [*tables.get_table_names(), *tables.get_view_names()]:
                for line in connection.execute(text(f'SELECT * FROM "{table}"')).mappings():
                    yield f"{compartment}.{table}", dict(line)


def suspicious_names(appliance: Appliance) -> list[str]:
    names = {f"{table}.{column}" for table, line in rows(appliance) for column in line}
    for compartment, store in appliance.stores.items():
        with store.reader.connect() as connection:
            tables = inspect(connection)
            for table in [*tables.get_table_names(), *tables.get_view_names()]:
                names |= {f"{compartment}.{table}.{column['name']}" for column in tables.get_columns(table)}
                names.add(f"{compartment}.{table}.")
    return sorted(name for name in names if any(WORDS.search(part) for part in name.split(".")))


def rows_with_a_sum(appliance: Appliance) -> list[str]:
    """Rows that name a person and hold one of that person's sums, as a number or within a text."""
    wanted, found = sums(appliance), []
    for table, line in rows(appliance):
        whole = repr(line)
        for person, values in wanted.items():
            if person not in whole:
                continue
            numbers = [v for name, v in line.items() if name not in COUNTERS and isinstance(v, int | float)]
            written = [f"{value:g}" for value in values if not value.is_integer()]
            near = any(math.isclose(number, value, abs_tol=1e-3) for number in numbers for value in values)
            if near or any(word in whole for word in written):
                found.append(table)
    return found


def files_with_a_load(appliance: Appliance) -> list[str]:
    loads = {
        f"{value:.3f}".rstrip("0").encode() for values in sums(appliance).values() for value in values if value % 1
    }
    files = (path for path in appliance.home.root.rglob("*") if path.is_file())
    return sorted(path.name for path in files if any(load in path.read_bytes() for load in loads))


def addresses(app: Flask) -> list[str]:
    """Routes that say they disclose exposure, or whose address speaks of a sum."""
    return sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if (declared := declaration_of(app, rule.endpoint)) is not None
        and (declared.category == "exposure" or any(WORDS.search(p.replace("-", "_")) for p in rule.rule.split("/")))
    )


def test_no_sum_of_a_person_is_in_any_database_or_file(appliance: Appliance) -> None:
    seen = {table for table, _ in rows(appliance)}
    assert seen >= {"intake.involvement", "intake.waiting", "desk.delivery", "desk.person"}
    assert suspicious_names(appliance) == []
    assert rows_with_a_sum(appliance) == []
    assert files_with_a_load(appliance) == []


@pytest.mark.parametrize("compartment", COMPARTMENTS)
def test_a_planted_sum_is_found(appliance: Appliance, compartment: str) -> None:
    """The positive control: each kind of sum, in each database, in a table of harmless name."""
    writer = appliance.stores[compartment].writer
    with writer.connect() as connection:
        connection.execute(text("CREATE TABLE harmless (who TEXT, what REAL)"))
        connection.commit()
    for value in sums(appliance)["E0002"]:
        with writer.connect() as connection:
            connection.execute(text("DELETE FROM harmless"))
            connection.execute(text("INSERT INTO harmless VALUES ('E0002', :value)"), {"value": value})
            connection.commit()
        assert rows_with_a_sum(appliance) == [f"{compartment}.harmless"]
    assert suspicious_names(appliance) == []
    with writer.connect() as connection:
        connection.execute(text("ALTER TABLE harmless ADD COLUMN exposure_load REAL"))
        connection.commit()
    assert suspicious_names(appliance) == [f"{compartment}.harmless.exposure_load"]


def test_a_planted_file_is_found(appliance: Appliance) -> None:
    load = next(value for value in sums(appliance)["E0001"] if value % 1)
    (appliance.home.log / "x.log").write_text(f"E0001 {load:.3f}")
    assert files_with_a_load(appliance) == ["x.log"]


def test_no_address_gives_a_sum(appliance: Appliance) -> None:
    for create in (create_desk, create_post):
        app = create(appliance.home)
        assert addresses(app) == []
        assert len(list(app.url_map.iter_rules())) > 1
        # Control: a route that did would be seen, by its declaration or its address.
        app.add_url_rule("/api/own", "planted", discloses("exposure", "own")(lambda: ""))
        app.add_url_rule("/coordinator/total/<handle>", "other", discloses("incident", "duty_of_care")(lambda: ""))
        assert addresses(app) == ["/api/own", "/coordinator/total/<handle>"]
        if (site := app.extensions.get("wardwell")) is not None:
            site.close()


def test_desk_holds_sealed_deliveries_of_one_size_alone(appliance: Appliance) -> None:
    with appliance.stores["desk"].read() as session:
        sizes = {one.kind: len(one.sealed) for one in session.scalars(select(Delivery))}
        deltas = [len(one.sealed) for one in session.scalars(select(Delivery).where(Delivery.kind == "delta"))]
    assert set(sizes) == {"history", "delta"}
    assert len(set(deltas)) == 1
    assert len(deltas) == 2
