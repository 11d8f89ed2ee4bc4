"""`wardwell migrate`: the newest schema and the keys of a compartment's own, made by nothing else.

Owns: this command's words. Must never see: a row. In production each unit runs it for its own compartment before it
starts, as that compartment's user; a demonstration runs it for all.
"""

from __future__ import annotations

import contextlib
import importlib

import click

from appliance.settings import COMPARTMENTS, Home

# Keys that a compartment makes itself when it has none: the ledger's checkpoint key, press's report key.
_OWN_KEYS = {"ledger": "appliance.ledger.keys:found", "press": "appliance.press.keys:report_key"}


@click.command()
@click.argument("compartment", required=False, type=click.Choice(COMPARTMENTS))
def migrate(compartment: str | None) -> None:
    """Bring the database of COMPARTMENT (of every one without it) to the newest schema, and make its own keys.

    Running it again changes nothing.
    """
    home = Home.find()
    home.settings()
    wanted = (compartment,) if compartment else COMPARTMENTS
    for number, name in enumerate(wanted, start=1):
        click.echo(f"[{number}/{len(wanted)}] {name} ...", nl=False)
        migrate_one(home, name)
        click.echo(" done")


def migrate_one(home: Home, compartment: str) -> None:
    """What `migrate` does for one compartment. Raises WardwellError when its key is missing or does not fit."""
    from appliance.storage import open_store
    from appliance.storage.migrate import upgrade

    with contextlib.closing(open_store(home, compartment)) as store:
        upgrade(store)
    if compartment in _OWN_KEYS:
        module, function = _OWN_KEYS[compartment].split(":")
        getattr(importlib.import_module(module), function)(home)
