"""The watcher on the drop folders: a scan every few seconds is the truth, the file system's hints only hasten it.

Owns: the loop of `wardwell intake serve`, and deciding when a dropped file is complete. Must never see: a row.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from appliance import clock, disk, logs
from appliance.charter import load_charter
from appliance.intake.deliver import contributions, counts
from appliance.intake.models import Call, MailboxKey, Outbox, RosterRow, SeenMessage, TakenFile
from appliance.intake.profile.feed_profile import Profile, UnitLog, load_feed
from appliance.intake.read.parsing import path_problem
from appliance.intake.settle import crews, expiry, settling
from appliance.intake.settle.take import BATCH, quarantine_folder, take_files
from appliance.runtime.turns import HEALTH_SECONDS, Control, Duty, Turns
from appliance.settings import MAINTENANCE, Feed, Home
from appliance.spool import delivery
from appliance.spool.messages import (
    Health,
    HistoryReleased,
    LegalHold,
    MailboxKeyPublished,
    MailboxKeyWithdrawn,
    Message,
    RosterPublished,
)
from appliance.storage import Store, open_store

POLL_SECONDS = 0.5
COUNTS_SECONDS = 60.0
# A file that keeps its size and time for this long, seen twice, is complete, if nobody has it open for writing. Where
# the kernel does not say (the file is another user's), it must keep still for longer.
SETTLED_SECONDS = 1.0
STILL_SECONDS = 5.0
CLOCK_TOLERANCE_SECONDS = 3600.0
# While the clock is in doubt a day of calls goes each hour, which leaves time to notice. A choice; no source.
DOUBTFUL_SECONDS = 3600.0
# What exporters call a file while they write it; `.filepart` is WinSCP's.
TEMPORARY = (".part", ".filepart")

_log = structlog.get_logger("intake")


def settled_after(path: Path) -> float | None:
    """How long `path` must keep still to be complete, in seconds; None: somebody is writing to it now.

    A read lease is granted only on a file that nobody has open for writing (fcntl(2), F_SETLEASE).
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return STILL_SECONDS
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return None if error.errno == errno.EAGAIN else STILL_SECONDS
    finally:
        os.close(descriptor)
    return SETTLED_SECONDS


class Drop:
    """One feed's folder and what was last seen in it."""

    def __init__(self, home: Home, feed: Feed) -> None:
        self.feed, self.folder = feed, home.drop(feed.name)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.profile: Profile | UnitLog = load_feed(feed.profile)
        self._seen: dict[str, tuple[int, int, float]] = {}
        self._last = ""

    def batch(self) -> list[Path]:
        """The next of the complete files, `BATCH` at most: other feeds, messages and health wait for no ten thousand.

        The names after the last batch's come first, so that files which nobody can remove hold up none.
        """
        ready = self.complete()
        chosen = ([path for path in ready if path.name > self._last] or ready)[:BATCH]
        self._last = chosen[-1].name if chosen else ""
        return chosen

    def complete(self) -> list[Path]:
        """Files that may be taken now, in name order. `TEMPORARY` ones wait for their renaming, growing ones settle."""
        ready, present = [], {}
        for path in sorted(self.folder.iterdir()):
            if path.name.endswith(TEMPORARY) or (path.is_dir() and not path.is_symlink()):
                continue
            if path_problem(path):
                ready.append(path)
                continue
            state = path.lstat()
            known = self._seen.get(path.name)
            same = known is not None and known[:2] == (state.st_size, state.st_mtime_ns)
            since = known[2] if known is not None and same else time.monotonic()
            present[path.name] = (state.st_size, state.st_mtime_ns, since)
            still = settled_after(path)
            if same and still is not None and time.monotonic() - since >= still:
                ready.append(path)
        self._seen = present
        return ready

    @property
    def waiting(self) -> bool:
        """Whether the last look found files: some had not settled, or they were being taken."""
        return bool(self._seen)


