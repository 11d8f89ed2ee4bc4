"""The last screen of `make demo`: addresses, one person per role, and how to go on.

Owns: words and columns. Must never see: anything that is not in the pockets.
"""

from __future__ import annotations

import click

from appliance.charter import load_charter
from appliance.settings import Home
from tests.demonstration import release
from tests.demonstration.agency import ROLES
from tests.demonstration.pockets import Pockets

# Where each role works: in the private space, or on desk's pages.
SPACE_ROLES = ("officer", "peer", "clinician")


def show(home: Home, pockets: Pockets) -> None:
    """Print addresses, sign-ins with their present codes, and the words of the prepared vaults."""
    settings = home.settings()
    titles = load_charter(home).roles
    click.echo(f"\n{settings.agency} (demonstration: every person here is invented)\n")
    for name, address, what in (
        ("desk", f"https://{settings.hosts.desk}/", "staff pages"),
        ("space", f"https://{settings.hosts.space}/", "private space of officers, peers and clinicians"),
        ("", f"https://{settings.hosts.space}/crisis/", "before sign-in, as are /family/ /resources/ /directory/"),
        ("post", f"https://{settings.hosts.post}/", "sealed post: nothing to see"),
    ):
        click.echo(f"  {name:<6}{address:<48}{what}")
    click.echo()
    rows = [("Role", "Person", "Sign-in name", "Password", "Code now", "Where")]
    for role in ROLES:
        pocket = pockets.of(role)
        code, seconds = pocket.code()
        code = "used, next" if pocket.is_used() else code
        place = "space" if role in SPACE_ROLES else "desk"
        rows.append((titles[role], pocket.display, pocket.name, pocket.password, f"{code} ({seconds} s)", place))
    widths = [max(len(row[column]) for row in rows) + 2 for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  " + "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    prepared = [pocket for pocket in pockets.people if pocket.passphrase]
    if prepared:
        click.echo("\nPrivate spaces prepared by the browser's own code (demonstration: their words are known)\n")
        for pocket in prepared:
            click.echo(f"  {pocket.display} ({titles[pocket.role].lower()})")
            click.echo(f"    passphrase     {pocket.passphrase}")
            click.echo(f"    recovery code  {pocket.recovery}")
    width = "  {:<44}{}"
    click.echo()
    for command, what in (
        ("wardwell-demo code NAME", "the next sign-in code of a role or a sign-in name; a code works once"),
        ("wardwell-demo open", "a browser that trusts this demonstration's CA (needs a screen)"),
        ("wardwell-demo drop", "a critical incident arrives from CAD"),
        ("wardwell-demo next-day", "a day passes: the epoch turns"),
        ("wardwell-demo attack", "play root"),
        ("wardwell-demo people", "this list again"),
        ("wardwell-demo stop", "stop everything (also: make demo-stop)"),
    ):
        click.echo(width.format(f".venv/bin/{command}", what))
    click.echo("\nWhether a browser is sent the private space that was released (docs/web-check.md):\n")
    click.echo(f"  .venv/bin/{release.check_command(home)}")
