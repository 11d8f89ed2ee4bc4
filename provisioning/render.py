"""`wardwell render`: the configurations of production, written into a folder.

Owns: which files those are. What stands in them comes from the same templates that the demonstration runs on.
Must never see: a secret; a certificate's key is named, not read.
"""

from __future__ import annotations

from pathlib import Path

import click

from appliance.settings import COMPARTMENTS, PRODUCTION, Home
from provisioning import front, supervise

CODE = Path("/opt/wardwell/current")
_to = click.option(
    "--to", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write into."
)
_code = click.option(
    "--code",
    default=CODE,
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where the installed code is, with src/ and venv/.",
)


@click.group()
def render() -> None:
    """Write the configurations that the installed appliance runs on."""


@render.command("units")
@_to
@_code
@click.option("--preview", is_flag=True, help="Say what would be written, and write nothing.")
def units_command(to: Path, code: Path, preview: bool) -> None:
    """Write the units of systemd/, each in its folder."""
    for name, text in unit_files(code).items():
        _put(to / name, text, preview)


@render.command("supervisor")
@_to
@_code
def supervisor_command(to: Path, code: Path) -> None:
    """Write <compartment>.conf for each compartment's own supervisord."""
    for name, text in supervisor_files(code).items():
        _put(to / name, text)


@render.command("front")
@_to
@_code
def front_command(to: Path, code: Path) -> None:
    """Write nginx.conf and the still pages (sealed, maintenance), from wardwell.toml."""
    for name, text in front_files(Home.find(), code).items():
        _put(to / name, text)


def unit_files(code: Path = CODE) -> dict[str, str]:
    """Path below systemd's folder -> content: the units as they are in the source."""
    source = code / "src" / "systemd"
    return {str(path.relative_to(source)): path.read_text() for path in sorted(source.rglob("*")) if path.is_file()}


def supervisor_files(code: Path = CODE) -> dict[str, str]:
    """File name -> content, one for each compartment."""
    home = Home(PRODUCTION)
    return {f"{name}.conf": supervise.render_compartment(home, name, code) for name in COMPARTMENTS}


def front_files(home: Home, code: Path = CODE) -> dict[str, str]:
    """File name -> content of the front's folder. Raises WardwellError for hosts that cannot be."""
    settings = home.settings()
    certificates = front.given_certificates(home)
    text = front.render(home, settings.hosts, certificates, settings.address, code / "src")
    return {"nginx.conf": text, **front.still_pages(settings.hosts)}


def _put(path: Path, text: str, preview: bool = False) -> None:
    """Write `path` unless it holds just that already; says which. `preview`: say it only."""
    if path.exists() and path.read_text() == text:
        click.echo(f"unchanged  {path}")
        return
    if preview:
        click.echo(f"differs    {path}")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text)
    part.chmod(0o644)
    part.rename(path)
    click.echo(f"written    {path}")
