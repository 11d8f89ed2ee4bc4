"""`wardwell found`: papers out, unsigned; papers in, signed by two.

Owns: these commands' words. Must never see: a private key, a slip.
"""

from __future__ import annotations

from pathlib import Path

import click

from appliance.errors import Refused
from appliance.settings import Home

_folder = click.Path(file_okay=False, path_type=Path)


@click.group()
def found() -> None:
    """Found the appliance: who signs for the agency and for the officers, and who holds the first roles."""


@found.command()
@click.option("--to", required=True, type=_folder, help="Where the papers go: a folder on a stick.")
@click.option("--witness-key", default="", help="The witness's verifier key, when it runs with the trustee.")
@click.option("--charter", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Another charter.")
def request(to: Path, witness_key: str, charter: Path | None) -> None:
    """Write the unsigned papers, with the public keys that this appliance has made for itself."""
    from appliance.founding import papers

    home = Home.find()
    vkey = papers.witness_key(home, home.settings(), witness_key)
    for name in papers.write_request(home, to, witness_vkey=vkey, charter=charter):
        click.echo(f"written  {to / name}")
    click.echo(f"Next: {to / 'README.txt'} says what each of the two does with them.")


@found.command()
@click.option("--from", "folder", required=True, type=_folder, help="The papers, signed.")
@click.option("--agency-key", default="", help="Fingerprint of the agency's key, SHA256:…, as read from its paper.")
@click.option("--trustee-key", default="", help="Fingerprint of the trustee's key, SHA256:…, as read from its paper.")
def accept(folder: Path, agency_key: str, trustee_key: str) -> None:
    """Check the signed papers and found the appliance on them. Refused papers change nothing (exit code 3)."""
    from appliance.founding import accept as taking

    home, expected = Home.find(), {"agency": agency_key, "trustee": trustee_key}
    home.settings()
    for signer, fingerprint in taking.keys_in(folder).items():
        if not expected[signer]:
            click.echo(f"The {signer}'s key with the papers: {fingerprint}")
            if not click.confirm(f"Is that what the {signer}'s own paper says?"):
                raise Refused(f"The {signer}'s key was not confirmed.", "Ask them for the fingerprint in person.")
            expected[signer] = fingerprint
    taking.accept(home, folder, expected, lambda words: click.echo(f"== {words}"))
    if home.production:
        restart()
    click.echo("Founded. The trustee hands out the first slips; each role holder signs in with theirs.")


@found.command()
@click.option("--from", "folder", required=True, type=_folder, help="Folder with keylist.json and keylist.json.sig.")
def keylist(folder: Path) -> None:
    """Publish the list of supporters' keys that the trustee signed."""
    from appliance.founding import accept as taking

    click.echo(f"Published: {taking.accept_key_list(Home.find(), folder)} supporters.")


def restart() -> None:
    """Have the compartments read the charter that is in force now."""
    import subprocess

    from appliance.settings import COMPARTMENTS

    units = [f"wardwell@{name}.service" for name in COMPARTMENTS]
    subprocess.run(["systemctl", "try-restart", *units], check=False)
