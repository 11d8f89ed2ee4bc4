"""The attack on contact: root reads everything that the appliance stores and tries to tell who writes to supporters.

Owns: weeks of visits by a division of officers, some of whom write; boards closed by the code that the appliance runs;
and an attacker who has desk's session times, the drawn tickets, and every board. Must never see: an agency's own data.

For each officer the attacker asks: on the days when this one visited, were there more cells on the boards than the
number of visits explains, and more replies some days later? Both are correlations with what is left of the boards'
sizes after a least-squares fit on the number of visits; the score is their sum. Repeated cells, which would tie two
visits together, are looked for as well. AUC is the chance that a writer scores above somebody who does not write: 0.5
is guessing. The control is the same attacker on a post where only real messages become cells.

`post.contact.auc` holds when visits do not depend on contact. `post.contact.auc_high` is what is admitted: writers who
come half as often again while they are in contact, and an attacker who only counts visits.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from appliance import clock
from appliance.charter import load_charter
from appliance.charter.schema import SHIPPED
from appliance.kit import cells
from appliance.post import boards, epochs
from appliance.post.memory import Memory
from appliance.settings import Home
from appliance.spool.messages import Append, Appended
from appliance.storage import Store, open_store
from appliance.storage.migrate import metadata_of

OFFICERS = 40
WRITERS = 14
SUPPORTERS = 3
DAYS = 42
TOWNS = 6
SEED = 20261123
# A writer sends a message on about every third visit, and gets an answer to most of them, one to three days later.
WRITES, ANSWERS = 0.35, 0.8
MISSED_LOCK = 0.15
MORE_OFTEN = 1.5


@dataclass
class Traces:
    """What the attacker has: per day, visits per officer (from desk's sessions), and the boards as they lie there."""

    visits: list[dict[int, int]] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    replies: list[bytes] = field(default_factory=list)
    writers: set[int] = field(default_factory=set)


@contextmanager
def _post() -> Iterator[tuple[Store, Memory]]:
    """A post of its own: its database, its memory folder, and a ledger that takes every digest."""
    with tempfile.TemporaryDirectory(prefix="wardwell-attack-") as scratch:
        home = Home(Path(scratch))
        home.folder("post").mkdir()
        home.key("post").write_text("00" * 32)
        home.settings_file.write_text("demonstration = true\n")
        shutil.copy(SHIPPED, home.charter_file)
        store, memory = open_store(home, "post"), Memory(home)
        metadata_of("post").create_all(store.writer)

        def append(_home: Home, _request: Append) -> Appended:
            return Appended(public_index=0, about_indexes={}, tree_size=1)

        try:
            with mock.patch.object(boards, "append", append):
                yield store, memory
        finally:
            store.close()
            shutil.rmtree(memory.folder)


def simulate(dice: random.Random, *, uniform: bool, more_often: float = 1.0) -> Traces:
    """Weeks in one division. Without `uniform`, only real messages become cells: the control."""
    constants = load_charter().constants
    traces = Traces(writers=set(dice.sample(range(OFFICERS), WRITERS)))
    habits = [dice.uniform(0.3, 0.95) for _ in range(OFFICERS)]
    supporter = cells.new_keys().public
    answers: dict[int, int] = {}
    with _post() as (store, memory):
        for day in range(DAYS):
            with clock.held(datetime(2026, 11, 1, 20, tzinfo=UTC) + timedelta(days=day)):
                epoch = epochs.current(store).epoch
                seen: dict[int, int] = {}
                for officer in range(OFFICERS):
                    often = habits[officer] * (more_often if officer in traces.writers else 1.0)
                    visits = int(often) + (dice.random() < often % 1)
                    seen[officer] = visits
                    for _ in range(visits):
                        slots = 1 if dice.random() < MISSED_LOCK else constants.tickets_per_session
                        real = officer in traces.writers and dice.random() < WRITES
                        if real and dice.random() < ANSWERS:
                            due = day + dice.randint(1, 3)
                            answers[due] = answers.get(due, 0) + 1
                        for slot in range(slots if uniform else int(real)):
                            to = supporter if real and slot == 0 else cells.new_keys().public
                            memory.put(epoch, "requests", cells.seal(to, {"text": "x" * 400} if slot == 0 else {}))
                sessions = sum(dice.random() < 0.7 for _ in range(SUPPORTERS))
                number = constants.reply_cells_per_session * sessions if uniform else answers.get(day, 0)
                for _ in range(number):
                    memory.put(epoch, "replies", cells.seal(cells.new_keys().public, {}))
                epochs.turn(store, memory)
            traces.visits.append(seen)
            for kind, kept in (("requests", traces.requests), ("replies", traces.replies)):
                kept.append(boards.path_of(store.home, epoch, kind).read_bytes())
    return traces


def _correlation(xs: list[float], ys: list[float]) -> float:
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    across = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    spread = sum((x - mean_x) ** 2 for x in xs) * sum((y - mean_y) ** 2 for y in ys)
    return float(across / spread**0.5) if spread > 1e-9 else 0.0


def _unexplained(ys: list[float], xs: list[float]) -> list[float]:
    """What is left of `ys` after the straight line that fits it best on `xs`."""
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    across = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    slope = across / spread if spread else 0.0
    return [y - mean_y - slope * (x - mean_x) for x, y in zip(xs, ys, strict=True)]


def attack(traces: Traces) -> list[float]:
    """The attacker's score of every officer, from the boards and the visits."""
    total = [float(sum(day.values())) for day in traces.visits]
    sent = _unexplained([len(board) / cells.CELL_BYTES for board in traces.requests], total)
    answered = _unexplained([len(board) / cells.CELL_BYTES for board in traces.replies], total)
    scores = []
    for officer in range(OFFICERS):
        own = [float(day[officer]) for day in traces.visits]
        later = [max(_correlation(own[:-lag], answered[lag:]) for lag in (1, 2, 3))]
        scores.append(_correlation(own, sent) + later[0] / 2)
    return scores


def count_visits(traces: Traces) -> list[float]:
    """The simpler attacker: who comes more often is taken for a writer."""
    return [float(sum(day[officer] for day in traces.visits)) for officer in range(OFFICERS)]


def repeated(traces: Traces) -> int:
    """How many cells, or ids of cells, appear more than once on all boards together."""
    size = cells.CELL_BYTES
    whole = b"".join(traces.requests + traces.replies)
    ids = [whole[at : at + cells.ID_BYTES] for at in range(0, len(whole), size)]
    return len(ids) - len(set(ids))


def auc(scores: list[float], writers: set[int]) -> float:
    """The chance that a writer scores above somebody who does not write; ties count half."""
    others = [scores[n] for n in range(OFFICERS) if n not in writers]
    wins = sum((scores[w] > o) + 0.5 * (scores[w] == o) for w in writers for o in others)
    return wins / (len(writers) * len(others))


def measure(*, uniform: bool, more_often: float = 1.0, seed: int = SEED) -> tuple[float, float, int]:
    """(AUC from boards, AUC from counting visits, repeated cells), the mean over TOWNS simulated divisions."""
    found = []
    for town in range(TOWNS):
        dice = random.Random(seed + town)
        traces = simulate(dice, uniform=uniform, more_often=more_often)
        by_boards, by_visits = auc(attack(traces), traces.writers), auc(count_visits(traces), traces.writers)
        found.append((by_boards, by_visits, repeated(traces)))
    boards_auc, visits_auc, ties = (sum(column) / TOWNS for column in zip(*found, strict=True))
    return boards_auc, visits_auc, round(ties * TOWNS)


def run() -> list[dict[str, Any]]:
    """`post.contact.auc`, `post.contact.auc_high`, `post.contact.repeated_cells`."""
    held, by_visits, ties = measure(uniform=True)
    naive, _, _ = measure(uniform=False)
    _, high, _ = measure(uniform=True, more_often=MORE_OFTEN)
    about = f"{TOWNS} divisions of {OFFICERS} officers, {WRITERS} of them writing, {DAYS} days"
    return [
        {
            "name": "post.contact.auc",
            "value": round(held, 3),
            "unit": "AUC",
            "against": f"0.5 is guessing; {about}; boards and sessions, visits independent of contact",
            "control": f"{naive:.3f} for the same attacker where only real messages become cells",
        },
        {
            "name": "post.contact.auc_high",
            "value": round(high, 3),
            "unit": "AUC",
            "against": f"admitted: writers visit {MORE_OFTEN} times as often, and the attacker counts visits",
            "control": f"{by_visits:.3f} by counting visits when they do not depend on contact",
        },
        {
            "name": "post.contact.repeated_cells",
            "value": ties,
            "unit": "cells",
            "against": "0: no cell or id appears twice, so no two visits are tied together",
            "control": f"{repeated(Traces(requests=[bytes(cells.CELL_BYTES) * 2]))} when one cell is put twice",
        },
    ]
