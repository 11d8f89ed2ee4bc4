"""`wardwell upkeep`. Owns: this command's words. Must never see: what the workers do."""

from __future__ import annotations

import sys

import click

from appliance.output import json_option, tell
from appliance.runtime.worker import DEADLINE_SECONDS, ask_upkeep
from appliance.settings import Home


@click.command()
@click.option(
    "--wait",
    type=click.FloatRange(min=0, min_open=True),
    default=DEADLINE_SECONDS,
    show_default=True,
    help="Seconds to wait for the workers.",
)
@json_option
def upkeep(wait: float, as_json: bool) -> None:
    """Let every worker do now what is due now and then: clean up, count months that are over, say how it is.

    Exit code 1 names those that did not.
    """
    home = Home.find()
    home.settings()
    outcome = ask_upkeep(home, wait)
    failed = [name for name, hindered in outcome.items() if hindered]
    words = "\n".join(f"{name}: {hindered or 'done'}" for name, hindered in outcome.items())
    if failed:
        words += f"\nNot done: {', '.join(failed)}. `wardwell logs {failed[0]}` says why."
    tell(as_json, words, ok=not failed, workers={name: hindered or "done" for name, hindered in outcome.items()})
    if failed:
        sys.exit(1)
