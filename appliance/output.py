"""How a command answers: in sentences for people, or with one JSON object for programs.

Owns: the option `--json` and the form of what it prints. An object has `ok`; a command that failed or was refused
prints `{"ok": false, "message", "fix"}`. Exit codes are those without the option; progress goes to standard error.
Must never see: a secret; what is answered lands in other programs' logs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from appliance.errors import WardwellError

FLAG = "--json"
_Command = TypeVar("_Command", bound=Callable[..., Any])


def json_option(command: _Command) -> _Command:
    """Give a command `--json`, as its argument `as_json`."""
    return click.option(FLAG, "as_json", is_flag=True, help="One JSON object instead of lines.")(command)


def tell(as_json: bool, words: str, *, ok: bool = True, **facts: Any) -> None:
    """Print `words`, or with `--json` the `facts`."""
    click.echo(json.dumps({"ok": ok, **facts}, ensure_ascii=False) if as_json else words)


def tell_error(as_json: bool, error: WardwellError) -> None:
    """Print why nothing came of it: as JSON on standard output, in words on standard error."""
    if as_json:
        tell(True, "", ok=False, message=error.message, fix=error.fix)
        return
    click.echo(f"wardwell: {error.message}", err=True)
    if error.fix:
        click.echo(f"  what to do: {error.fix}", err=True)


def run_command(command: click.Command, name: str) -> None:
    """Run a whole command line called `name`; a WardwellError is shown as its sentence and its fix."""
    try:
        command(prog_name=name, standalone_mode=True)
    except WardwellError as error:
        tell_error(FLAG in sys.argv[1:], error)
        sys.exit(error.exit_code)
