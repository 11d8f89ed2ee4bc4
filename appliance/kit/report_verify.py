"""Checking a signed report offline, with nothing but its files and the report key.

Owns: `wardwell kit report-verify`. OpenSSH checks the two signatures as well (the commands stand in the report); this
also checks that the JSON is canonical, that PDF and JSON belong together, and the proofs about the log inside.
Must never see: the appliance.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from appliance.crypto import sshsig
from appliance.crypto.canonical import canonical
from appliance.errors import WardwellError
from appliance.kit import report_log

NAMESPACE = "wardwell-report"


@dataclass(frozen=True)
class Verified:
    """A report that holds: its content and the fingerprint of the key that signed it."""

    document: dict[str, Any]
    fingerprint: str


def verify(folder: Path, public_line: str | None = None) -> Verified:
    """Check the report in `folder` by `public_line` (default: the key that lies beside it, which proves less).

    Raises WardwellError at the first thing that does not hold.
    """
    name = _name(folder)
    line = public_line or _read(folder, "report.pub").decode(errors="replace").strip()
    body, pdf = _read(folder, f"{name}.json"), _read(folder, f"{name}.pdf")
    for file, data in ((f"{name}.json", body), (f"{name}.pdf", pdf)):
        try:
            sshsig.verify(line, data, _read(folder, f"{file}.sig"), NAMESPACE)
        except WardwellError as problem:
            raise WardwellError(f"{file} is refused. {problem.message}", problem.fix) from None
    try:
        document: dict[str, Any] = json.loads(body)
        same = canonical(document) == body and document["kind"] == "wardwell-report"
    except (ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise WardwellError(f"{name}.json is signed but not in its canonical form.", "Report this to the agency.")
    report_log.check(document)
    return Verified(document, sshsig.fingerprint(line))


def _name(folder: Path) -> str:
    names = sorted(path.stem for path in folder.glob("*report*.json"))
    if len(names) != 1:
        raise WardwellError(
            f"There are {len(names)} reports (.json) in that folder; one is needed.",
            "Put each report in its own folder.",
        )
    return names[0]


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError:
        raise WardwellError(f"The report is not complete: {name} is missing.", "Fetch the report again.") from None


@click.command("report-verify")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="report.pub from elsewhere.")
def report_verify(folder: Path, key: Path | None) -> None:
    """Check a signed report's files without the appliance; exit code 1 when anything does not hold."""
    verified = verify(folder, key.read_text().strip() if key else None)
    document = verified.document
    click.echo(f"The report {document['first_day']} to {document['last_day']} of {document['agency']} holds.")
    click.echo("  JSON and PDF are as they were signed; the log's proofs inside fit together.")
    if key:
        click.echo(f"  Signed by the key that you gave: {verified.fingerprint}")
    else:
        click.echo(f"  Signed by {verified.fingerprint}. Compare this with what the officers' trustee published,")
        click.echo("  or give the key with --key: the key in the folder came with the report.")
    for line in document["summary"]:
        click.echo(f"  {line}")
