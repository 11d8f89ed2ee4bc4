"""`wardwell migrate` and `wardwell layout`: what has to be in place before a compartment starts.

Owns: these commands' words; the newest schema and a compartment's own keys are made by nothing else. Must never see: a
row. In production each unit runs `migrate` for its own compartment before it starts, as that compartment's user.
"""

from __future__ import annotations

import contextlib
import importlib
import os

import click

from appliance.database import revisions, schema_of
from appliance.errors import WardwellError
from appliance.settings import COMPARTMENTS, Home

# Keys that a compartment makes itself when it has none: the ledger's checkpoint key, press's report key.
_OWN_KEYS = {"ledger": "appliance.ledger.keys:create", "press": "appliance.press.keys:report_key"}


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
    if schema_of(home, compartment) != revisions(compartment)[-1]:
        # Loaded only when there is something to do: they are most of what a start would cost.
        from appliance.storage import open_store
        from appliance.storage.migrate import upgrade

        with contextlib.closing(open_store(home, compartment)) as store:
            upgrade(store)
    if compartment in _OWN_KEYS:
        module, function = _OWN_KEYS[compartment].split(":")
        getattr(importlib.import_module(module), function)(home)


@click.command()
def layout() -> None:
    """Make and repair every folder of the installed appliance: owner, group and mode. Again changes nothing."""
    from appliance.layout import lay_out

    home = Home.find()
    if not home.production:
        raise WardwellError("Only an installed appliance has accounts of its own.", "Run it there, as root.")
    if os.geteuid() != 0:
        raise WardwellError("Folders are given to their accounts by root alone.", "Run `sudo wardwell layout`.")
    changed = lay_out(home)
    for line in changed:
        click.echo(line)
    click.echo(f"{len(changed)} changes." if changed else "Every folder is as it should be.")
