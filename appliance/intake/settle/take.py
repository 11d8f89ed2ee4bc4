"""Taking files: all rows of one in one transaction, together with everything that follows from them.

Owns: files and what became of them: receipts, quarantine. A file is known by its content; its row, its calls
(`appliance.intake.settle.versions`), its notices and its receipt commit together, and only then does it leave the drop
folder. So a kill at any point repeats a look, never an effect. Must never keep: a narrative, a sum about a person.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from operator import attrgetter
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from appliance import clock
from appliance.errors import WardwellError
from appliance.intake.deliver import contributions
from appliance.intake.guess.types import nearest
from appliance.intake.models import Call, Outbox, RosterRow, TakenFile
from appliance.intake.profile.feed_profile import Profile, UnitLog, load_feed
from appliance.intake.read.parsing import ParserDied, Reading, parse_files
from appliance.intake.records import LISTED, NO_CODE, Ending
from appliance.intake.settle import crews
from appliance.intake.settle.settling import SETTLED
from appliance.intake.settle.shifts import Log
from appliance.intake.settle.source import Source, Tally
from appliance.intake.settle.versions import Versions
from appliance.settings import Feed, Home
from appliance.spool import delivery
from appliance.spool.messages import DRY_RUN, FileReceipt, RefusedRow, RosterPerson
from appliance.storage import Store, open_store, rows_among

# Files per parsing child, which spares small XML files a process each, and per turn of the watcher.
BATCH = 200
# Notices and receipts go out at least so often; together, since each group waits for the disk a few times.
_FLUSH_SECONDS = 1.0
_UNMATCHED, _UNMAPPED = attrgetter("unmatched"), attrgetter("unmapped")
_SEEN_BEFORE = "These bytes were taken before: dropped again, they change nothing."


@dataclass
class Totals:
    """What a run of files amounted to, in files. `stuck`: dealt with, but they cannot be removed from the folder."""

    files: int = 0
    taken: int = 0
    seen_before: int = 0
    quarantined: int = 0
    dry_runs: int = 0
    stuck: int = 0
    refused: list[RefusedRow] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The numbers that people are shown."""
        return {name: getattr(self, name) for name in ("files", "taken", "seen_before", "quarantined", "dry_runs")}


def people_of(store: Store) -> list[RosterPerson]:
    """The current roster."""
    roster = RosterRow
    query = select(roster.person_id, roster.handle, roster.name, roster.call_sign, roster.unit, roster.division)
    with store.read() as session:
        return [RosterPerson(*row) for row in session.execute(query)]


class _Unusable(Exception):
    """The file turned out to be one that is not taken: its rows are rolled back."""


def take(session: Session, source: Source, reading: Reading, sha256: str) -> FileReceipt | None:
    """Take `reading` of a feed, in the caller's transaction. None: these bytes were taken before.

    Raises ParserDied and `_Unusable` when nothing of it may be kept; the caller rolls back.
    """
    known = session.get(TakenFile, sha256)
    if known is not None and known.taken:
        reading.finish()
        return None
    versions, units, types = Versions(session, source), Counter[str](), Counter[str]()
    for calls in reading.batches():
        batch = versions.manned(calls)
        units.update(chain.from_iterable(map(_UNMATCHED, batch)))
        types.update(chain.from_iterable(map(_UNMAPPED, batch)))
        versions.take(batch)
    ending = reading.finish()
    if ending.unusable:
        raise _Unusable
    _taken(session, source, reading, sha256)
    if versions.tally.calls or versions.tally.updates:
        contributions.mark_cycle_due(session)
    return _receipt(source.feed, reading, sha256, ending, versions.tally, units, types)


