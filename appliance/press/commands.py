"""The commands `wardwell press …` and `wardwell report …`.

Owns: what these commands take and print. Must never see: anything that press does not.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from appliance import logs
from appliance.press import keys
from appliance.settings import Home


@click.group()
def press() -> None:
    """Monthly releases, signed reports and the pages before sign-in."""


@press.command()
def work() -> None:
    """Run press: releases when a month is over, reports when they are asked for. Stop it with SIGTERM."""
    from appliance.press.worker import work as run
    from appliance.runtime.worker import controlled
    from appliance.storage import open_store

    home = Home.find()
    logs.configure(home)
    keys.report_key(home)
    with controlled(home, "press") as control, contextlib.closing(open_store(home, "press")) as store:
        run(store, control)


@press.command()
@click.option("--period", required=True, metavar="MONTH", help='The month, like "2026-10"; it has to be over.')
def release(period: str) -> None:
    """Make the release of one month now, with what has arrived, and print it; later calls print the same bytes."""
    from appliance.press.publish import make
    from appliance.storage import open_store

    store = open_store(Home.find(), "press")
    try:
        click.echo(make(store, period))
    finally:
        store.close()


@press.command()
def pages() -> None:
    """Render crisis, family, resources, directory and charter pages to public/site/."""
    from appliance.press.pages import publish

    home = Home.find()
    written = publish(home)
    click.echo(f"{home.site}: {len(written)} changed" + "".join(f"\n  {name}" for name in written))


@press.command()
def key() -> None:
    """Print the report key's public half, its fingerprint and the line for ssh-keygen's allowed_signers file."""
    from appliance.crypto.sshsig import fingerprint

    line = keys.report_public_line(Home.find())
    click.echo(f"{line}\n{fingerprint(line)}\n{keys.allowed_signers(line)}")


@click.group()
def report() -> None:
    """Signed reports for auditors."""


@report.command()
@click.option("--from", "first_day", required=True, metavar="DAY", help='First day, like "2026-10-01".')
@click.option("--to", "last_day", required=True, metavar="DAY", help="Last day, included.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the files (default: one named after the report, here).",
)
def export(first_day: str, last_day: str, out: Path | None) -> None:
    """Write the report as PDF and JSON with their signatures, and say how to check them with ssh-keygen."""
    from appliance.crypto.sshsig import fingerprint
    from appliance.press.report import export as make
    from appliance.press.report import file_name

    home = Home.find()
    made, name = make(home, first_day, last_day), file_name(first_day, last_day)
    folder = out or Path(name)
    folder.mkdir(parents=True, exist_ok=True)
    line = keys.report_public_line(home)
    for file, data in made.files(name, line).items():
        (folder / file).write_bytes(data)
    click.echo(f"{folder}: {name}.pdf and {name}.json, each with its signature (.sig)")
    click.echo(f"Key: {fingerprint(line)}. Compare it with the fingerprint that the officers' trustee published.")
    click.echo("allowed_signers holds this line:")
    click.echo(f"  {keys.allowed_signers(line)}")
    click.echo("Check with OpenSSH alone, in that folder:")
    for ending in ("json", "pdf"):
        click.echo(f"  {keys.verify_command(f'{name}.{ending}')}")
