"""`wardwell intake profile`: propose a feed profile from files, and see what one would take.

Owns: the command's words. Must never print: a cell that is no code, unit, number or time.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from appliance.errors import WardwellError
from appliance.intake.check import Account, check, expand
from appliance.intake.guess_types import nearest
from appliance.intake.matching import read_roster
from appliance.intake.profiles import load_profile

_SHOWN = 50


@click.group("profile")
def profile() -> None:
    """Feed profiles: propose one from a file, try one out."""


@profile.command("guess")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--time-zone", default="", help="The zone of the feed's times, such as America/Chicago.")
def guess_command(files: tuple[Path, ...], time_zone: str) -> None:
    """Propose a profile that reads FILES, as TOML on standard output."""
    from zoneinfo import available_timezones

    from appliance.intake.guess import guess

    if time_zone and time_zone not in available_timezones():
        raise WardwellError(f"There is no time zone {time_zone!r}.", "Give one such as America/Chicago.")
    click.echo(guess(expand(files), time_zone or own_zone(), bool(time_zone)), nl=False)


def own_zone() -> str:
    """The zone that this machine is set to, else the one that settings have by default."""
    from zoneinfo import available_timezones

    from appliance.settings import Settings

    try:
        name = Path("/etc/timezone").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        name = ""
    usable = name in available_timezones() and not name.startswith("Etc/") and name not in ("UTC", "GMT")
    return name if usable else Settings().time_zone


@profile.command("test")
@click.argument("profile_name", metavar="PROFILE")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--roster", type=click.Path(path_type=Path), help="Roster CSV; without it every unit is unmapped.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def test_command(profile_name: str, files: tuple[Path, ...], roster: Path | None, as_json: bool) -> None:
    """What PROFILE would take from FILES, what it would refuse, and what it knows nothing of. Stores nothing."""
    feed = load_profile(profile_name)
    account = Account(feed)
    for _, account in check(expand(files), feed, read_roster(roster) if roster else []):  # noqa: B007 - the last account counts
        pass
    result = account.result()
    result["nearest_types"] = {code: nearest(code) for code in result["unmapped_types"] if code}
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, indent=1))
        return
    for words in ("files", "rows", "calls", "updates", "repeats", "involvements", "first", "last"):
        click.echo(f"{words}: {result[words]}")
    click.echo(f"rows refused: {len(result['refused'])}")
    for row in result["refused"][:_SHOWN]:
        column = f", {row['column']}" if row["column"] else ""
        click.echo(f"  line {row['line']}{column}: {row['reason']}")
    for unit, count in list(result["unmapped_units"].items())[:_SHOWN]:
        click.echo(f"unit that matches nobody: {unit} ({count})")
    for code, count in list(result["unmapped_types"].items())[:_SHOWN]:
        likely = ", ".join(result["nearest_types"].get(code, []))
        click.echo(
            f"type that weighs nothing yet: {code or '(blank)'} ({count}){'; nearest: ' + likely if likely else ''}"
        )
