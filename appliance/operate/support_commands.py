"""`wardwell support-bundle`.

Owns: this command's words. Must never see: more than `appliance.operate.support` lets in.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from appliance.settings import Home


@click.command("support-bundle")
@click.option("--preview", is_flag=True, help="Show every byte that would be written, and write nothing.")
@click.option("--out", type=click.Path(path_type=Path), help="The file to write.")
def support_bundle(preview: bool, out: Path | None) -> None:
    """Facts about this machine for whoever helps; nothing about a person, a feed, a host or what people do."""
    from appliance.operate import support

    if preview == (out is not None):
        raise click.UsageError("Say --preview to look, or --out FILE to write.")
    content = support.encode(support.collect(Home.find()))
    if out is None:
        click.echo(content, nl=False)
        click.echo(f"sha256 of report.json: {hashlib.sha256(content).hexdigest()}", err=True)
        return
    digest = support.write(content, out)
    click.echo(f"{out}: report.json, sha256 {digest}")
    click.echo("Read it before you send it: tar -xOf FILE report.json")
