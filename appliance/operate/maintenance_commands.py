"""`wardwell maintenance on|off|status`.

Owns: these commands' words. Must never see: what the compartments hold.
"""

from __future__ import annotations

import json
import sys

import click

from appliance.settings import MAINTENANCE, Home


@click.group()
def maintenance() -> None:
    """Hold the appliance still, with a page that says so; crisis numbers stay up and exports wait."""


@maintenance.command()
def on() -> None:
    """Show the page of maintenance and stop every compartment."""
    from appliance.operate import maintenance as holding

    holding.begin()
    click.echo("In maintenance. Crisis numbers, resources and the directory go on. End it: wardwell maintenance off")


@maintenance.command()
def off() -> None:
    """Start every compartment, and take the page away once all answer."""
    from appliance.operate import maintenance as holding

    holding.end(Home.find())
    click.echo("Maintenance has ended; every compartment answers.")


@maintenance.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a line.")
def status(as_json: bool) -> None:
    """Whether it is on. Exit code 1 while it is."""
    held = MAINTENANCE.exists()
    click.echo(json.dumps({"maintenance": held}) if as_json else f"Maintenance is {'on' if held else 'off'}.")
    if held:
        sys.exit(1)
