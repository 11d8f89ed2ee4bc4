"""`wardwell charter`: show who may see what, check it and its signatures, sign it, enter it into the access log.

Owns: these commands' words. Must never see: a person.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from appliance.charter.schema import SHIPPED, Charter, load_charter
from appliance.errors import WardwellError
from appliance.settings import Home


@click.group()
def charter() -> None:
    """The charter: who may see what."""


@charter.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def show(as_json: bool) -> None:
    """Show every category and who may see it."""
    from rich.console import Console

    from appliance.charter import render

    home = Home.find()
    document = load_charter(home)
    if as_json:
        click.echo(json.dumps(render.as_json(document), indent=1, ensure_ascii=False))
        return
    # Wide enough for every role when the output goes into a file or a pager.
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(render.as_table(document))


@charter.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of sentences.")
def check(as_json: bool) -> None:
    """Check the charter: contradictions, both signatures, its entry in the access log. Exit code 1 names each fault."""
    home = Home.find()
    problems: list[str] = []
    lines: list[str] = []
    try:
        document = load_charter(home)
        lines.append(f"{document.title}, version {document.version}, SHA-256 {document.digest}: no contradiction.")
    except WardwellError as error:
        problems.append(str(error))
    else:
        if home.charter_file.exists():
            _check_signed(home, document, problems, lines)
        else:
            lines.append(f"No appliance at {home.root}: this is the charter that ships ({SHIPPED.name}), unsigned.")
    if as_json:
        click.echo(json.dumps({"ok": not problems, "facts": lines, "problems": problems}, ensure_ascii=False))
    else:
        for fact in lines:
            click.echo(fact)
        for problem in problems:
            click.echo(f"WRONG: {problem}", err=True)
    if problems:
        sys.exit(1)


@charter.command("sign")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="OpenSSH key.")
@click.option("--as", "signer", required=True, type=click.Choice(["agency", "trustee"]), help="Who signs.")
def sign_command(file: Path, key: Path, signer: str) -> None:
    """Sign the charter FILE; writes FILE.agency.sig or FILE.trustee.sig."""
    from appliance.charter import signatures

    Charter(file.read_bytes(), file.name)
    click.echo(f"Written: {signatures.sign(file, key, signer)}")


@charter.command()
def enter() -> None:
    """Enter the charter in force into the access log, once it is signed by both."""
    from appliance.charter import signatures

    index = signatures.enter(Home.find())
    click.echo("It already exists." if index is None else f"Entry {index} of the access log.")


def _check_signed(home: Home, document: Charter, problems: list[str], lines: list[str]) -> None:
    from appliance.charter import signatures

    for signed in signatures.verify(home):
        if signed.problem:
            problems.append(f"Signature of {signatures.SIGNERS[signed.signer]}: {signed.problem}")
        else:
            lines.append(f"Signed by {signatures.SIGNERS[signed.signer]}, key {signed.fingerprint}.")
    published = home.public / "charter.toml"
    if not published.exists() or published.read_bytes() != home.charter_file.read_bytes():
        problems.append("The charter that everyone can read is not the one in force.")
    try:
        leaf = signatures.ledgered(home)
    except WardwellError as error:
        problems.append(f"The access log could not be read: {error.message}")
        return
    if leaf is None:
        lines.append("The access log has no charter entry yet.")
    elif leaf.get("digest") != document.digest:
        problems.append("The newest charter entry of the access log is another charter.")
    else:
        lines.append("The access log's newest charter entry is this charter.")
