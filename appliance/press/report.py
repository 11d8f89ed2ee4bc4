"""A signed report over a period: canonical JSON, a PDF of the same facts, and a signature over each.

Owns: assembling, laying out and signing. Everything in it comes from what anyone may read: the public log, the charter,
the releases. The same facts give the same bytes; only `made_at` and the age of the witness move. Must never see:
anything about a person.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from appliance import clock
from appliance.charter import load_charter
from appliance.crypto import sshsig
from appliance.crypto.canonical import canonical
from appliance.crypto.trusted_keys import signer_key
from appliance.errors import WardwellError
from appliance.press import keys, report_sections
from appliance.press.logview import LogView, read_log, site_agrees, witness_state
from appliance.press.pages import FONTS
from appliance.press.pdf import make_pdf
from appliance.settings import Home

VERSION = 1
_IN_SITE_FILE = {
    True: "the site file that the officers' trustee signed names this key",
    False: "the site file that the officers' trustee signed names ANOTHER key",
    None: "there is no signed site file yet that could name this key",
}
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Report:
    """The four files of a signed report."""

    json: bytes
    pdf: bytes
    json_signature: bytes
    pdf_signature: bytes

    def files(self, name: str, public_line: str) -> dict[str, bytes]:
        """Name to bytes of everything that an auditor takes away; `name` is what `file_name` says."""
        return {
            f"{name}.json": self.json,
            f"{name}.json.sig": self.json_signature,
            f"{name}.pdf": self.pdf,
            f"{name}.pdf.sig": self.pdf_signature,
            "report.pub": (public_line + "\n").encode(),
            "allowed_signers": (keys.allowed_signers(public_line) + "\n").encode(),
        }


def file_name(first_day: str, last_day: str) -> str:
    """What a report's files are called, without their endings; the auditor's page calls them the same."""
    return f"wardwell-report-{first_day}-to-{last_day}"


def export(home: Home, first_day: str, last_day: str) -> Report:
    """The signed report over `first_day` to `last_day` ("2026-10-01", both included, days of the agency's time zone).

    Raises WardwellError when the days are wrong, the log cannot be read or does not check, or the PDF cannot be made.
    """
    first, last = _days(first_day, last_day)
    document = assemble(home, first, last)
    body = canonical(document)
    pdf = make_pdf(layout(document), FONTS)
    return Report(body, pdf, keys.sign(home, body), keys.sign(home, pdf))


def _days(first_day: str, last_day: str) -> tuple[date, date]:
    try:
        first, last = date.fromisoformat(first_day), date.fromisoformat(last_day)
    except ValueError:
        raise WardwellError("That is not a day.", "Write days like 2026-10-01.") from None
    if last < first:
        raise WardwellError("The last day is before the first.", "Swap them.")
    return first, last


def assemble(home: Home, first: date, last: date) -> dict[str, Any]:
    """The report's content as canonical JSON takes it: words, integers, lists."""
    settings, now = home.settings(), clock.now()
    zone = ZoneInfo(settings.time_zone)
    start = datetime(first.year, first.month, first.day, tzinfo=zone)
    after = last + timedelta(days=1)
    log = read_log(home)
    leaves = [report_sections.read_leaf(index, raw) for index, raw in enumerate(log.leaves)]
    span = report_sections.span_of(leaves, start, datetime(after.year, after.month, after.day, tzinfo=zone))
    witness = witness_state(home, log, load_charter(home).constants.cosignature_age_hours, now)
    parts = report_sections.sections(home, leaves, span, first, last, now)
    charter = _charter(home)
    public_line = keys.report_public_line(home)
    return {
        "v": VERSION,
        "kind": "wardwell-report",
        "agency": settings.agency,
        "first_day": first.isoformat(),
        "last_day": last.isoformat(),
        "time_zone": settings.time_zone,
        "made_at": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "key": {
            "public": public_line,
            "fingerprint": sshsig.fingerprint(public_line),
            "in_site_file": _IN_SITE_FILE[site_agrees(home, public_line)],
        },
        "summary": _summary(parts, span, witness, charter),
        "charter": charter,
        "log": _heads(log, span),
        "witness": witness,
        "sections": parts,
    }


def _heads(log: LogView, span: report_sections.Span) -> dict[str, Any]:
    return {
        "origin": log.checkpoint.origin,
        "vkey": str(log.ledger),
        "key_source": log.key_source,
        "first": {"size": span.first, "root": log.root(span.first).hex()},
        "last": {"size": span.end, "root": log.root(span.end).hex()},
        "newest": {"size": log.size, "root": log.root(log.size).hex(), "note": log.note},
        "first_to_last": [node.hex() for node in log.consistency(span.first, span.end)],
        "last_to_newest": [node.hex() for node in log.consistency(span.end, log.size)],
    }


def _charter(home: Home) -> dict[str, Any]:
    charter = load_charter(home)
    return {
        "version": charter.version,
        "digest": charter.digest,
        "floor": charter.constants.floor,
        "agency_signature": _signature(home, "agency"),
        "trustee_signature": _signature(home, "trustee"),
    }


def _signature(home: Home, signer: str) -> str:
    public = home.public
    paths = [public / f"{signer}.pub", public / f"charter.toml.{signer}.sig"]
    if not all(path.exists() for path in paths) or not home.charter_file.exists():
        return "none"
    try:
        line = signer_key(home, signer)
        sshsig.verify(line, home.charter_file.read_bytes(), paths[1].read_bytes(), "wardwell-charter")
    except WardwellError as problem:
        return f"NOT VALID: {problem.message}"
    return f"valid, by the key {sshsig.fingerprint(line)}"


def _summary(
    parts: list[Any], span: report_sections.Span, witness: dict[str, Any], charter: dict[str, Any]
) -> list[str]:
    rows = {part["id"]: len(part["rows"]) for part in parts}
    signed = all(charter[f"{side}_signature"].startswith("valid") for side in ("agency", "trustee"))
    return [
        f"Entries in the period: {span.end - span.first}.",
        f"Charter in force: version {charter['version']}, "
        + ("signed by both sides." if signed else "NOT signed by both sides."),
        f"Charter versions entered: {rows['charter'] or 'none'}. Rosters: {rows['roster'] or 'none'}. "
        f"Roles granted or revoked: {rows['grants'] or 'none'}. Releases: {rows['releases'] or 'none'}.",
        f"Gaps: {rows['gaps'] or 'none found'}.",
        f"Witness: {witness['words']}",
    ]


def layout(document: dict[str, Any]) -> str:
    """The report as the HTML that the PDF is made from."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    first, last = (date.fromisoformat(document[name]) for name in ("first_day", "last_day"))
    name = file_name(document["first_day"], document["last_day"])
    return environment.get_template("report/report.html").render(
        report=document,
        css=_Sheet((HERE / "static" / "report.css").read_text()),
        first_words=f"{first:%B} {first.day}, {first.year}",
        last_words=f"{last:%B} {last.day}, {last.year}",
        allowed_signers=keys.allowed_signers(document["key"]["public"]),
        commands=[keys.verify_command(f"{name}.json"), keys.verify_command(f"{name}.pdf")],
        name=name,
        json_sha256=hashlib.sha256(canonical(document)).hexdigest(),
    )


class _Sheet(str):
    """Our own style sheet: it is put into the page as it is."""

    def __html__(self) -> str:
        return str(self)
