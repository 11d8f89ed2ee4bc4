"""Taking one parsed file: all of its rows in one transaction, together with everything that follows from them.

Owns: calls and their versions, involvement, critical incidents' notices, receipts, quarantine. A file is known by its
content; its row, its calls, its notices and its receipt commit together, and only then does it leave the drop folder.
So a kill at any point repeats a look, never an effect. Must never keep: a narrative, a sum about a person.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from appliance import clock
from appliance.errors import WardwellError
from appliance.intake import contributions
from appliance.intake.matching import Crew, Involved, Matched, joined
from appliance.intake.models import Call, Involvement, Outbox, RosterRow, TakenFile
from appliance.intake.parsing import parse_files
from appliance.intake.profiles import Profile, load_profile
from appliance.intake.records import CallVersion, ParsedFile
from appliance.model.exposure import load_model
from appliance.settings import Feed, Home
from appliance.spool import delivery
from appliance.spool.messages import Attended, FileReceipt, IncidentNotice, RefusedRow, RosterPerson
from appliance.storage import Store, open_store

# Files per parsing child: bounds what one child holds, and spares small XML files a process each.
BATCH = 200
_LISTED = 500


@dataclass
class Tally:
    """What one file amounted to."""

    calls: int = 0
    updates: int = 0
    repeats: int = 0
    involvements: int = 0


@dataclass
class Totals:
    """What a run of files amounted to, in files. `stuck`: dealt with, but they cannot be removed from the folder."""

    files: int = 0
    taken: int = 0
    seen_before: int = 0
    quarantined: int = 0
    stuck: int = 0
    refused: list[RefusedRow] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The numbers that people are shown."""
        return {name: getattr(self, name) for name in ("files", "taken", "seen_before", "quarantined")}


def crew_of(session: Session) -> Crew:
    """The current roster."""
    return Crew(
        RosterPerson(row.person_id, row.handle, row.name, row.call_sign, row.unit, row.division)
        for row in session.scalars(select(RosterRow))
    )


def take(session: Session, feed: str, profile: Profile, crew: Crew, parsed: ParsedFile) -> bool:
    """Take `parsed`, or note it as quarantined, in the caller's transaction. False: these bytes were dealt with before.

    Bytes that were refused once are taken when they can be read now: somebody corrected the profile.
    """
    taken = not parsed.unusable
    known = session.get(TakenFile, parsed.sha256)
    if known is not None and (known.taken or not taken):
        return False
    session.merge(TakenFile(sha256=parsed.sha256, feed=feed, name=parsed.name, at=clock.now(), taken=taken))
    tally, units, types = Tally(), Counter[str](), Counter[str]()
    for version in parsed.calls:
        matched = crew.match(version, profile)
        units.update(matched.unmatched)
        types.update(profile.unmapped(version))
        _take_call(session, feed, profile, version, matched, tally)
    receipt = FileReceipt(
        feed=feed,
        file=parsed.name,
        sha256=parsed.sha256,
        at=clock.now(),
        taken=taken,
        rows=parsed.rows,
        calls=tally.calls,
        updates=tally.updates,
        repeats=tally.repeats,
        involvements=tally.involvements,
        refused=parsed.refused[:_LISTED],
        unmapped_units=dict(units.most_common(_LISTED)),
        unmapped_types=dict(types.most_common(_LISTED)),
    )
    delivery.enqueue(session, Outbox, receipt, receiver="desk")
    if tally.calls or tally.updates:
        contributions.mark_cycle_due(session)
    return True


def _take_call(
    session: Session, feed: str, profile: Profile, version: CallVersion, matched: Matched, tally: Tally
) -> None:
    digest = hashlib.sha256(version.content()).hexdigest()
    call = session.scalar(select(Call).where(Call.feed == feed, Call.number == version.number))
    older = call is not None and version.stamp < call.stamp
    if call is not None and (call.digest == digest or (older and not version.adds)):
        # The same again, or an older view of the call that arrived late: nothing changes, nothing re-opens.
        tally.repeats += 1
        call.stamp = max(call.stamp, version.stamp)
        return
    kind = profile.kind(version)
    if call is not None and version.adds:
        known = session.scalars(select(Involvement).where(Involvement.call_id == call.id))
        matched.involved, fresh = joined([_involved(row) for row in known], matched.involved)
        if not fresh and (older or (kind, version.received) == (call.type, call.received)):
            tally.repeats += 1
            call.stamp = max(call.stamp, version.stamp)
            return
    if call is None:
        tally.calls += 1
        call = Call(feed=feed, number=version.number, revision=1, noticed=False)
        session.add(call)
        before: list[Involvement] = []
    else:
        tally.updates += 1
        call.revision += 1
        before = list(session.scalars(select(Involvement).where(Involvement.call_id == call.id)))
        for row in before:
            session.expunge(row)
        session.execute(delete(Involvement).where(Involvement.call_id == call.id))
    if not older:
        call.stamp, call.digest, call.received, call.type = version.stamp, digest, version.received, kind
    session.flush()
    now = [_involvement(call.id, involved) for involved in matched.involved]
    session.add_all(now)
    session.flush()
    tally.involvements += len(now)
    contributions.changed(session, call, before, now)
    _notice(session, feed, call, version, matched)


