"""`wardwell update verify|check|stage|apply|rollback|resume|status`.

Owns: these commands' words. Must never see: what is in the databases.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.errors import Refused
from appliance.output import json_option, tell
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
        raise Refused("Only root updates this machine.", "Run it with sudo.")
    return Machine(home)


def _say(words: str) -> None:
    click.echo(f"== {words}", err=True)


@update.command()
@_file
@json_option
def verify(file: Path, as_json: bool) -> None:
    """Check that FILE is whole and signed by the key this appliance was installed with; changes nothing."""
    from appliance.operate.bundle import read_bundle

    bundle = read_bundle(file, _machine().fingerprint())
    version = bundle.manifest.version
    words = f"{file.name}: wardwell {version}, whole, signed by {bundle.fingerprint}."
    tell(as_json, words, version=version, fingerprint=bundle.fingerprint)


@update.command()
@_file
@json_option
def check(file: Path, as_json: bool) -> None:
    """Check that FILE may be installed here: signed, newer, for this Debian; changes nothing."""
    from appliance.operate import update as updating

    machine = _machine()
    bundle = updating.check(machine, file)
    version, current = bundle.manifest.version, machine.leads("current")
    tell(as_json, f"Version {version} may replace {current}.", version=version, current=current)


@update.command()
@_file
@json_option
def stage(file: Path, as_json: bool) -> None:
    """Put the version of FILE beside the running one, which goes on."""
    from appliance.operate import update as updating

    version = updating.stage(_machine(), file, _say)
    tell(as_json, f"Version {version} is staged. Change to it: wardwell update apply {version}", version=version)


@update.command()
@click.argument("what")
@json_option
def apply(what: str, as_json: bool) -> None:
    """Change to WHAT: a staged version, or a bundle, which is staged first. Minutes behind the page of maintenance."""
    from appliance.operate import update as updating

    machine = _machine()
    version = what if machine.staged(what) else updating.stage(machine, Path(what), _say)
    updating.apply(machine, version, _say)
    words = f"Version {version} runs and is in order. The one before stays here: wardwell update rollback"
    tell(as_json, words, version=version)


@update.command()
@json_option
def rollback(as_json: bool) -> None:
    """Change back to the version before, if that can read the databases; else only a backup leads back."""
    from appliance.operate import update as updating

    version = updating.rollback(_machine(), _say)
    tell(as_json, f"Version {version} runs again.", version=version)


@update.command()
@click.option("--boot", "half", flag_value="boot", hidden=True)
@click.option("--data", "half", flag_value="data", hidden=True)
@json_option
def resume(half: str | None, as_json: bool) -> None:
    """Undo or finish an update that was interrupted. After a power cut the machine does it by itself."""
    from appliance.operate import update as updating

    if half == "boot":
        updating.resume_at_boot(_machine(), _say)
    elif half == "data":
        updating.resume_data(_machine(), _say)
    else:
        done = updating.resume(_machine(), _say)
        tell(as_json, "What was interrupted is settled." if done else "No update was interrupted.", settled=done)


@update.command()
@json_option
def status(as_json: bool) -> None:
    """Which versions lie here. Exit code 1 when an update was interrupted."""
    machine = _machine()
    state = machine.state()
    staged = sorted(path.name for path in (machine.base / "releases").iterdir() if machine.staged(path.name))
    facts = {"current": machine.leads("current"), "previous": machine.leads("previous"), "here": staged}
    words = f"Version {facts['current']} runs; here lie {', '.join(staged)}."
    if state:
        words += f"\nAn update to {state.new} was interrupted: wardwell update resume"
    tell(as_json, words, ok=not state, **facts, interrupted=state.step if state else None)
    if state:
        sys.exit(1)
