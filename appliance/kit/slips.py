"""`wardwell kit slips`: the first slips, made by the officers' trustee offline, before the founding document is signed.

Owns: adding hashes to the document and showing the slips once. Must never see: the appliance. Agency IT, which runs the
appliance, never holds a slip: what it is given are hashes of 100 random bits.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from appliance import clock, durable
from appliance.errors import WardwellError

_MARK = "# --- slips, made by the trustee; what follows is made anew by `wardwell kit slips` ---"


@click.command()
@click.argument("document", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--print", "paper", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to print.")
@click.option("--days", default=21, show_default=True, type=click.IntRange(1, 28), help="How long they are good for.")
@click.option("--trustee-key", type=click.Path(exists=True, path_type=Path), help="Your public key, for the slips.")
def slips(document: Path, paper: Path, days: int, trustee_key: Path | None) -> None:
    """Make a slip for everyone who is granted a role in DOCUMENT (founding.toml), and add their hashes to it.

    The file to print holds the slips. Print it, hand each slip to its person, and destroy the file.
    """
    from appliance.crypto.sshsig import fingerprint
    from appliance.desk import slips as made
    from appliance.desk.people import founding_document

    if paper.resolve().parent == document.resolve().parent:
        raise WardwellError("The slips would travel with the papers.", "Give --print a file in another folder.")
    text = document.read_text().partition(_MARK)[0].rstrip("\n")
    document.write_text(text + "\n")
    people = {(grant.person_id, grant.sign_in_name): None for grant in founding_document.read_file(document).grants}
    until = (clock.now() + timedelta(days=days)).replace(microsecond=0)
    trusted = fingerprint(trustee_key.read_text()) if trustee_key else "(read it from the trustee)"
    # A top-level key may not follow a table, so it stands before everything else.
    blocks, lines = [], []
    for person_id, sign_in_name in people:
        code = made.new_code()
        key, value = ("person_id", person_id) if person_id else ("sign_in_name", sign_in_name)
        blocks.append(f'[[slips]]\n{key} = {_quoted(value)}\nsha256 = "{made.digest(code)}"')
        lines.append(
            f"{value}\n    slip     {code}\n    trustee  {trusted}\n    good until {until:%Y-%m-%d %H:%M} UTC\n"
        )
    body = "\n".join(line for line in text.split("\n") if not line.startswith("slips_until = "))
    head = f"slips_until = {until.isoformat()}"
    durable.replace(paper, "\n".join(lines).encode(), mode=0o600)
    document.write_text("\n".join([head, body, "", _MARK, "", "\n\n".join(blocks)]) + "\n")
    click.echo(f"{document}: hashes of {len(blocks)} slips. {paper}: the slips; print, hand out, destroy.")


def _quoted(value: str) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
