"""`wardwell relay`: what the two timers call.

Owns: where the health file, the settings and the memory of what was sent lie. Must never see: a check's words.
"""

from __future__ import annotations

import os
import smtplib
from pathlib import Path

import click
import msgspec

from appliance import durable
from appliance.errors import WardwellError
from appliance.settings import CONFIGURATION, RUNTIME, Home

HEALTH = RUNTIME / "health.json"
SETTINGS = CONFIGURATION / "relay.toml"


@click.group()
def relay() -> None:
    """Health events to the agency's own syslog and mail hosts; off unless relay.toml names one."""


@relay.command()
@click.option("--to", "path", type=click.Path(path_type=Path), default=HEALTH, show_default=True)
def observe(path: Path) -> None:
    """Ask every question of `status` and write yes or no for each."""
    from appliance.operate import relay as relays

    durable.replace(path, msgspec.json.encode(relays.observe(Home.find())), mode=0o644)


@relay.command()
@click.option("--settings", type=click.Path(path_type=Path), default=SETTINGS, show_default=True)
@click.option("--health", type=click.Path(path_type=Path), default=HEALTH, show_default=True)
@click.option("--sent", type=click.Path(path_type=Path), help="Default: $STATE_DIRECTORY/sent.json.")
def send(settings: Path, health: Path, sent: Path | None) -> None:
    """Send what changed since the last time."""
    from appliance.operate import relay as relays

    memory = sent or Path(os.environ.get("STATE_DIRECTORY", ".")) / "sent.json"
    try:
        seen = msgspec.json.decode(health.read_bytes(), type=relays.Health)
        count = relays.run(relays.read(settings), seen, memory)
    except FileNotFoundError as error:
        raise WardwellError(f"{error.filename} is not there.", "Run `wardwell apply`.") from None
    except (OSError, smtplib.SMTPException) as error:
        raise WardwellError(
            f"The host did not take the events ({type(error).__name__}).",
            f"Check that it is up, and compare its certificate with the CA in {settings}.",
        ) from None
    click.echo(f"{count} events sent")
