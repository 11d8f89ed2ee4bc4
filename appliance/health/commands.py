"""`wardwell status`, `wardwell doctor` and `wardwell check`.

Owns: these commands' words. Must never see: anything about a person; see `appliance.health.checks`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from appliance.errors import WardwellError
from appliance.output import json_option
from appliance.settings import Home


@click.command()
@json_option
def status(as_json: bool) -> None:
    """Show how every part is. Exit code 1 when one is not in order."""
    from appliance.health import checks

    found = checks.run(_home())
    ok = all(check.ok for check in found)
    if as_json:
        click.echo(json.dumps({"ok": ok, "checks": [asdict(check) for check in found]}, ensure_ascii=False))
    else:
        width = max(len(check.name) for check in found)
        for check in found:
            click.echo(f"{'ok   ' if check.ok else 'WRONG'}  {check.name:<{width}}  {check.detail}")
        click.echo("Everything is in order." if ok else "Not in order: `wardwell doctor` says what to do.")
    if not ok:
        sys.exit(1)


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Show only what is wrong, each with one thing to do. Exit code 1 when there is anything."""
    from appliance.health import checks

    found = checks.run(_home())
    wrong = [check for check in found if not check.ok]
    if as_json:
        click.echo(json.dumps({"ok": not wrong, "checks": [asdict(check) for check in wrong]}, ensure_ascii=False))
    elif not wrong:
        click.echo(f"Nothing is wrong: {len(found)} checks.")
    else:
        for check in wrong:
            click.echo(f"{check.name}: {check.detail}")
            click.echo(f"  what to do: {check.fix}")
    if wrong:
        sys.exit(1)


@click.command()
@json_option
def check(as_json: bool) -> None:
    """One line for a monitoring system, in about a second. Exit code 1 when something is not in order."""
    from appliance.health import checks

    found = checks.run(_home(), checks.QUICK)
    wrong = [one.name for one in found if not one.ok]
    if as_json:
        click.echo(json.dumps({"ok": not wrong, "wrong": wrong}))
    else:
        click.echo(f"WRONG: {', '.join(wrong)}" if wrong else f"OK: {len(found)} checks")
    if wrong:
        sys.exit(1)


def _home() -> Home:
    home = Home.find()
    if not home.root.is_dir():
        raise WardwellError(f"There is no appliance at {home.root}.", "Set WARDWELL_HOME, or run `make demo`.")
    return home
