"""`wardwell intake profile`: propose a feed profile from files, read one in words, and see what one would take.

Owns: the command's words. Must never print: a cell that is no code, unit, number or time.
"""

from __future__ import annotations

from pathlib import Path

import click

from appliance.errors import WardwellError
from appliance.intake.dry_run.account import expand
from appliance.intake.dry_run.console import dry_run


@click.group("profile")
def profile() -> None:
    """Feed profiles: propose one from a file, read one, try one out."""


@profile.command("guess")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--time-zone", default="", help="The zone of the feed's times, such as America/Chicago.")
def guess_command(files: tuple[Path, ...], time_zone: str) -> None:
    """Propose a profile that reads FILES, as TOML on standard output."""
    from zoneinfo import available_timezones

    from appliance.intake.guess.proposal import guess

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


@profile.command("show")
@click.argument("profile_name", metavar="PROFILE")
def show_command(profile_name: str) -> None:
    """PROFILE in words: its layout, the columns read and dropped, and what each code counts as."""
    from appliance.intake.profile import words
    from appliance.intake.profile.feed_profile import load_profile

    feed = load_profile(profile_name)
    click.echo(f"{feed.name}: {feed.description}\n")
    for what, how in words.facts(feed):
        click.echo(f"{what}: {how}")
    click.echo("\nread:")
    for fact, column in words.read(feed):
        click.echo(f"  {fact}: {column}")
    if words.by_format(feed):
        click.echo("  units, their times and their people: where this format has them")
    click.echo(f"dropped on purpose: {', '.join(feed.dropped) or 'nothing'}")
    click.echo("\ncounts as:")
    for title, codes in words.types(feed) or [("nothing yet", ["no code is mapped"])]:
        # Codes may contain commas.
        click.echo(f"  {title}: {'; '.join(codes)}")


@profile.command("test")
@click.argument("profile_name", metavar="PROFILE")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--roster", type=click.Path(path_type=Path), help="Roster CSV; without it every unit is unmapped.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def test_command(profile_name: str, files: tuple[Path, ...], roster: Path | None, as_json: bool) -> None:
    """What PROFILE would take from FILES, what it would refuse, and what it knows nothing of. Stores nothing."""
    dry_run(files, profile_name, roster, as_json)
