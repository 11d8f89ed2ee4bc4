"""`wardwell intake`: dry run, taking by hand, and the watcher.

Owns: the command's words. Must never print: a cell of a feed, a person's name, a count per person.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from appliance.intake.check import Account, check, expand
from appliance.intake.matching import read_roster
from appliance.intake.profile_commands import profile as profile_group
from appliance.intake.profiles import load_profile
from appliance.settings import Home

_SHOWN = 20


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
    feed = load_profile(profile)
    people = read_roster(roster) if roster else []
    files = expand(paths)
    account = Account(feed)
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), console=Console(stderr=True), transient=True, disable=as_json
    ) as progress:
        task = progress.add_task(f"0 of {len(files)} files")
        for done, (name, account) in enumerate(check(files, feed, people), start=1):  # noqa: B007 - the last account counts
            progress.update(task, description=f"{done} of {len(files)} files: {name}")
    result = account.result()
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, indent=1))
        return
    _print(result)


def _print(result: dict[str, object]) -> None:
    console = Console()
    table = Table(show_header=False, box=None)
    for key, words in {
        "files": "files",
        "rows": "rows",
        "calls": "different calls",
        "updates": "re-exports that changed the call",
        "repeats": "re-exports that changed nothing",
        "involvements": "people at calls",
    }.items():
        table.add_row(words, str(result[key]))
    refused = result["refused"]
    if not isinstance(refused, list):
        raise TypeError("refused is a list")
    table.add_row("rows refused", str(result["refused_rows"]))
    table.add_row("first call", str(result["first"]))
    table.add_row("last call", str(result["last"]))
    console.print(table)
    _print_refused(console, refused)
    for key, words in {
        "unmapped_units": "units that match nobody",
        "unmapped_types": "types that weigh nothing yet",
    }.items():
        found = result[key]
        if isinstance(found, dict) and found:
            listed = ", ".join(f"{name or '(blank)'} ({count})" for name, count in list(found.items())[:_SHOWN])
            console.print(f"{words}: {listed}", markup=False)


def _print_refused(console: Console, refused: list[dict[str, Any]]) -> None:
    for row in refused[:_SHOWN]:
        column = f", {row['column']}" if row["column"] else ""
        console.print(f"refused: {row['file']}, line {row['line']}{column}: {row['reason']}", markup=False)
    if len(refused) > _SHOWN:
        console.print(f"… and {len(refused) - _SHOWN} more; --json lists them all")


@intake.command("take")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--profile", help="Feed profile (default: that of the first feed in wardwell.toml).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def take_command(paths: tuple[Path, ...], profile: str | None, as_json: bool) -> None:
    """Take PATHS into the appliance now. The files stay where they are; taking them twice changes nothing."""
    from appliance.intake.take import take_by_hand

    totals = take_by_hand(Home.find(), expand(paths), profile)
    refused = [msgspec.structs.asdict(row) for row in totals.refused]
    if as_json:
        click.echo(json.dumps({**totals.counts(), "refused": refused}))
    else:
        for name, count in totals.counts().items():
            click.echo(f"{name.replace('_', ' ')}: {count}")
        _print_refused(Console(), refused)


@intake.command("serve")
def serve_command() -> None:
    """Watch the drop folders, seal contributions, hand over counts. Runs until it is stopped."""
    from appliance.intake.serve import serve

    serve(Home.find())
