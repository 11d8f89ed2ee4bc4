"""What the public log says about a period: the content of a signed report, as sections of plain words.

Owns: reading public leaves into tables, and finding gaps. It reads what anyone may read, and of that only fields named
here: a handle in a leaf is never copied. Must never see: a body of an entry about a person; the log holds commitments.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from appliance.press.publish import LATEST_AFTER
from appliance.press.release import is_period
from appliance.rules.months import month_after, month_before
from appliance.settings import Home

KIND_WORDS = {
    "charter": "charter versions",
    "founding": "keys of the agency and the officers' trustee",
    "roster": "signed rosters",
    "grant": "roles granted",
    "revoke": "roles revoked",
    "mailbox-key": "mailbox keys",
    "ticket-key": "ticket keys",
    "board": "boards",
    "release": "releases",
    "heads": "heads of people's entries",
    "account": "sign-ins or vaults replaced",
    "legal-hold": "legal holds placed or lifted",
    "erased": "private spaces erased by their owners",
    "versions": "batches of the newest versions of vaults (commitments only)",
    "restored": "restores of the log from a backup, stated by both custody groups",
    "about": "entries about people (commitments only)",
}


@dataclass(frozen=True)
class Leaf:
    """One entry of the log. `at` is None for entries about people, which carry no time in public."""

    index: int
    kind: str
    at: datetime | None
    fields: dict[str, Any]


@dataclass(frozen=True)
class Span:
    """The entries of a period: `first` up to and excluding `end`. Undated entries belong to where they stand."""

    first: int
    end: int


def read_leaf(index: int, raw: bytes) -> Leaf:
    """One leaf from its bytes; kind "unreadable" when it is not in the form that the log promises."""
    try:
        fields = json.loads(raw)
        kind = str(fields["kind"])
        at = None
        if kind != "about":
            at = datetime.strptime(fields["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except (ValueError, KeyError, TypeError):
        return Leaf(index, "unreadable", None, {})
    return Leaf(index, kind, at, fields)


def span_of(leaves: list[Leaf], start: datetime, end: datetime) -> Span:
    """Which leaves lie in [start, end): from behind the last one dated before `start` to the first not before `end`."""
    first, stop = 0, len(leaves)
    for leaf in leaves:
        if leaf.at is not None and leaf.at < start:
            first = leaf.index + 1
        if leaf.at is not None and leaf.at >= end:
            stop = leaf.index
            break
    return Span(min(first, stop), stop)


def section(
    id: str, title: str, why: str, columns: list[str], rows: Iterable[list[str]], none: str = "None in this period."
) -> dict[str, Any]:
    """One table of the report; an empty one says so in words."""
    rows = list(rows)
    return {"id": id, "title": title, "why": why, "columns": columns, "rows": rows, "none": "" if rows else none}


def sections(home: Home, leaves: list[Leaf], span: Span, first_day: date, last_day: date, now: datetime) -> list[Any]:
    """All tables of the report about the entries of `span`."""
    inside = leaves[span.first : span.end]
    return [
        section(
            "charter",
            "Charter versions",
            "Who may see what. Each version needs the signatures of the agency and of the officers' trustee.",
            ["Entered", "Entry", "Version", "SHA-256"],
            ([*_when(x), _word(x, "version"), _word(x, "digest", "sha256")] for x in _of(inside, "charter")),
        ),
        section(
            "roster",
            "Signed rosters",
            "Groups and their headcounts come from rosters that two people signed, one of them the trustee.",
            ["Entered", "Entry", "Version", "SHA-256"],
            (
                [*_when(x), _word(x, "version", "roster_version"), _word(x, "digest", "sha256")]
                for x in _of(inside, "roster")
            ),
        ),
        section(
            "grants",
            "Roles granted and revoked",
            "A role needs two people, one of them the trustee where the charter says so. Nobody is named here.",
            ["Entered", "Entry", "Change", "Role", "Two people"],
            (
                [*_when(x), "granted" if x.kind == "grant" else "revoked", _word(x, "role"), _two_people(x)]
                for x in inside
                if x.kind in ("grant", "revoke")
            ),
        ),
        section(
            "releases",
            "Releases",
            "A month's figures are published once, to everybody alike.",
            ["Entered", "Entry", "Month", "SHA-256", "Epsilon", "Published file"],
            (
                [*_when(x), _word(x, "period"), _word(x, "sha256"), _word(x, "epsilon"), _release_file(home, x)]
                for x in _of(inside, "release")
            ),
        ),
        section(
            "boards",
            "Boards of sealed cells",
            "Only their number and size are known here. Nobody can tell which cells are real.",
            ["Board", "Boards", "First epoch", "Last epoch", "Cells in all"],
            _boards(inside),
        ),
        section(
            "entries",
            "Entries by kind",
            "Entries about people are commitments: what they say, and whether an attempt was allowed or refused, is "
            "read by the person concerned and by nobody else. Only their number stands here.",
            ["Kind", "Entries"],
            (
                [KIND_WORDS.get(kind, f"other ({kind})"), str(number)]
                for kind, number in sorted(Counter(x.kind for x in inside).items())
            ),
        ),
        section(
            "gaps",
            "Gaps",
            "Days without an entry, missing epochs, missing or double releases, entries out of order.",
            ["What is missing or wrong", "Where"],
            gaps(leaves, span, first_day, last_day, now, home.settings().time_zone),
            "None found.",
        ),
    ]


def _of(leaves: list[Leaf], kind: str) -> list[Leaf]:
    return [leaf for leaf in leaves if leaf.kind == kind]


def _when(leaf: Leaf) -> list[str]:
    return [leaf.at.strftime("%Y-%m-%d %H:%M UTC") if leaf.at else "no time", str(leaf.index)]


def _word(leaf: Leaf, *names: str) -> str:
    """The first of the named fields as words. Lists are joined; anything deeper is not copied."""
    for name in names:
        value = leaf.fields.get(name)
        if isinstance(value, str | int):
            return str(value)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return ", ".join(value)
    return "not stated"


def _number(leaf: Leaf, name: str) -> int:
    value = leaf.fields.get(name)
    return value if isinstance(value, int) else 0


def _two_people(leaf: Leaf) -> str:
    # The leaf names both people by salted hashes only; they are not copied.
    if leaf.fields.get("founding") is True:
        return "founding document, signed by agency and trustee"
    if leaf.fields.get("proposed_by") and leaf.fields.get("countersigned_by"):
        same = leaf.fields["proposed_by"] == leaf.fields["countersigned_by"]
        return "NO: one person" if same else "proposed by one, countersigned by another"
    return "not stated"


def _release_file(home: Home, leaf: Leaf) -> str:
    period = str(leaf.fields.get("period", ""))
    path = home.public / "releases" / f"{period}.json"
    if not is_period(period) or not path.exists():
        return "missing"
    same = hashlib.sha256(path.read_bytes()).hexdigest() == leaf.fields.get("sha256")
    return "there, and the same" if same else "there, but ALTERED"


def _boards(leaves: list[Leaf]) -> list[list[str]]:
    rows = []
    boards = _of(leaves, "board")
    for name in sorted({str(leaf.fields.get("board")) for leaf in boards}):
        own = [leaf for leaf in boards if str(leaf.fields.get("board")) == name]
        epochs = [_number(leaf, "epoch") for leaf in own]
        cells = sum(_number(leaf, "cells") for leaf in own)
        rows.append([name, str(len(own)), str(min(epochs)), str(max(epochs)), str(cells)])
    return rows


def gaps(
    leaves: list[Leaf], span: Span, first_day: date, last_day: date, now: datetime, time_zone: str
) -> list[list[str]]:
    """What a reader of the log would miss: [what, where] in words."""
    zone, inside, gaps = ZoneInfo(time_zone), leaves[span.first : span.end], []
    dated = [leaf.at for leaf in leaves if leaf.at is not None]
    if not dated:
        return [["The log holds no dated entry", "the whole log"]]
    founded = dated[0].astimezone(zone).date()
    if first_day < founded:
        gaps.append(["The log begins inside the period", f"first entry on {founded}"])
    seen = {leaf.at.astimezone(zone).date() for leaf in inside if leaf.at is not None}
    last = min(last_day, now.astimezone(zone).date())
    gaps += _silent_days(max(first_day, founded), last, seen)
    gaps += _missing_epochs(inside)
    gaps += _missing_releases(leaves, founded, first_day, last)
    latest = None
    for leaf in inside:
        if leaf.kind == "unreadable":
            gaps.append(["An entry that is not in the promised form", f"entry {leaf.index}"])
        if leaf.at is not None and latest is not None and leaf.at < latest:
            gaps.append(["An entry dated before the one above it", f"entry {leaf.index}"])
        latest = leaf.at or latest
    return gaps


def _silent_days(first: date, last: date, seen: set[date]) -> list[list[str]]:
    """Days from `first` to `last` that are not in `seen`, consecutive ones together."""
    gaps: list[list[str]] = []
    day = first
    while day <= last:
        begin = day
        while day <= last and day not in seen:
            day += timedelta(days=1)
        length = (day - begin).days
        if length == 1:
            gaps.append(["A day without an entry", str(begin)])
        elif length > 1:
            gaps.append([f"{length} days without an entry", f"{begin} to {day - timedelta(days=1)}"])
        day += timedelta(days=1)
    return gaps


def _missing_epochs(leaves: list[Leaf]) -> list[list[str]]:
    gaps = []
    groups = {("heads", "heads of people's entries")} | {
        (str(leaf.fields.get("board")), f"board of {leaf.fields.get('board')}") for leaf in _of(leaves, "board")
    }
    for name, words in sorted(groups):
        epochs = {
            _number(leaf, "epoch")
            for leaf in leaves
            if (leaf.kind == "heads" and name == "heads") or (leaf.kind == "board" and leaf.fields.get("board") == name)
        }
        if epochs:
            missing = sorted(set(range(min(epochs), max(epochs) + 1)) - epochs)
            gaps += [[f"A missing epoch: {words}", f"epoch {epoch}"] for epoch in missing]
    return gaps


def _missing_releases(leaves: list[Leaf], founded: date, first_day: date, last: date) -> list[list[str]]:
    gaps = []
    digests: dict[str, set[str]] = {}
    for leaf in _of(leaves, "release"):
        digests.setdefault(str(leaf.fields.get("period")), set()).add(str(leaf.fields.get("sha256")))
    gaps += [["Two different releases of one month", period] for period, d in sorted(digests.items()) if len(d) > 1]
    # The month before the period's first day as well: its release may be overdue inside the period only.
    month = month_before(f"{first_day:%Y-%m}")
    while True:
        following = date.fromisoformat(f"{month_after(month)}-01")
        # Days, not hours: on the day on which it is due at the latest it may still be on its way. Each month is overdue
        # on one day, so of reports that follow each other one names it.
        overdue = following + LATEST_AFTER + timedelta(days=1)
        if overdue > last:
            return gaps
        if overdue >= first_day and following > founded and month not in digests:
            gaps.append(["A missing release", month])
        month = month_after(month)
