"""Promise: a receipt says what became of a file, why, and what to do, and shows nothing that a row said."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest

from appliance.desk.feeds import receipts
from appliance.storage import Store
from tests.staff.staff_site import Browser, refused_file

AT = datetime(2026, 10, 15, 18, tzinfo=UTC)


@pytest.fixture(autouse=True)
def filled(store: Store) -> None:
    """A file that was refused, a rehearsal that was refused, and a file that was taken."""
    refused = refused_file(AT)
    rehearsed = msgspec.structs.replace(refused, sha256="cd" * 32, dry_run=True)
    taken = msgspec.structs.replace(refused, sha256="ef" * 32, taken=True, refused=[], unmapped_types={"": 3})
    with store.write() as session:
        for one in (refused, rehearsed, taken):
            receipts.store_receipt(session, one)


def test_a_receipt_says_how_the_file_was_read(browser: Callable[..., Browser]) -> None:
    cad = browser("cad")
    page = cad.get("/receipts/1").get_data(as_text=True)
    assert "Encoding: CP-1252" in page and "a clock change leaves open" in page
    whole = cad.get("/receipts/1.json").get_json()
    assert (whole["refused"], whole["flagged_times"], whole["unmapped_units"]) == (3, 2, {"K9": 3})
    assert whole["refused_rows"][0] == {"file": "calls.csv", "line": 7, "column": "received", "reason": "not a time"}


def test_receipts_as_csv_run_no_formula(browser: Callable[..., Browser]) -> None:
    rows = list(csv.reader(io.StringIO(browser("cad").get("/receipts/1.csv").get_data(as_text=True))))
    assert rows[0] == list(receipts.CSV_COLUMNS)
    assert rows[1] == ["calls.csv", "7", "received", "not a time"]
    assert rows[2][0] == "'=calls.csv"


def test_all_receipts_as_csv(browser: Callable[..., Browser]) -> None:
    rows = list(csv.DictReader(io.StringIO(browser("cad").get("/receipts/all.csv").get_data(as_text=True))))
    assert list(rows[0]) == list(receipts.ALL_COLUMNS)
    found = [(row["id"], row["feed"], row["taken"], row["rows"], row["refused"]) for row in rows]
    assert found == [(str(number), "slo", taken, "9", "3") for number, taken in ((1, "no"), (2, "no"), (3, "yes"))]


def test_a_file_that_was_not_taken_says_what_to_do(browser: Callable[..., Browser]) -> None:
    cad = browser("cad")
    refused, rehearsed, taken = (cad.get(f"/receipts/{n}").get_data(as_text=True) for n in (1, 2, 3))
    assert "drop the file again" in refused and "only the intake can read it" in refused
    assert "drop the file again" in rehearsed and "only the intake can read it" not in rehearsed
    assert "drop the file again" not in taken
    # Calls without a type are counted in words.
    assert "(empty)" in taken and "(empty)" not in refused
