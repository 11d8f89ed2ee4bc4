"""`wardwell ledger`: serve the log, verify its public files, show its entries.

Owns: the commands' words. Must never see: more than anyone may, except `serve` and `verify --database`, which open the
ledger's own database.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

import click

from appliance import logs
from appliance.settings import Home


@click.group()
def ledger() -> None:
    """The access log: serve it, verify it, show it."""


@ledger.command()
def serve() -> None:
    """Answer on run/ledger/ledger.sock until stopped."""
    from appliance.ledger import keys, server
    from appliance.runtime.worker import controlled

    home = Home.find()
    logs.configure(home)
    keys.create(home)
    with controlled(home, "ledger") as control:
        server.serve(home, control)


@ledger.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of sentences.")
@click.option("--database", is_flag=True, help="Also compare the ledger's own database (needs its key).")
def verify(as_json: bool, database: bool) -> None:
    """Recompute the whole tree from its files and check every signature. Exit code 1 names the first bad thing."""
    from appliance.kit.verify import show, verify_home

    home = Home.find()
    report = verify_home(home)
    if database and report.ok:
        report = report.with_problem(_database_problem(home))
    show(report, as_json)


@ledger.command("show")
@click.option("--last", default=20, show_default=True, help="How many of the newest entries; 0 for all.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def show_entries(last: int, as_json: bool) -> None:
    """Show the newest public entries. Entries about people show only their commitment."""
    from appliance.crypto.tlog import PublicLog
    from appliance.crypto.trusted_keys import trusted_keys

    home = Home.find()
    log = PublicLog(home.public / "ledger", str(trusted_keys(home).ledger))
    first = max(log.size - last, 0) if last else 0
    for index, raw in enumerate(log.entries(first, log.size), start=first):
        leaf = json.loads(raw)
        if as_json:
            click.echo(json.dumps({"index": index, **leaf}, ensure_ascii=False))
        else:
            click.echo(f"{index:>8}  {leaf.get('at', ''):<20}  {leaf['kind']:<12}  {_words(leaf)}")


def _words(leaf: dict[str, Any]) -> str:
    shown = {name: value for name, value in leaf.items() if name not in ("v", "kind", "at")}
    return ", ".join(f"{name} {str(value)[:40]}" for name, value in shown.items())


def _database_problem(home: Home) -> tuple[str, str] | None:
    from appliance.crypto.tlog import PublicLog
    from appliance.crypto.trusted_keys import trusted_keys
    from appliance.ledger.log import first_difference
    from appliance.storage import open_store

    with contextlib.closing(open_store(home, "ledger")) as store:
        position = first_difference(store, PublicLog(home.public / "ledger", str(trusted_keys(home).ledger)))
    if position is None:
        return None
    return f"entry {position}", "the ledger's database holds another entry than the published tree, or none"
