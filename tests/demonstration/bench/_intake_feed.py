"""Generated exports and rosters for the benchmark of the intake, in the layout of the `san-luis-obispo` profile.

Owns: invented calls. Must never see: a real feed.
"""

from __future__ import annotations

import contextlib
import csv
import random
import secrets
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from appliance.charter.schema import SHIPPED
from appliance.crypto import sealing
from appliance.intake.models import MailboxKey, RosterRow
from appliance.settings import COMPARTMENTS, Home
from appliance.storage import Store, insert_rows, open_store
from appliance.storage.migrate import upgrade

HEADER = [
    *("case_number", "date", "received", "dispatched", "arrived", "cleared", "type", "grid_location", "location"),
    *("address", "observed_crime", "responsible_officer", "units", "description", "call_comments", "clearance_code"),
]
# One call in twenty weighs something.
_TYPES = ["Theft"] * 14 + ["Traffic Stop"] * 5 + ["COLL INJ"]
_FREE = "words that nobody but the child ever reads "


def sign(person: int) -> str:
    """The call sign of a generated person."""
    return f"U{person}"


def write_export(
    path: Path,
    rows: int,
    people: int,
    *,
    first: datetime,
    days: int,
    crew: int = 2,
    seed: int = 1,
    cleared: float = 1,
) -> None:
    """`rows` calls over `days` days from `first` on, `crew` units each, in the order of their times.

    The first `cleared` of them, as a share, are over.
    """
    draw = random.Random(seed)
    minutes = days * 1440
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(HEADER)
        for number in range(rows):
            received = first + timedelta(minutes=number * minutes // rows)
            sent, there = received + timedelta(minutes=draw.randrange(9)), draw.randrange(10, 40)
            gone = received + timedelta(minutes=there + draw.randrange(5, 120))
            units = ",".join(sign(draw.randrange(people)) for _ in range(crew))
            writer.writerow(
                [
                    f"{received:%y%m}-{seed:02d}{number:07d}",
                    f"{received:%m/%d/%y}",
                    f"{received:%H:%M}",
                    f"{sent:%H:%M}",
                    f"{received + timedelta(minutes=there):%H:%M}",
                    f"{gone:%H:%M}" if number < cleared * rows else "",
                    draw.choice(_TYPES),
                    "P1",
                    _FREE,
                    _FREE,
                    "",
                    "",
                    units,
                    _FREE,
                    _FREE,
                    "No Report",
                ]
            )


@contextlib.contextmanager
def founded(root: Path, people: int, enrolled: int = 0) -> Iterator[Store]:
    """Intake's store in a scratch home, with a roster of `people`; the first `enrolled` of them have mailbox keys."""
    home = Home(root)
    for compartment in COMPARTMENTS:
        home.folder(compartment).mkdir(parents=True)
        home.key(compartment).write_text(secrets.token_hex(32))
    home.settings_file.write_text('agency = "Bench"\ndemonstration = true\n')
    shutil.copy(SHIPPED, home.charter_file)
    store = open_store(home, "intake")
    upgrade(store)
    key = sealing.key_pair().public
    with store.write() as session:
        roster = [(f"E{n:05d}", f"{n:032x}", f"P {n}", sign(n), f"Unit {n % 300}", "Patrol", 1) for n in range(people)]
        insert_rows(session, RosterRow, roster)
        keys = [(f"{n:032x}", f"E{n:05d}", key, n, True, None) for n in range(enrolled)]
        insert_rows(session, MailboxKey, keys)
    try:
        yield store
    finally:
        store.close()
