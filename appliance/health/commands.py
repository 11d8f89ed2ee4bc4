"""`wardwell status`, `wardwell doctor` and `wardwell check`.

Owns: what these commands print. Must never see: anything about a person; see `appliance.health.checks`.
"""

from __future__ import annotations

import json
import sys

import click

from appliance.errors import WardwellError
from appliance.health import checks
from appliance.output import json_option
from appliance.settings import Home


@click.command()
@json_option
def status(as_json: bool) -> None:
    """Show how every part is. Exit code 1 when one is not in order."""
    results = checks.run(_home())
    ok = all(result.ok for result in results)
    if as_json:
        click.echo(json.dumps({"ok": ok, "checks": [result.as_json() for result in results]}, ensure_ascii=False))
    else:
        width = max(len(result.name) for result in results)
        for result in results:
            click.echo(f"{'ok   ' if result.ok else 'WRONG'}  {result.name:<{width}}  {result.says}")
        click.echo("Everything is in order." if ok else "Not in order: `wardwell doctor` says what to do.")
    if not ok:
        sys.exit(1)


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Show only what is wrong, each with one thing to do. Exit code 1 when there is anything."""
    results = checks.run(_home())
    faults = [result for result in results if not result.ok]
    if as_json:
        click.echo(json.dumps({"ok": not faults, "checks": [fault.as_json() for fault in faults]}, ensure_ascii=False))
    elif not faults:
        click.echo(f"Nothing is wrong: {len(results)} checks.")
    else:
        for fault in faults:
            click.echo(f"{fault.name}: {fault.says}")
            click.echo(f"  what to do: {fault.fix}")
    if faults:
        sys.exit(1)


@click.command()
@json_option
def check(as_json: bool) -> None:
    """One line for a monitoring system, in about a second. Exit code 1 when something is not in order."""
    results = checks.run(_home(), checks.QUICK)
    faults = [result.name for result in results if not result.ok]
    if as_json:
        click.echo(json.dumps({"ok": not faults, "wrong": faults}))
    else:
        click.echo(f"WRONG: {', '.join(faults)}" if faults else f"OK: {len(results)} checks")
    if faults:
        sys.exit(1)


def _home() -> Home:
    home = Home.find()
    if not home.root.is_dir():
        raise WardwellError(f"There is no appliance at {home.root}.", "Set WARDWELL_HOME, or run `make demo`.")
    return home
