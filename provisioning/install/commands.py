"""`wardwell preflight`, `setup`, `apply` and `config`.

Owns: these commands' words. Must never see: a secret; what could be one is shown as `(set)`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import msgspec

from appliance import logs
from appliance.errors import Refused
from appliance.output import json_option, tell
from appliance.settings import CONFIGURATION, Home

_path = click.Path(path_type=Path)
_answers = click.option("--answers", "file", type=_path, help="The answers, as a file.")
SECRET = ("password_hash",)
FEW_CHANGES = 20


@click.command()
@_answers
@json_option
def preflight(file: Path | None, as_json: bool) -> None:
    """Look at this machine and the agency around it; changes nothing. Exit code 1 when something must be mended."""
    from provisioning.install import answers as answering
    from provisioning.install import preflight as looking

    logs.configure(Home.find())
    path = file or (answering.stored() if answering.stored().exists() else None)
    given = answering.decode(path.read_bytes(), path.name) if path else None
    found = looking.run(given)
    ok = all(finding.state != "FAIL" for finding in found)
    if as_json:
        click.echo(json.dumps({"ok": ok, "findings": [asdict(finding) for finding in found]}))
    else:
        for finding in found:
            click.echo(f"{finding.state}  {finding.name}: {finding.detail}")
            if finding.fix:
                click.echo(f"      what to do: {finding.fix}")
    if not ok:
        sys.exit(1)


@click.command()
@_answers
@click.option("--again", is_flag=True, help="Ask again, with what was answered as proposals.")
@json_option
def setup(file: Path | None, again: bool, as_json: bool) -> None:
    """Answer what an appliance has to be told: twelve questions, or a file. What was interrupted goes on."""
    from provisioning.install import answers as answering
    from provisioning.install import setup as asking

    if file:
        asking.from_file(file, CONFIGURATION)
        tell(as_json, f"The answers of {file.name} are kept in {answering.stored()}.", answers=str(answering.stored()))
        return
    if answering.stored().exists() and not again:
        words = f"Answered already: {answering.stored()}. To answer anew: wardwell setup --again"
        tell(as_json, words, answers=str(answering.stored()))
        return
    if as_json or not sys.stdin.isatty():
        raise Refused("Nobody is there to answer.", "Give --answers FILE.")
    known = _known()

    def ask(question: answering.Question, default: str) -> str:
        note = f" ({question.note})" if question.note else ""
        optional = question.key == "data_device"
        proposed = default or known.get(question.key, "")
        return str(click.prompt(f"{question.words}{note}", default=proposed or ("" if optional else None)))

    asking.from_person(ask, CONFIGURATION, asking.zone_of_machine())
    click.echo(f"Kept in {answering.stored()}. What comes next: wardwell preflight, then wardwell apply")


def _known() -> dict[str, str]:
    """What can be proposed: earlier answers, else the machine's own address."""
    import subprocess

    from provisioning.install import answers as answering
    from provisioning.install import setup as asking

    if answering.stored().exists():
        given = msgspec.to_builtins(answering.decode(answering.stored().read_bytes(), "answers.toml"))
        flat = {**given, **{f"directory.{name}": value for name, value in given["directory"].items()}}
        return {key: " ".join(value) if isinstance(value, list) else str(value or "") for key, value in flat.items()}
    shown = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout
    return asking.proposals(shown.split())


@click.command()
@click.option("--unattended", is_flag=True, envvar="WARDWELL_UNATTENDED", help="Make and show no password.")
@json_option
def apply(unattended: bool, as_json: bool) -> None:
    """Bring this machine to what was answered. Running it again changes nothing; after a failure it goes on.

    With --json no password is made: whoever reads it for somebody else keeps it in a log.
    """
    from appliance.operate import administrator
    from provisioning.install import apply as applying

    changed = applying.apply(lambda words: click.echo(f"== {words}", err=as_json))
    if as_json:
        tell(True, "", changed=changed)
        return
    # After a first run the list is everything; later it is what somebody wants to know.
    for what in changed if len(changed) <= FEW_CHANGES else []:
        click.echo(f"changed  {what}")
    click.echo(f"{len(changed)} changes." if changed else "Nothing had to be changed.")
    # Whoever runs this for somebody else keeps what it says in a log, where a password would lie.
    if not unattended and not administrator.has_password():
        click.echo(administrator.shown(administrator.new_password()))


@click.group()
def config() -> None:
    """What this machine was told."""


@config.command()
@json_option
def show(as_json: bool) -> None:
    """Show the answers, secrets as `(set)`."""
    from provisioning.install import answers as answering
    from provisioning.install import apply as applying

    tables = masked(msgspec.to_builtins(applying.stored_answers()))
    tell(as_json, answering.toml(_without_none(tables)).rstrip("\n"), answers=tables)


@config.command()
@json_option
def diff(as_json: bool) -> None:
    """Show what `apply` would change, without changing it. Exit code 1 when there is something."""
    from provisioning.install import apply as applying

    outcome = applying.preview()
    lines = [f"would change  {task}" for task in outcome.tasks]
    if outcome.failed:
        lines.append(f"would fail    {outcome.failed}")
    words = "\n".join(lines) or "This machine is as it was told."
    tell(as_json, words, ok=not lines, changes=list(outcome.tasks), failed=outcome.failed)
    if lines:
        sys.exit(1)


def masked(value: Any, key: str = "") -> Any:
    """`value` with every secret replaced, however deep it lies."""
    if isinstance(value, dict):
        return {name: masked(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner, key) for inner in value]
    return "(set)" if key in SECRET and value else value


def _without_none(tables: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in tables.items() if value is not None}