def _involved(row: Involvement) -> Involved:
    return Involved(row.person_id, row.unit, row.role, row.start, row.end)


def _involvement(call_id: int, involved: Involved) -> Involvement:
    return Involvement(
        call_id=call_id,
        person_id=involved.person_id,
        unit=involved.unit,
        role=involved.role,
        start=involved.start,
        end=involved.end,
    )


def _notice(session: Session, feed: str, call: Call, version: CallVersion, matched: Matched) -> None:
    """Tell desk of a critical incident, or of a change to one. Old exports that are loaded later open no follow-up."""
    model = load_model()
    kind = model.type(call.type)
    recent = clock.now() - call.received < timedelta(days=model.incident_notice_days)
    if not call.noticed and (kind is None or not kind.critical or not recent or version.canceled):
        return
    call.noticed = True
    attended = [involved for involved in matched.involved if involved.role != "assigned"]
    notice = IncidentNotice(
        reference=f"CI-{call.number}",
        revision=call.revision,
        kind=call.type,
        occurred=call.received,
        attended=[Attended(one.person_id, one.role, one.start, one.end) for one in attended],
        unmatched_units=matched.unmatched,
    )
    delivery.enqueue(session, Outbox, notice, receiver="desk")


def quarantine_folder(home: Home) -> Path:
    """Where originals that were refused wait for the CAD administrator, readable by intake alone."""
    folder = home.folder("intake") / "quarantine"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _leave_drop(home: Home, path: Path, parsed: ParsedFile) -> None:
    """The file has been dealt with: taken ones are destroyed, refused ones set aside unread."""
    if not parsed.unusable or path.is_symlink() or not path.is_file():
        # A link or a FIFO has no content of its own; the receipt says what it was.
        path.unlink(missing_ok=True)
        return
    target = quarantine_folder(home) / f"{parsed.sha256[:16]}-{parsed.name.replace('/', '_')}"
    shutil.move(path, target)
    target.chmod(0o600)


def _mark(path: Path) -> tuple[int, int, int]:
    """What changes when somebody writes to `path` or puts another file in its place."""
    try:
        state = path.lstat()
    except OSError:
        return (0, 0, 0)
    return (state.st_ino, state.st_size, state.st_mtime_ns)


def take_files(store: Store, feed: str, profile: Profile, paths: Sequence[Path], *, keep: bool = False) -> Totals:
    """Take `paths` in order; `keep` leaves them where they lie."""
    totals = Totals()
    for begin in range(0, len(paths), BATCH):
        batch = paths[begin : begin + BATCH]
        marks = [_mark(path) for path in batch]
        for path, mark, parsed in zip(batch, marks, parse_files(profile, batch), strict=True):
            if not parsed.sha256:
                # No content that could be read (a link, a FIFO): known as this entry of the folder.
                named = hashlib.sha256(f"entry\0{feed}\0{parsed.name}\0{mark}".encode()).hexdigest()
                parsed = msgspec.structs.replace(parsed, sha256=named)
            with store.write() as session:
                fresh = take(session, feed, profile, crew_of(session), parsed)
            delivery.flush(store, Outbox)
            totals.files += 1
            totals.quarantined += parsed.unusable
            totals.taken += fresh and not parsed.unusable
            totals.seen_before += not fresh and not parsed.unusable
            totals.refused += parsed.refused
            # Written to since it was read: it stays, and is read again as another file.
            if not keep and _mark(path) == mark:
                try:
                    _leave_drop(store.home, path, parsed)
                except OSError:
                    totals.stuck += 1
    return totals


def take_by_hand(home: Home, paths: Sequence[Path], profile: str | None) -> Totals:
    """`wardwell intake take`: take files that stay where they are. Raises WardwellError without feed or roster."""
    feeds = home.settings().feeds
    if profile is None and not feeds:
        raise WardwellError("No feed is set up, so no profile is known.", "Name one with --profile.")
    feed = Feed(name="by-hand", profile=profile) if profile is not None else feeds[0]
    match = next((known for known in feeds if known.profile == feed.profile), feed)
    store = open_store(home, "intake")
    try:
        with store.read() as session:
            if session.scalar(select(RosterRow.person_id).limit(1)) is None:
                raise WardwellError(
                    "No roster has arrived, so no unit can be matched to a person.",
                    "Publish one: `wardwell desk roster take FILE`; then take the files.",
                )
        return take_files(store, match.name, load_profile(match.profile), paths, keep=True)
    finally:
        store.close()