class _Hint(FileSystemEventHandler):
    def __init__(self, wake: threading.Event) -> None:
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        # Opening and closing are our own looks; only a change is news.
        if event.event_type in ("created", "modified", "moved"):
            self._wake.set()


def _accept_roster(session: Session, message: RosterPublished) -> None:
    newest = session.scalar(select(func.max(RosterRow.roster_version))) or 0
    if message.roster_version < newest:
        return
    session.execute(delete(RosterRow))
    session.add_all(
        RosterRow(
            person_id=person.person_id,
            handle=person.handle,
            name=person.name,
            call_sign=person.call_sign,
            unit=person.unit,
            division=person.division,
            roster_version=message.roster_version,
        )
        for person in message.people
    )


HANDLERS: Mapping[type[Message], delivery.Handler] = {
    RosterPublished: _accept_roster,
    MailboxKeyPublished: contributions.accept_key,
    MailboxKeyWithdrawn: contributions.withdraw_key,
    HistoryReleased: contributions.release_history,
    LegalHold: expiry.take_hold,
}


def _health(
    store: Store, drops: list[Drop], refused_keys: int, stuck: int, *, full: bool = False, clock_set: bool = False
) -> Health:
    with store.read() as session:
        last = session.scalar(select(func.max(TakenFile.at)).where(TakenFile.taken))
        roster = session.scalar(select(func.count()).select_from(RosterRow)) or 0
        newest = session.scalar(select(func.max(Call.received)))
        keys_waiting = session.scalar(
            select(func.count()).select_from(MailboxKey).where(MailboxKey.witnessed.is_(False))
        )
    quarantined = sum(1 for _ in quarantine_folder(store.home).iterdir())
    facts = {
        "feeds": str(len(drops)),
        "last file taken": last.isoformat(timespec="seconds") if last else "none yet",
        "files in quarantine": str(quarantined),
        "people on the roster": str(roster),
        # Whether there is any, not how many: a number would tell who enrolled when.
        "keys waiting for the witness": "some" if keys_waiting else "none",
    }
    fix = ""
    if refused_keys:
        fix = "A mailbox key is not the one in the access log, or not its owner's: tell the officers' trustee."
    elif clock_set:
        fix = (
            "The clock was set while this ran, so nothing is forgotten, settled or counted. Set it right, then restart."
        )
    elif full:
        fix = f"The disk is nearly full, so exports wait in their folders. {disk.FIX}"
    elif stuck:
        fix = "Files cannot be removed from a drop folder: let the intake's user write there."
    elif newest is not None and clock.now() - newest > expiry.SILENCE:
        days = expiry.SILENCE.days
        fix = f"No call of the last {days} days has come: the exports stopped, or this machine's clock is ahead."
    elif not roster:
        fix = "Publish a roster: `wardwell desk roster take FILE`."
    elif quarantined:
        fix = "Look at the receipts of refused files and correct the export or its profile."
    return Health(compartment="intake", at=clock.now(), ok=not fix, facts=facts, fix=fix)