def take_log(session: Session, source: Source, reading: Reading, sha256: str) -> FileReceipt | None:
    """Take `reading` as a unit log, as `take` does, and match the calls of its time anew."""
    known = session.get(TakenFile, sha256)
    if known is not None and known.taken:
        reading.finish()
        return None
    crews.keep(session)
    log = Log(session)
    for batch in reading.shifts():
        log.add(batch)
    ending = reading.finish()
    if ending.unusable:
        raise _Unusable
    log.correct()
    revised, feeds = 0, dict[str, Versions]()
    for ids in log.calls():
        for (feed,) in set(rows_among(session, select(Call.feed), None, Call.id.expression, ids)):
            if feed not in feeds:
                feeds[feed] = Versions(session, Source(feed, source.zone, source.settled))
            revised += feeds[feed].revise(ids)
    notes = [
        f"{log.rows} shifts read, {log.known} of them known before.",
        f"{log.replaced} shifts of earlier logs are replaced.",
        f"{revised} calls taken before were matched to other people.",
    ]
    if log.strangers:
        notes.append(f"{log.strangers} shifts are of nobody on the roster.")
    ending = msgspec.structs.replace(ending, chosen=[*ending.chosen, *notes])
    _taken(session, source, reading, sha256)
    if revised:
        contributions.mark_cycle_due(session)
    return _receipt(source.feed, reading, sha256, ending)


def _taken(session: Session, source: Source, reading: Reading, sha256: str) -> None:
    # Not by its key alone: bytes that were refused once are taken when the profile was corrected.
    session.merge(TakenFile(sha256=sha256, feed=source.feed, name=reading.name, at=clock.now(), taken=True))


def refuse(session: Session, receipt: FileReceipt) -> None:
    """Note a file as kept aside, in the caller's transaction; once is enough."""
    if session.get(TakenFile, receipt.sha256) is None:
        session.add(TakenFile(sha256=receipt.sha256, feed=receipt.feed, name=receipt.file, at=receipt.at, taken=False))
        _send(session, receipt)


def _send(session: Session, receipt: FileReceipt) -> None:
    delivery.enqueue(session, Outbox, receipt, receiver="desk")


def _receipt(
    feed: str,
    reading: Reading,
    sha256: str,
    ending: Ending,
    tally: Tally | None = None,
    units: Counter[str] | None = None,
    types: Counter[str] | None = None,
) -> FileReceipt:
    tally, listed = tally or Tally(), dict((types or Counter()).most_common(LISTED))
    return FileReceipt(
        feed=feed,
        file=reading.name,
        sha256=sha256,
        at=clock.now(),
        taken=not ending.unusable,
        rows=ending.rows,
        calls=tally.calls,
        updates=tally.updates,
        repeats=tally.repeats,
        involvements=tally.involvements,
        refused=ending.refused,
        unmapped_units=dict((units or Counter()).most_common(LISTED)),
        unmapped_types=listed,
        refused_rows=ending.refused_rows,
        flagged_times=ending.flagged_times,
        chosen=ending.chosen,
        nearest_types={code: _nearest(code) for code in listed if code not in ("", NO_CODE)},
    )


_nearest = functools.cache(nearest)


def quarantine_folder(home: Home) -> Path:
    """Where originals that were refused wait for the CAD administrator, readable by intake alone."""
    folder = home.folder("intake") / "quarantine"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _leave_drop(home: Home, reading: Reading, unusable: bool) -> None:
    """The file has been dealt with: taken ones are destroyed, refused ones set aside unread."""
    path = reading.path
    if not unusable or path.is_symlink() or not path.is_file():
        # A link or a FIFO has no content of its own; the receipt says what it was.
        path.unlink(missing_ok=True)
        return
    target = quarantine_folder(home) / f"{_known_as(reading)[:16]}-{reading.name.replace('/', '_')}"
    shutil.move(path, target)
    target.chmod(0o600)


def _mark(path: Path) -> tuple[int, int, int]:
    """What changes when somebody writes to `path` or puts another file in its place."""
    try:
        state = path.lstat()
    except OSError:
        return (0, 0, 0)
    return (state.st_ino, state.st_size, state.st_mtime_ns)


def _known_as(reading: Reading) -> str:
    """The digest of its content; of its entry in the folder when it has no content that could be read."""
    if reading.sha256:
        return reading.sha256
    return hashlib.sha256(f"entry\0{reading.name}\0{_mark(reading.path)}".encode()).hexdigest()


