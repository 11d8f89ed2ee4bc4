"""Monthly releases as press published them, and signed reports on request.

Owns: `models.releases`. A release is stored once and never replaced; pages show the newest, the public list names all.
Must never see: a figure that press did not release.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from appliance import clock
from appliance.desk.models.base import Outbox
from appliance.desk.models.releases import Release as Release  # the type of what pages are handed; never a query
from appliance.desk.models.releases import Report
from appliance.errors import WardwellError
from appliance.spool.delivery import Handler, enqueue, flush
from appliance.spool.messages import Message, ReleasePublished, ReportPublished, ReportRequested
from appliance.storage import Store

# What may be downloaded of a report: attribute, ending of the file's name, media type.
PARTS: Mapping[str, tuple[str, str, str]] = {
    "pdf": ("pdf", ".pdf", "application/pdf"),
    "json": ("json", ".json", "application/json"),
    "json-signature": ("json_signature", ".json.sig", "text/plain"),
    "pdf-signature": ("pdf_signature", ".pdf.sig", "text/plain"),
}


Row = TypeVar("Row", Release, Report, Release | None)


def store_release(session: Session, message: ReleasePublished) -> None:
    """Keep a month's release; a second one for the same month is refused by doing nothing."""
    if session.get(Release, message.period) is None:
        session.add(
            Release(period=message.period, body=message.release, leaf_index=message.leaf_index, arrived=clock.now())
        )


def store_report(session: Session, message: ReportPublished) -> None:
    """Keep what press made of a request; one that nobody asked desk for (made by the command) is kept too."""
    report = session.get(Report, message.request_id)
    if report is None:
        report = Report(
            request_id=message.request_id,
            first_day=message.first_day,
            last_day=message.last_day,
            requested=clock.now(),
        )
        session.add(report)
    if report.made is not None:
        return
    report.made, report.problem = clock.now(), message.problem
    if not message.problem:
        report.pdf, report.json = message.pdf, message.json
        report.json_signature, report.pdf_signature = message.json_signature, message.pdf_signature


HANDLERS: Mapping[type[Message], Handler] = {ReleasePublished: store_release, ReportPublished: store_report}


def _kept(session: Session, row: Row) -> Row:
    # Readable after the session's end, which would otherwise empty it.
    if row is not None:
        session.expunge(row)
    return row


def newest(session: Session) -> Release | None:
    """The latest month's release, or None before the first."""
    return _kept(session, session.scalar(select(Release).order_by(Release.period.desc()).limit(1)))


def all_releases(session: Session) -> list[Release]:
    """Every release, newest month first."""
    return [_kept(session, row) for row in session.scalars(select(Release).order_by(Release.period.desc()))]


def release_of(session: Session, period: str) -> Release:
    """The release of one month. Raises WardwellError."""
    release = session.get(Release, period)
    if release is None:
        raise WardwellError("There is no release for that month.", "Go back to the list of releases.")
    return _kept(session, release)


def content(release: Release) -> dict[str, Any]:
    """The release as press wrote it; the format stands in `appliance.press.release`."""
    content: dict[str, Any] = json.loads(release.body)
    return content


def request_report(store: Store, first_day: date, last_day: date) -> str:
    """Ask press for a signed report over whole days, both included; returns the request's id."""
    if last_day < first_day:
        raise WardwellError("The last day is before the first.", "Choose the days again.")
    if last_day > clock.now().date():
        raise WardwellError("The last day is in the future.", "Choose today or an earlier day.")
    report = Report(
        request_id=secrets.token_hex(16),
        first_day=first_day.isoformat(),
        last_day=last_day.isoformat(),
        requested=clock.now(),
        problem="",
    )
    asked = ReportRequested(request_id=report.request_id, first_day=report.first_day, last_day=report.last_day)
    with store.write() as session:
        session.add(report)
        enqueue(session, Outbox, asked, receiver="press")
    flush(store, Outbox)
    return asked.request_id


def reports(session: Session) -> list[Report]:
    """Every report, newest request first."""
    return [_kept(session, row) for row in session.scalars(select(Report).order_by(Report.requested.desc()))]


def report_part(session: Session, request_id: str, part: str) -> tuple[bytes, str, str]:
    """Bytes, file name and media type of one part of a report ("pdf", "json", and their signatures).

    Raises WardwellError when there is none.
    """
    report = session.get(Report, request_id)
    attribute, ending, media = PARTS.get(part, ("", "", ""))
    body: bytes | None = getattr(report, attribute) if report is not None and attribute else None
    if report is None or not body:
        raise WardwellError("There is no such file.", "Go back to the list of reports.")
    return body, f"wardwell-report-{report.first_day}-to-{report.last_day}{ending}", media
