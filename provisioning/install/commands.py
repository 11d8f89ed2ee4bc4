"""`wardwell preflight`, `setup`, `apply` and `config`.

Owns: what these commands print. Must never see: a secret; what could be one is shown as `(set)`.
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
_answers = click.option("--answers", "file", type=_path, help="A file with the answers.")
SECRET = ("password_hash",)
FEW_CHANGES = 20


@click.command()
@_answers
@json_option
def preflight(file: Path | None, as_json: bool) -> None:
    """Check this machine and the agency's servers. Changes nothing. Exit code 1 when something must be fixed."""
    from provisioning.install.answers import answers_file, decode
    from provisioning.install.preflight import run

    logs.configure(Home.find())
    path = file or (answers_file() if answers_file().exists() else None)
    findings = run(decode(path.read_bytes(), path.name) if path else None)
    ok = all(finding.state != "FAIL" for finding in findings)
    if as_json:
        click.echo(json.dumps({"ok": ok, "findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            click.echo(f"{finding.state}  {finding.name}: {finding.detail}")
            if finding.fix:
                click.echo(f"      what to do: {finding.fix}")
    if not ok:
        sys.exit(1)


@click.command()
@_answers
@click.option("--again", is_flag=True, help="Ask again, with the earlier answers as defaults.")
@json_option
def setup(file: Path | None, again: bool, as_json: bool) -> None:
    """Answer the questions that configure an appliance, or give a file. An interrupted setup continues."""
    from provisioning.install.answers import Question, answers_file
    from provisioning.install.setup import from_file, from_person, zone_of_machine

    stored = answers_file()
    if file:
        from_file(file, CONFIGURATION)
        tell(as_json, f"The answers in {file.name} are stored in {stored}.", answers=str(stored))
        return
    if stored.exists() and not again:
        words = f"The answers are stored already, in {stored}. To change them: wardwell setup --again"
        tell(as_json, words, answers=str(stored))
        return
    if as_json or not sys.stdin.isatty():
        raise Refused("There is nobody to ask.", "Give --answers FILE.")
    defaults = _defaults()

    def ask(question: Question, default: str) -> str:
        note = f" ({question.note})" if question.note else ""
        optional = question.key == "data_device"
        default = default or defaults.get(question.key, "")
        return str(click.prompt(f"{question.words}{note}", default=default or ("" if optional else None)))

    from_person(ask, CONFIGURATION, zone_of_machine())
    click.echo(f"The answers are stored in {stored}. Next: wardwell preflight, then wardwell apply")


def _defaults() -> dict[str, str]:
    """Default answers: the earlier ones, else the machine's own address."""
    import subprocess

    from provisioning.install.answers import answers_file, decode
    from provisioning.install.setup import proposals

    if answers_file().exists():
        given = msgspec.to_builtins(decode(answers_file().read_bytes(), "answers.toml"))
        flat = {**given, **{f"directory.{name}": value for name, value in given["directory"].items()}}
        return {key: " ".join(value) if isinstance(value, list) else str(value or "") for key, value in flat.items()}
    shown = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout
    return proposals(shown.split())


@click.command()
@click.option("--unattended", is_flag=True, envvar="WARDWELL_UNATTENDED", help="Make and show no password.")
@json_option
def apply(unattended: bool, as_json: bool) -> None:
    """Configure this machine as answered. Running it again changes nothing; after a failure it continues.

    With --json no password is made, since a program that reads the output may keep it in a log.
    """
    from appliance.operate import administrator
    from provisioning.install.apply import apply

    changed = apply(lambda words: click.echo(f"== {words}", err=as_json))
    if as_json:
        tell(True, "", changed=changed)
        return
    # After a first run the list would name everything; after a later one it is short and worth reading.
    for what in changed if len(changed) <= FEW_CHANGES else []:
        click.echo(f"changed  {what}")
    click.echo(f"{len(changed)} changes." if changed else "Nothing had to be changed.")
    # A program that runs this may keep the output in a log, where no password belongs.
    if not unattended and not administrator.has_password():
        click.echo(administrator.shown(administrator.new_password()))


@click.group()
def config() -> None:
    """The answers that this machine is configured by."""


@config.command()
@json_option
def show(as_json: bool) -> None:
    """Show the answers, secrets as `(set)`."""
    from provisioning.install.answers import toml
    from provisioning.install.apply import stored_answers

    tables = masked(msgspec.to_builtins(stored_answers()))
    tell(as_json, toml(_without_none(tables)).rstrip("\n"), answers=tables)


@config.command()
@json_option
def diff(as_json: bool) -> None:
    """Show what `apply` would change, without changing it. Exit code 1 when it would change something."""
    from provisioning.install.apply import preview

    outcome = preview()
    lines = [f"would change  {task}" for task in outcome.tasks]
    if outcome.failed:
        lines.append(f"would fail    {outcome.failed}")
    words = "\n".join(lines) or "This machine is configured as answered."
    tell(as_json, words, ok=not lines, changes=list(outcome.tasks), failed=outcome.failed)
    if lines:
        sys.exit(1)


def masked(value: Any, key: str = "") -> Any:
    """`value` with every secret replaced, at any depth."""
    if isinstance(value, dict):
        return {name: masked(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner, key) for inner in value]
    return "(set)" if key in SECRET and value else value


def _without_none(tables: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in tables.items() if value is not None}
