"""What the intake costs beside the least that any program would need: a million rows, and a department's daily drop.

Owns: generated exports in scratch homes. Must never see: a real feed.
The floor reads the same file with `csv.reader` and writes one row per person and call by `executemany` into the same
kind of SQLCipher database, with the same primary key and index; it computes no time, refuses nothing and knows no
versions. The history of ten years is thinned (`DENSITY`); the daily drop and one officer's history are of full size.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Index, delete, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from appliance import clock
from appliance.charter import load_charter
from appliance.intake.deliver import contributions
from appliance.intake.models import Call, Involvement, MailboxKey, Outbox, month_of
from appliance.intake.profile.feed_profile import load_profile
from appliance.intake.settle.take import take_files
from appliance.spool import delivery
from appliance.storage import Store, insert_rows
from tests.demonstration.bench._intake_feed import founded, sign, write_export

ROWS, FILES = 1_000_000, 10_000
TURNS = 3
PEOPLE = 2_000
OFFICERS, ENROLLED = 36_000, 7_200
DAILY_CALLS, EXPORTS, PER_CALL = 20_000, 5, 3
# One officer's share of ten years at the full density: 73 million calls, 219 million involvements.
CAREER = 6_000
DENSITY = 50
_GROUP = 20_000
_NAME = "cad_export_20261014_233100.csv"
_DAY = 86_400
_TODAY = datetime(2026, 10, 14, tzinfo=UTC)
_CONTROL = "both must store the same involvements, or the measurement fails"
ZONE = ZoneInfo("America/Los_Angeles")


class _Base(DeclarativeBase):
    pass


class _Plain(_Base):
    """The floor's table: as `Involvement`, without the calls that it refers to."""

    __tablename__ = "plain"
    __table_args__ = (Index("ix_plain", "month", "person_id"), {"sqlite_with_rowid": False})
    call_id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[int]
    unit: Mapped[str]
    role: Mapped[str]
    start: Mapped[int]
    end: Mapped[int]


