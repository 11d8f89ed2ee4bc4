"""The commands `wardwell-demo …`: the demonstration agency, up and down, and what happens in its day.

Owns: what these commands take and print. Must never see: anything on an agency's own machine.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from appliance.settings import Home
from tests.demonstration import pockets
from tests.demonstration.calls import CRITICAL_KINDS, HISTORY_DAYS


@click.group()
@click.option(
    "--home", type=click.Path(path_type=Path), help="State folder (default: $WARDWELL_HOME, else ./.wardwell)."
)
@click.pass_context
def demo(context: click.Context, home: Path | None) -> None:
    """A demonstration agency on this machine. Everyone and everything in it is invented."""
    context.obj = Home(home.absolute()) if home else Home.find()


@demo.command()
@click.option("--ports-from", default="", metavar="N|free", help="First of four ports, or any free ones.")
@click.option("--days", default=HISTORY_DAYS, show_default=True, help="Days of generated CAD history.")
@click.option(
    "--drop",
    "drop_folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Exports to use instead of generated ones.",
)
@click.option("--roster", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Roster CSV to use.")
@click.option("--profile", default="", help="Feed profile of --drop: a name or a file.")
@click.pass_obj
def up(home: Home, ports_from: str, days: int, drop_folder: Path | None, roster: Path | None, profile: str) -> None:
    """Make the agency where it is missing, start everything, and print how to sign in. Running it again is harmless."""
    from tests.demonstration.up import Wanted, bring_up

    bring_up(home, Wanted(ports_from, days, drop_folder, roster, profile))


@demo.command()
@click.pass_obj
def stop(home: Home) -> None:
    """Stop exactly what `up` started. Nothing that was stored is lost."""
    from provisioning.supervise import Supervisor

    count = Supervisor(home).stop()
    click.echo(f"stopped ({count} processes)" if count else "nothing was running")


@demo.command(name="open")
@click.pass_obj
def open_(home: Home) -> None:
    """Open Chromium with a fresh profile that trusts the demonstration's CA."""
    from tests.demonstration.browser import open_browser

    pockets.load_existing(home)
    hosts = home.settings().hosts
    folder = Path(tempfile.mkdtemp(prefix="wardwell-browser-"))
    addresses = [f"https://{hosts.space}/", f"https://{hosts.desk}/"]
    open_browser(folder, home.root / "demo" / "ca.pem", addresses)
    click.echo(f"opened {' and '.join(addresses)} (profile: {folder})")


@demo.command()
@click.argument("name")
@click.pass_obj
def code(home: Home, name: str) -> None:
    """Print the present sign-in code of NAME (a role or a sign-in name). Each code works once."""
    pocket = pockets.load_existing(home).of(name)
    digits, seconds = pocket.code()
    used = "used already; the next one comes in" if pocket.is_used() else "good for"
    click.echo(f"{digits}  ({used} {seconds} s)")


@demo.command()
@click.pass_obj
def people(home: Home) -> None:
    """Print addresses, and for each role a person to sign in as."""
    from tests.demonstration.table import show

    show(home, pockets.load_existing(home))


@demo.command()
@click.option("--kind", type=click.Choice(sorted(CRITICAL_KINDS)), default="child-death", show_default=True)
@click.pass_obj
def drop(home: Home, kind: str) -> None:
    """A critical incident happens: the next CAD export arrives in the drop folder."""
    from tests.demonstration.drop import drop as put
    from tests.demonstration.up import agency_of

    pockets.load_existing(home)
    agency = agency_of(home)
    dropped = put(home, agency, kind)
    officer = agency.roles["officer"]
    click.echo(
        f"dropped {dropped.path.name}: call {dropped.call.number}, {dropped.call.kind}, "
        f"{len(dropped.call.units)} units, {officer.display} ({officer.call_sign}) first on scene.\n"
        "Within 15 seconds it appears in the coordinator's queue."
    )


@demo.command(name="next-day")
@click.pass_obj
def next_day(home: Home) -> None:
    """A day passes: the epoch turns, boards are published, the daily batches run."""
    from tests.demonstration.next_day import turn

    pockets.load_existing(home)
    for line in turn(home):
        click.echo(line)


@demo.command()
@click.argument("typed", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of sentences.")
@click.pass_obj
def attack(home: Home, typed: str | None, as_json: bool) -> None:
    """Play root: search everything for what the officer TYPED, ask who wrote to the clinician, rewrite the log."""
    from tests.demonstration.attack import run, show

    pockets.load_existing(home)
    show(run(home, typed), as_json)
