"""The dry run at the console: what a profile would take from files, what it would refuse, what it knows nothing of.

Owns: its words, for `wardwell intake check` and `wardwell intake profile test`. Must never print: a cell that is no
code, unit, number or time; a person's name; a count per person.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from appliance.intake.dry_run.account import Account, check, expand
from appliance.intake.guess.types import nearest
from appliance.intake.profile.feed_profile import UnitLog, load_feed
from appliance.intake.read.matching import read_roster
from appliance.intake.read.parsing import parse_files
from appliance.spool.messages import RefusedRow, RosterPerson

_SHOWN = 20


def dry_run(paths: Sequence[Path], profile: str, roster: Path | None, as_json: bool) -> None:
    """Read `paths` (files or folders) by `profile` and print the account. Stores nothing. Raises WardwellError."""
    feed = load_feed(profile)
    people = read_roster(roster) if roster else []
    files = expand(paths)
    if isinstance(feed, UnitLog):
        _of_unit_log(files, feed, people, as_json)
        return
    account = Account(feed)
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), console=Console(stderr=True), transient=True, disable=as_json
    ) as progress:
        task = progress.add_task(f"0 of {len(files)} files")
        for done, (name, account) in enumerate(check(files, feed, people), start=1):  # noqa: B007 - the last account counts
            progress.update(task, description=f"{done} of {len(files)} files: {name}")
    result = account.result()
    result["nearest_types"] = {code: nearest(code) for code in result["unmapped_types"] if code}
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, indent=1))
    else:
        _show(result)


def _of_unit_log(files: Sequence[Path], log: UnitLog, people: Sequence[RosterPerson], as_json: bool) -> None:
    rows, refused = 0, list[RefusedRow]()
    for reading in parse_files(log, people, files):
        ending = reading.finish()
        rows += ending.rows
        refused += ending.refused
    listed = [msgspec.to_builtins(row) for row in refused]
    if as_json:
        click.echo(json.dumps({"files": len(files), "rows": rows, "refused": listed}, ensure_ascii=False, indent=1))
        return
    click.echo(f"{len(files)} files of a unit log, {rows} rows, of which {len(refused)} cannot be taken or not yet")
    show_refused(Console(), listed)


def _show(result: dict[str, Any]) -> None:
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
    table.add_row("rows refused", str(result["refused_rows"]))
    table.add_row("first call", str(result["first"]))
    table.add_row("last call", str(result["last"]))
    console.print(table)
    show_refused(console, result["refused"])
    units = [f"{unit} ({count})" for unit, count in list(result["unmapped_units"].items())[:_SHOWN]]
    if units:
        console.print(f"units that match nobody: {', '.join(units)}", markup=False)
    for code, count in list(result["unmapped_types"].items())[:_SHOWN]:
        likely = result["nearest_types"].get(code)
        nearest_ones = f"; nearest: {', '.join(likely)}" if likely else ""
        console.print(f"type that weighs nothing yet: {code or '(blank)'} ({count}){nearest_ones}", markup=False)


def show_refused(console: Console, refused: list[dict[str, Any]]) -> None:
    """The first refused rows, each with its file, line, column and reason."""
    for row in refused[:_SHOWN]:
        column = f", {row['column']}" if row["column"] else ""
        console.print(f"refused: {row['file']}, line {row['line']}{column}: {row['reason']}", markup=False)
    if len(refused) > _SHOWN:
        console.print(f"… and {len(refused) - _SHOWN} more; --json lists them all")
