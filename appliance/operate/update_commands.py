"""`wardwell update verify|check|stage|apply|rollback|resume|status`.

Owns: these commands' words. Must never see: what is in the databases.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.errors import Refused
from appliance.settings import Home

if TYPE_CHECKING:
    from appliance.operate.update_machine import Machine

_file = click.argument("file", type=click.Path(path_type=Path))


@click.group()
def update() -> None:
    """A newer version, from a signed file; back by itself when it is not in order. Never uses a network."""


def _machine() -> Machine:
    from appliance.operate.update_machine import Machine

    home = Home.find()
    if not home.production:
        raise Refused("Only an installed appliance is updated.", "Run it there, as root.")
    if os.geteuid() != 0:
        raise Refused("Only root updates this machine.", "Put sudo before the command.")
    return Machine(home)


def _say(words: str) -> None:
    click.echo(f"== {words}", err=True)


@update.command()
@_file
def verify(file: Path) -> None:
    """Check that FILE is whole and signed by the key this appliance was installed with; changes nothing."""
    from provisioning.bundle.read import read_bundle

    found = read_bundle(file, _machine().fingerprint())
    click.echo(f"{file.name}: wardwell {found.manifest.version}, whole, signed by {found.fingerprint}.")


@update.command()
@_file
def check(file: Path) -> None:
    """Check that FILE may be installed here: signed, newer, for this Debian; changes nothing."""
    from appliance.operate import update as updating

    machine = _machine()
    found = updating.check(machine, file)
    click.echo(f"Version {found.manifest.version} may replace {machine.leads('current')}.")


@update.command()
@_file
def stage(file: Path) -> None:
    """Put the version of FILE beside the running one, which goes on."""
    from appliance.operate import update as updating

    version = updating.stage(_machine(), file, _say)
    click.echo(f"Version {version} lies here. Change to it: wardwell update apply {version}")


@update.command()
@click.argument("what")
def apply(what: str) -> None:
    """Change to WHAT: a staged version, or a bundle, which is staged first. Minutes behind the page of maintenance."""
    from appliance.operate import update as updating

    machine = _machine()
    version = what if machine.staged(what) else updating.stage(machine, Path(what), _say)
    updating.apply(machine, version, _say)
    click.echo(f"Version {version} runs and is in order. The one before stays here: wardwell update rollback")


@update.command()
def rollback() -> None:
    """Change back to the version before, if that can read the databases; else only a backup leads back."""
    from appliance.operate import update as updating

    click.echo(f"Version {updating.rollback(_machine(), _say)} runs again.")


@update.command()
@click.option("--boot", "half", flag_value="boot", hidden=True)
@click.option("--data", "half", flag_value="data", hidden=True)
def resume(half: str | None) -> None:
    """Undo or finish an update that was interrupted. After a power cut the machine does it by itself."""
    from appliance.operate import update as updating

    if half == "boot":
        updating.resume_at_boot(_machine(), _say)
    elif half == "data":
        updating.resume_data(_machine(), _say)
    else:
        done = updating.resume(_machine(), _say)
        click.echo("What was interrupted is settled." if done else "No update was interrupted.")


@update.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def status(as_json: bool) -> None:
    """Which versions lie here. Exit code 1 when an update was interrupted."""
    machine = _machine()
    state = machine.state()
    there = sorted(path.name for path in (machine.base / "releases").iterdir() if machine.staged(path.name))
    facts = {"current": machine.leads("current"), "previous": machine.leads("previous"), "here": there}
    if as_json:
        click.echo(json.dumps({**facts, "interrupted": state.step if state else None}))
    else:
        click.echo(f"Version {facts['current']} runs; here lie {', '.join(there)}.")
        if state:
            click.echo(f"An update to {state.new} was interrupted: wardwell update resume")
    if state:
        sys.exit(1)