def take_files(
    store: Store, feed: str, profile: Profile | UnitLog, paths: Sequence[Path], *, keep: bool = False
) -> Totals:
    """Take `paths` in order; `keep` leaves them where they lie."""
    totals = Totals()
    people = people_of(store)
    zone = ZoneInfo(store.home.settings().time_zone)
    log = isinstance(profile, UnitLog)
    source = Source(feed, zone, SETTLED if isinstance(profile, UnitLog) else timedelta(hours=profile.settle_hours))
    with store.read() as session:
        crewed_later = crews.kept(session)
    flushed = time.monotonic()
    for begin in range(0, len(paths), BATCH):
        batch = paths[begin : begin + BATCH]
        marks = {path: _mark(path) for path in batch}
        for reading in parse_files(profile, people, batch, crewed_later=crewed_later):
            with contextlib.suppress(ParserDied):
                file = _File(reading, take_log if log else take, None if keep else marks[reading.path])
                _take_one(store, source, file, totals)
            if time.monotonic() - flushed >= _FLUSH_SECONDS:
                delivery.flush(store, Outbox)
                flushed = time.monotonic()
    delivery.flush(store, Outbox)
    return totals


@contextlib.contextmanager
def _seldom_collected() -> Iterator[None]:
    """A file's rows hold no cycles; looking for them after every 700 objects would cost a tenth of its time."""
    usual = gc.get_threshold()
    gc.set_threshold(100_000, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@dataclass(frozen=True)
class _File:
    """One file, what takes it, and its mark when it was opened; None: it stays where it is."""

    reading: Reading
    take: Callable[[Session, Source, Reading, str], FileReceipt | None]
    mark: tuple[int, int, int] | None


def _take_one(store: Store, source: Source, file: _File, totals: Totals) -> None:
    """Take one file, or keep it aside. It leaves the folder if its `mark` is still the same. Raises ParserDied."""
    reading, mark = file.reading, file.mark
    totals.files += 1
    kept_aside = False
    if reading.name.endswith(DRY_RUN):
        _rehearse(store, source, file)
        totals.dry_runs += 1
    else:
        receipt = _take(store, source, file)
        kept_aside = receipt is not None and not receipt.taken
        totals.quarantined += kept_aside
        totals.taken += receipt is not None and receipt.taken
        totals.seen_before += receipt is None
    totals.refused += reading.finish().refused
    # Written to since it was read: it stays, and is read again as another file.
    if mark is not None and _mark(reading.path) == mark:
        try:
            _leave_drop(store.home, reading, kept_aside)
        except OSError:
            totals.stuck += 1


def _take(store: Store, source: Source, file: _File) -> FileReceipt | None:
    """Take one file for good; its receipt, None for bytes that were taken before."""
    sha256 = _known_as(file.reading)
    try:
        with _seldom_collected(), store.write() as session:
            receipt = file.take(session, source, file.reading, sha256)
            if receipt is not None:
                _send(session, receipt)
            return receipt
    except _Unusable:
        receipt = _receipt(source.feed, file.reading, sha256, file.reading.finish())
        with store.write() as session:
            refuse(session, receipt)
        return receipt


def _rehearse(store: Store, source: Source, file: _File) -> None:
    """Take one file, undo it, and send what its receipt would be. It is not kept aside: who dropped it has it."""
    sha256 = _known_as(file.reading)
    try:
        with _seldom_collected(), store.write() as session:
            receipt = file.take(session, source, file.reading, sha256)
            session.rollback()
    except _Unusable:
        receipt = None
    if receipt is None:
        ending = file.reading.finish()
        notes = ending.chosen if ending.unusable else [*ending.chosen, _SEEN_BEFORE]
        receipt = _receipt(source.feed, file.reading, sha256, msgspec.structs.replace(ending, chosen=notes))
    with store.write() as session:
        _send(session, msgspec.structs.replace(receipt, dry_run=True))


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
        return take_files(store, match.name, load_feed(match.profile), paths, keep=True)
    finally:
        store.close()
