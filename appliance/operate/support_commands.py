"""`wardwell support-bundle`.

Owns: this command's words. Must never see: more than `appliance.operate.support` lets in.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import click

from appliance.output import json_option, tell
from appliance.settings import Home


@click.command("support-bundle")
@click.option("--preview", is_flag=True, help="Show every byte that would be written, and write nothing.")
@click.option("--out", type=click.Path(path_type=Path), help="The file to write.")
@json_option
def support_bundle(preview: bool, out: Path | None, as_json: bool) -> None:
    """Facts about this machine for whoever helps; nothing about a person, a feed, a host or what people do."""
    from appliance.operate import support

    if preview == (out is not None):
        raise click.UsageError("Say --preview to look, or --out FILE to write.")
    content = support.encode(support.collect(Home.find()))
    if out is None:
        digest = hashlib.sha256(content).hexdigest()
        if as_json:
            tell(True, "", sha256=digest, report=json.loads(content))
            return
        click.echo(content, nl=False)
        click.echo(f"sha256 of report.json: {digest}", err=True)
        return
    digest = support.write(content, out)
    words = f"{out}: report.json, sha256 {digest}\nRead it before you send it: tar -xOf FILE report.json"
    tell(as_json, words, file=str(out), sha256=digest)
