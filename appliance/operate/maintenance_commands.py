"""`wardwell maintenance on|off|status`.

Owns: these commands' words. Must never see: what the compartments hold.
"""

from __future__ import annotations

import sys

import click

from appliance.output import json_option, tell
from appliance.settings import MAINTENANCE, Home


@click.group()
def maintenance() -> None:
    """Hold the appliance still, with a page that says so; crisis numbers stay up and exports wait."""


@maintenance.command()
@json_option
def on(as_json: bool) -> None:
    """Show the page of maintenance and stop every compartment."""
    from appliance.operate import maintenance as holding

    holding.begin()
    words = "In maintenance. Crisis numbers, resources and the directory go on. End it: wardwell maintenance off"
    tell(as_json, words, maintenance=True)


@maintenance.command()
@json_option
def off(as_json: bool) -> None:
    """Start every compartment, and take the page away once all answer."""
    from appliance.operate import maintenance as holding

    holding.end(Home.find())
    tell(as_json, "Maintenance has ended; every compartment answers.", maintenance=False)


@maintenance.command()
@json_option
def status(as_json: bool) -> None:
    """Whether it is on. Exit code 1 while it is."""
    held = MAINTENANCE.exists()
    tell(as_json, f"Maintenance is {'on' if held else 'off'}.", ok=not held, maintenance=held)
    if held:
        sys.exit(1)