def floor(root: Path, export: Path) -> tuple[float, float, int]:
    """The least that has to be done: seconds, those of its own processor time, and how many rows it stored."""
    people = {sign(number): f"E{number:05d}" for number in range(PEOPLE)}
    with founded(root, PEOPLE) as store:
        _Base.metadata.create_all(store.writer)
        began, processor = time.perf_counter(), time.process_time()
        with store.write() as session, export.open(newline="") as file:
            reader = csv.reader(file)
            next(reader)
            rows: list[tuple[Any, ...]] = []
            for number, cells in enumerate(reader):
                units = dict.fromkeys(cells[12].split(","))
                rows += [(number, people[unit], number // 80_000, unit, "responding", number, number) for unit in units]
                if len(rows) >= _GROUP:
                    insert_rows(session, _Plain, rows)
                    rows = []
            insert_rows(session, _Plain, rows)
        took, processor = time.perf_counter() - began, time.process_time() - processor
        with store.read() as session:
            return took, processor, session.scalar(select(func.count()).select_from(_Plain)) or 0


def full(root: Path, export: Path) -> tuple[float, float, int]:
    """The intake, as `floor`. A fifth is enrolled; nothing is sealed yet."""
    with founded(root, PEOPLE, PEOPLE // 5) as store:
        began, processor = time.perf_counter(), time.process_time()
        take_files(store, "cad", load_profile("san-luis-obispo"), [export], keep=True)
        took, processor = time.perf_counter() - began, time.process_time() - processor
        with store.read() as session:
            return took, processor, session.scalar(select(func.count()).select_from(Involvement)) or 0


def _apart(what: str, root: Path, export: Path) -> dict[str, float]:
    """Run `what` in a process of its own: seconds, processor time and peak MiB of it and of its child, rows stored."""
    command = [sys.executable, "-m", "tests.demonstration.bench.intake", what, str(root), str(export)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    found: dict[str, float] = json.loads(said)
    return found


def _million() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        export = folder / _NAME
        write_export(export, ROWS, PEOPLE, first=_TODAY - timedelta(days=365), days=365)
        plain, whole = _in_turn(folder, export)
        peers = _peers(folder, export)
    against = f"csv.reader and executemany, {ROWS} rows: {plain['seconds']:.1f} s; load {os.getloadavg()[0]:.1f}"
    yield _row("million_rows.seconds", round(whole["seconds"], 1), "s", against, _CONTROL)
    yield _row("million_rows.ratio", round(whole["seconds"] / plain["seconds"], 2), "x", against, _CONTROL)
    busiest = max(whole["own"], whole["child"])
    processor = (
        f"processor time: the floor {plain['own']:.1f} s, parent {whole['own']:.1f} s, child {whole['child']:.1f} s"
    )
    yield _row("million_rows.processor_ratio", round((whole["own"] + whole["child"]) / plain["own"], 2), "x", processor)
    # What the ratio by the clock would be if both processes had a processor each, all the time.
    yield _row("million_rows.busiest_ratio", round(busiest / plain["own"], 2), "x", processor)
    yield _row("million_rows.peak_mib", round(whole["mib"] + whole["child_mib"]), "MiB", "both processes")
    for name, seconds in peers.items():
        yield _row(f"million_rows.{name}", round(seconds, 1), "s", "a peer that does less, for orientation")


def _in_turn(folder: Path, export: Path) -> tuple[dict[str, float], dict[str, float]]:
    """The medians of `_apart` for the floor and for the intake, which take turns: a machine is not always as fast."""
    found: dict[str, list[dict[str, float]]] = {"floor": [], "full": []}
    for turn in range(TURNS):
        for what, ran in found.items():
            ran.append(_apart(what, folder / f"{what}-{turn}", export))
            shutil.rmtree(folder / f"{what}-{turn}")
    plain, whole = ({name: median(one[name] for one in ran) for name in ran[0]} for ran in found.values())
    if plain["rows"] != whole["rows"]:
        raise RuntimeError("the two stored different involvements")
    return plain, whole


def _peers(folder: Path, export: Path) -> dict[str, float]:
    """Seconds of other tools that load the same file, of those that are installed."""
    commands = {
        "sqlite_utils_seconds": ["sqlite-utils", "insert", str(folder / "peer.db"), "calls", str(export), "--csv"],
        "duckdb_seconds": [
            sys.executable,
            "-c",
            "import sys, duckdb; duckdb.connect(sys.argv[1]).execute("
            '"CREATE TABLE calls AS SELECT * FROM read_csv(?, all_varchar=true)", [sys.argv[2]])',
            str(folder / "peer.duckdb"),
            str(export),
        ],
    }
    found = {}
    tools = Path(sys.executable).parent
    for name, command in commands.items():
        began = time.perf_counter()
        program = str(tools / command[0]) if "/" not in command[0] else command[0]
        try:
            done = subprocess.run([program, *command[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except OSError:
            continue
        if done.returncode == 0:
            found[name] = time.perf_counter() - began
    return found


def _history(store: Store, first_day: int, days: int) -> None:
    """`days` of calls before `first_day` days ago, by the bulk path."""
    with store.read() as session:
        number = session.scalar(select(func.max(Call.id))) or 0
    daily = DAILY_CALLS // DENSITY
    career = max(1, 3650 * daily // CAREER)
    for day in range(first_day, first_day + days):
        begin = int(_TODAY.timestamp()) - (day + 1) * _DAY
        calls, people = [], []
        for place in range(daily):
            number += 1
            received = begin + place * _DAY // daily
            kind = "collision-injury" if place % 20 == 0 else "ordinary"
            calls.append((number, "cad", f"H{number}", "1", b"", 1, received, kind, False, False, ""))
            who = {(number * 7919 + part * 104_729) % OFFICERS for part in range(PER_CALL)}
            who |= {0} if number % career == 0 else set()
            month = month_of(received)
            people += [
                (number, f"E{one:05d}", month, sign(one), "responding", received + 300, received + 3600)
                for one in sorted(who)
            ]
        with store.write() as session:
            insert_rows(session, Call, calls)
            insert_rows(session, Involvement, people)


def _drop(folder: Path, store: Store, year: int) -> tuple[float, float, float, float]:
    """Seconds of a day's five exports: taking, sealing for the enrolled fifth, their processor time, and spooling."""
    files = []
    for export in range(EXPORTS):
        path = folder / f"cad_export_20261015_{export:02d}3100.csv"
        # The same calls each time; with every export more of them are over.
        write_export(
            path, DAILY_CALLS, OFFICERS, first=_TODAY, days=1, crew=PER_CALL, seed=year, cleared=export / (EXPORTS - 1)
        )
        files.append(path)
    began, processor = time.perf_counter(), sum(os.times()[:4])
    totals = take_files(store, "cad", load_profile("san-luis-obispo"), files, keep=True)
    taken = time.perf_counter()
    if totals.taken != EXPORTS:
        raise RuntimeError("a drop was not taken")
    contributions.run_cycle(store, load_charter(), ZONE)
    sealed, processor = time.perf_counter(), sum(os.times()[:4]) - processor
    delivery.flush(store, Outbox)
    return taken - began, sealed - taken, processor, time.perf_counter() - sealed


def _purge(store: Store) -> tuple[float, int]:
    """Seconds of forgetting the day of the drops, the only one of full density, and how many calls it had."""
    of_day = Call.received >= _TODAY
    with store.read() as session:
        calls = session.scalar(select(func.count()).select_from(Call).where(of_day)) or 0
    began = time.perf_counter()
    with store.write() as session:
        session.execute(delete(Call).where(of_day))
    return time.perf_counter() - began, calls


def _enrol(store: Store) -> tuple[float, int]:
    """Seconds of sealing the first officer's history, and of how many calls."""
    began = time.perf_counter()
    with store.write() as session:
        key = session.scalars(select(MailboxKey).where(MailboxKey.person_id == "E00000")).one()
        contributions._queue_history(session, key, ZONE)
        session.flush()
        contributions._deliver(session, [key], "history", 1, load_charter().constants.history_bytes)
    took = time.perf_counter() - began
    with store.read() as session:
        held = select(func.count()).select_from(Involvement).where(Involvement.person_id == "E00000")
        return took, session.scalar(held) or 0


def _daily() -> Iterator[dict[str, Any]]:
    taken: dict[int, tuple[float, float, float, float]] = {}
    with (
        tempfile.TemporaryDirectory() as scratch,
        founded(Path(scratch) / "home", OFFICERS, ENROLLED) as store,
        clock.held(_TODAY + timedelta(days=1, hours=8)),
    ):
        held = 0
        for year in (1, 3, 10):
            _history(store, held, year * 365 - held)
            held = year * 365
            store.scrub()
            taken[year] = _drop(Path(scratch), store, year)
        enrol, calls = _enrol(store)
        purge, forgotten = _purge(store)
        size = store.path.stat().st_size / 1e9
    load = os.getloadavg()[0]
    note = f"1/{DENSITY} of ten years' 73 million calls ({size:.2f} GB), daily drop of full size; load {load:.1f}"
    for year, (take, seal, processor, spool) in taken.items():
        parts = (
            f"taking {take:.1f} s, sealing {seal:.1f} s; processor time {processor:.1f} s; then spooling {spool:.1f} s"
        )
        yield _row(f"daily_36k.seconds_{year}y", round(take + seal, 1), "s", parts)
    yield _row("daily_36k.seconds", round(sum(taken[10][:2]), 1), "s", note)
    growth = sum(taken[10][:2]) / sum(taken[1][:2])
    yield _row(
        "daily_36k.growth_10y", round(growth, 2), "x", f"processor time {taken[10][2] / taken[1][2]:.2f}; {note}"
    )
    yield _row("purge_day.seconds", round(purge, 2), "s", f"{forgotten} calls, {PER_CALL} people each; {note}")
    yield _row("enrolment.seconds", round(enrol, 2), "s", f"one officer with {calls} calls; {note}")


def _many_files() -> Iterator[dict[str, Any]]:
    """Files of one call each, as New World writes them, all there at once: each is a transaction and has a receipt."""
    with tempfile.TemporaryDirectory() as scratch, founded(Path(scratch) / "home", PEOPLE, PEOPLE // 5) as store:
        export = Path(scratch) / _NAME
        write_export(export, FILES, PEOPLE, first=_TODAY - timedelta(days=30), days=30)
        header, *rows = export.read_bytes().splitlines(keepends=True)
        paths = [Path(scratch) / f"cad_export_20261014_{number:06d}.csv" for number in range(len(rows))]
        for path, row in zip(paths, rows, strict=True):
            path.write_bytes(header + row)
        began, processor = time.perf_counter(), sum(os.times()[:4])
        totals = take_files(store, "cad", load_profile("san-luis-obispo"), paths)
        took, processor = time.perf_counter() - began, sum(os.times()[:4]) - processor
        if (totals.taken, totals.stuck) != (FILES, 0):
            raise RuntimeError("not every file was taken")
    yield _row("many_files.seconds", round(took, 1), "s", f"{FILES} files; processor time {processor:.1f} s")


def _row(name: str, value: float, unit: str, against: str, control: str = "") -> dict[str, Any]:
    return {"name": f"intake.{name}", "value": value, "unit": unit, "against": against, "control": control}


def run() -> Iterator[dict[str, Any]]:
    """`intake.million_rows.*`, ten thousand files, then the daily drop, the purge, an enrolment with ten years held."""
    yield from _million()
    yield from _many_files()
    yield from _daily()


def _main() -> None:
    work = {"floor": floor, "full": full}[sys.argv[1]]
    took, processor, rows = work(Path(sys.argv[2]), Path(sys.argv[3]))
    own, child = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    result = {
        "seconds": took,
        "own": processor,
        "child": child.ru_utime + child.ru_stime,
        "mib": own.ru_maxrss / 1024,
        "child_mib": child.ru_maxrss / 1024,
        "rows": rows,
    }
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    _main()