class Watcher:
    """Everything that one turn of the loop does; `turn` may be called by hand in tests."""

    def __init__(self, home: Home) -> None:
        settings = home.settings()
        self.home, self.charter = home, load_charter(home)
        self.zone = ZoneInfo(settings.time_zone)
        self.scan_seconds = settings.scan_seconds
        self.store = open_store(home, "intake")
        self.drops = [Drop(home, feed) for feed in settings.feeds]
        if any(isinstance(drop.profile, UnitLog) for drop in self.drops):
            with self.store.write() as session:
                crews.keep(session)
        self.refused_keys = 0
        self.stuck: dict[str, int] = {}
        self._roster = False
        self.full = False
        self._clock_offset = clock.offset()
        self._next_doubtful = time.monotonic() + DOUBTFUL_SECONDS

    @property
    def clock_set(self) -> bool:
        """Whether the clock was set by more than an hour since this started.

        What is forgotten by a wrong clock is gone for good; a start comes after the comparison with the agency's clock.
        """
        return abs(clock.offset() - self._clock_offset) > CLOCK_TOLERANCE_SECONDS

    def turn(self, *, scan: bool) -> bool:
        """One turn: messages, drop folders when `scan`, keys, deliveries, counts. Whether a file still settles."""
        delivery.receive(self.store, SeenMessage, HANDLERS, ("desk",))
        # The folder of the compartment: in its sandbox the one above is another file system.
        self.full = disk.room(self.home.folder("intake")).low
        # In maintenance files wait: a version that is being tried may not take what the one before would miss.
        if scan and self._has_roster() and not self.full and not MAINTENANCE.exists():
            for drop in self.drops:
                ready = drop.batch()
                self.stuck[drop.feed.name] = 0
                if ready:
                    totals = take_files(self.store, drop.feed.name, drop.profile, ready)
                    self.stuck[drop.feed.name] = totals.stuck
                    _log.info("files taken", feed=drop.feed.name, **totals.counts())
        self.refused_keys = contributions.admit_keys(self.store, self.charter)[1]
        contributions.run_cycle(self.store, self.charter, self.zone)
        delivery.flush(self.store, Outbox)
        return any(drop.waiting for drop in self.drops)

    def _has_roster(self) -> bool:
        # Without a roster every unit would be unmatched for good; files wait, nothing is lost.
        if not self._roster:
            with self.store.read() as session:
                self._roster = session.scalar(select(RosterRow.person_id).limit(1)) is not None
        return self._roster

    def send_counts(self) -> None:
        """The months that are due, once no file waits to be read; and what has run out. Nothing by a clock that jumped.

        A month is counted once, so also none while files wait unseen: on a full disk, and in maintenance.
        """
        if self.clock_set:
            return
        if not (self.full or MAINTENANCE.exists() or any(drop.waiting for drop in self.drops)):
            counts.send_due(self.store, self.charter, self.zone)
            delivery.flush(self.store, Outbox)
        hours = {d.feed.name: d.profile.settle_hours for d in self.drops if isinstance(d.profile, Profile)}
        settling.settle(self.store, {feed: timedelta(hours=settled) for feed, settled in hours.items()})
        slowly = time.monotonic() >= self._next_doubtful
        expiry.expire(self.store, self.charter, doubtful_too=slowly)
        if slowly:
            self._next_doubtful = time.monotonic() + DOUBTFUL_SECONDS
        # What was forgotten must not live on in the write-ahead log either.
        self.store.scrub()

    def report(self) -> None:
        """Send health."""
        delivery.send(
            self.home,
            "intake",
            "desk",
            _health(
                self.store,
                self.drops,
                self.refused_keys,
                sum(self.stuck.values()),
                full=self.full,
                clock_set=self.clock_set,
            ),
        )


def serve(home: Home, control: Control) -> None:
    """Run until `control` says stop. A turn that fails is tried again."""
    hint = threading.Event()
    logs.configure(home)
    watcher = Watcher(home)
    observer = Observer()
    for drop in watcher.drops:
        observer.schedule(_Hint(hint), str(drop.folder))
    observer.start()
    rescan = Duty(hint.set)

    def turn() -> None:
        scan, moment = hint.is_set(), time.monotonic()
        hint.clear()
        if scan:
            rescan.hasten()  # in case this turn fails
        settling = watcher.turn(scan=scan)
        if scan:
            rescan.last, rescan.seconds = moment, SETTLED_SECONDS if settling else watcher.scan_seconds

    try:
        Turns(control, _log, pause=POLL_SECONDS).run(
            rescan, Duty(turn), Duty(watcher.report, HEALTH_SECONDS), Duty(watcher.send_counts, COUNTS_SECONDS)
        )
    finally:
        observer.stop()
        observer.join()
        watcher.store.close()
