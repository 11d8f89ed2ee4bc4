"""One offline file of crisis, family, resources and directory pages, for homes and phones.

Owns: `wardwell kit take-home`. The file fetches nothing and tells nobody that it was opened. Must never see: anything
that is not already public without sign-in.
"""

from __future__ import annotations

from pathlib import Path

import click

from appliance.settings import Home


@click.command("take-home")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def take_home(out: Path) -> None:
    """Write the crisis, family, resource and directory pages as one HTML file that works without any network."""
    from appliance.press.pages import take_home as render

    out.write_bytes(render(Home.find()))
    click.echo(f"{out}: give it to families, or open it on a phone.")
