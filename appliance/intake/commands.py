"""`wardwell intake`: dry run, taking by hand, and the watcher.

Owns: the command's words. Must never print: a cell of a feed, a person's name, a count per person.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
import msgspec
from rich.console import Console

from appliance.intake.dry_run.account import expand
from appliance.intake.dry_run.console import dry_run, show_refused
from appliance.intake.profile_commands import profile as profile_group
from appliance.settings import Home


@click.group()
def intake() -> None:
    """CAD/RMS exports: check them, take them, watch the drop folders."""


intake.add_command(profile_group)


@intake.command("check")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--profile", required=True, help="Feed profile: the name of one that ships, or a TOML file.")
@click.option("--roster", type=click.Path(path_type=Path), help="Roster CSV; without it every unit is unmapped.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check_command(paths: tuple[Path, ...], profile: str, roster: Path | None, as_json: bool) -> None:
    """Dry run: what would be taken from PATHS (files or folders), what refused. Needs no appliance, stores nothing."""
    dry_run(paths, profile, roster, as_json)


@intake.command("take")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--profile", help="Feed profile (default: that of the first feed in wardwell.toml).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def take_command(paths: tuple[Path, ...], profile: str | None, as_json: bool) -> None:
    """Take PATHS into the appliance now. The files stay where they are; taking them twice changes nothing."""
    from appliance.intake.settle.take import take_by_hand

    totals = take_by_hand(Home.find(), expand(paths), profile)
    refused = [msgspec.structs.asdict(row) for row in totals.refused]
    if as_json:
        click.echo(json.dumps({**totals.counts(), "refused": refused}))
    else:
        for name, count in totals.counts().items():
            click.echo(f"{name.replace('_', ' ')}: {count}")
        show_refused(Console(), refused)


@intake.command("serve")
def serve_command() -> None:
    """Watch the drop folders, seal contributions, hand over counts. Runs until it is stopped."""
    from appliance.intake.serve import serve
    from appliance.runtime.worker import controlled

    home = Home.find()
    with controlled(home, "intake") as control:
        serve(home, control)
