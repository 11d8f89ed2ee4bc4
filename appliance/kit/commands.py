"""`wardwell kit`: what people outside the agency's IT run themselves. Most of it needs only files.

Owns: the list of tools and the options of `witness` and `verify`. Must never see: a database of the appliance.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

import click

from appliance.errors import WardwellError
from appliance.settings import Home

# name -> where the click command stands; loaded only when it is called.
TOOLS = {
    "exposure": "appliance.kit.exposure:exposure",
    "keylist": "appliance.kit.keylist:keylist",
    "slips": "appliance.kit.slips:slips",
    "report-verify": "appliance.kit.report_verify:report_verify",
    "take-home": "appliance.kit.take_home:take_home",
    "web-check": "appliance.kit.web_check:web_check",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        installed = [name for name, place in TOOLS.items() if importlib.util.find_spec(place.split(":")[0]) is not None]
        return sorted([*super().list_commands(ctx), *installed])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in TOOLS or name not in self.list_commands(ctx):
            return super().get_command(ctx, name)
        module, attribute = TOOLS[name].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=_Lazy)
def kit() -> None:
    """Offline tools for the officers' trustee, the auditor, the clinician, and families."""


@kit.command()
@click.option("--once", is_flag=True, help="Look once and cosign; exit code 1 on an alarm.")
@click.option("--follow", is_flag=True, help="Look twice a second until stopped.")
@click.option(
    "--state", type=click.Path(path_type=Path), help="The witness's own folder (default: the one of this home)."
)
@click.option("--log", type=click.Path(path_type=Path), help="The log's public files (default: HOME/public/ledger).")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Where to put the cosigned checkpoint (default: HOME/public/witness).",
)
@click.option("--ledger-key", help="The ledger's verifier key (default: pinned at the first look).")
@click.option("--custody-key", help="Custody's key, which signs restores (default: pinned at the first look).")
def witness(
    once: bool,
    follow: bool,
    state: Path | None,
    log: Path | None,
    out: Path | None,
    ledger_key: str | None,
    custody_key: str | None,
) -> None:
    """Cosign the log's checkpoints, and refuse a log that shrank, forked or names two ticket keys."""
    from appliance import logs
    from appliance.kit.witness import Folders, Witness
    from appliance.runtime.turns import Control
    from appliance.runtime.worker import heed_signals

    if once == follow:
        raise click.UsageError("Say --once or --follow.")
    home = Home.find()
    eye = Witness(
        Folders(
            state or home.witness,
            log or home.public / "ledger",
            out or home.public / "witness",
        ),
        ledger_key,
        custody_key,
    )
    if follow:
        logs.configure(home)
        eye.follow(heed_signals(Control()))
        return
    checkpoint = eye.look()
    click.echo("Nothing new." if checkpoint is None else f"Cosigned {checkpoint.size} entries of {checkpoint.origin}.")


@kit.command("witness-key")
@click.option("--state", required=True, type=click.Path(path_type=Path), help="The witness's own folder.")
def witness_key(state: Path) -> None:
    """Make the witness's key, if there is none in its folder, and print the public line for the founding papers."""
    from appliance.kit.witness import create

    click.echo(create(state, state))


@kit.command()
@click.option("--log", type=click.Path(path_type=Path), help="The log's public files (default: HOME/public/ledger).")
@click.option(
    "--ledger-key", help="The ledger's verifier key; without it, the one of site.json, signed by agency and trustee."
)
@click.option("--witness-note", type=click.Path(path_type=Path), help="The witness's cosigned checkpoint.")
@click.option("--witness-key", help="The witness's verifier key.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of sentences.")
def verify(
    log: Path | None, ledger_key: str | None, witness_note: Path | None, witness_key: str | None, as_json: bool
) -> None:
    """Verify a copy of the log from its files: tree, tiles, signature, witness."""
    from appliance.crypto.notes import Verifier
    from appliance.kit.verify import show, verify_files, verify_home

    if ledger_key is None:
        if log is not None:
            raise WardwellError("A copy of the log is verified against a key.", "Give --ledger-key as well.")
        show(verify_home(Home.find()), as_json)
        sys.exit(0)
    folder = log or Home.find().public / "ledger"
    witness_verifier = Verifier.parse(witness_key) if witness_key is not None else None
    show(verify_files(folder, Verifier.parse(ledger_key), witness_note, witness_verifier), as_json)
