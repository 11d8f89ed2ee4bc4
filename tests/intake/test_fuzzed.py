"""Promise: no bytes make a reader raise anything but Unusable. Valid files of every layout, mutated, for 20 seconds.

This is a mutating fuzzer of our own: coverage-guided fuzzing cannot see into the readers, which are C
(csv, ijson, expat, zlib) behind a little Python, and instruments the whole test process.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from appliance.intake.opening import Source
from appliance.intake.profiles import Profile, load_profile
from appliance.intake.readers import DOCUMENTS, Unusable, open_documents, open_table
from tests.intake.layouts import LAYOUTS, NAMES, gzipped, profile, zipped

SECONDS = 20.0
_ROWS = [["1", "2026-01-01", "é\n", "A1,B2", "x", '"q"'], ["2", "", "t", "", "", ""]]
_NEW_WORLD = (
    b'<CallExport xmlns="urn:n" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><CallNumber>1</CallNumber>'
    b'<CreateDateTime>2026-02-01T10:00:00</CreateDateTime><CloseDateTime i:nil="true"/><AssignedUnits><Unit>'
    b"<UnitNumber>A1</UnitNumber><UnitLogs><UnitLog><DateTime>2026-02-01T10:02:00</DateTime><Status>OnScene</Status>"
    b"</UnitLog></UnitLogs></Unit></AssignedUnits></CallExport>"
)
_EIDO = (
    b'{"$id":"urn:emergency:uid:incidentid:a1:x.org","lastUpdateTimeStamp":"2026-02-01T10:00:00.0-05:00",'
    b'"emergencyResourceComponent":[{"$id":"u1","primaryUnitStatusRegistryText":"On Scene"}],"mergeComponent":[]}'
)
_TOKENS = [
    *(
        b'"',
        b"\n",
        b"\r",
        b"\0",
        b"{",
        b"[",
        b"]",
        b"}",
        b"<",
        b">",
        b"&#0;",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"1e999999",
    ),
    *(b"\\ud800", b'i:nil="true"', b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59", b"null", b"9" * 30),
    *(b'<?xml version="1.0" encoding="idna"?>', b"encoding='utf-7'", b"PK\x03\x04", b"\x1f\x8b"),
]


def _seeds() -> list[tuple[bytes, Profile]]:
    plain = [
        (layout.write(NAMES, [[layout.fits(cell) for cell in row] for row in _ROWS]), profile(**layout.fields))
        for layout in LAYOUTS
    ]
    packed = [(pack("a", plain[0][0])[1], plain[0][1]) for pack in (gzipped, zipped)]
    documents = [(_NEW_WORLD, load_profile("newworld-callexport")), (_EIDO, load_profile("eido"))]
    return [*plain, *packed, *documents]


def mutated(raw: bytes, dice: random.Random) -> bytes:
    """`raw` with one to sixteen places overwritten, removed, repeated or put in."""
    found = bytearray(raw)
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        at, other, token = dice.randrange(len(found) + 1), dice.randrange(len(found) + 1), dice.choice(_TOKENS)
        kind = dice.randrange(5)
        if kind == 0:
            found[at:at] = token
        elif kind == 1:
            found[at : at + len(token)] = token
        elif kind == 2:
            del found[at : at + dice.randrange(1, 20)]
        elif kind == 3:
            found[at:at] = found[other : other + dice.randrange(40)]
        elif at < len(found):
            found[at] = dice.randrange(256)
    return bytes(found)


def read(path: Path, reading: Profile) -> int:
    """How many rows or calls there are. Raises Unusable."""
    count = 0
    with Source(path) as source:
        for _, stream in source.members(reading.format):
            if reading.format in DOCUMENTS:
                count += sum(1 for _ in open_documents(stream, reading))
            else:
                # Every cell can be stored as UTF-8.
                count += sum(bool([cell.encode() for cell in cells]) for _, cells in open_table(stream, reading).rows)
    return count


def test_every_seed_is_read(tmp_path: Path) -> None:
    """Positive control: unmutated, each gives all its rows, so the mutants start from where the readers really are."""
    for number, (raw, reading) in enumerate(_seeds()):
        path = tmp_path / f"{number}.dat"
        path.write_bytes(raw)
        assert read(path, reading) == (1 if reading.format in DOCUMENTS else len(_ROWS)), reading


@pytest.mark.timeout(60)
def test_mutants_are_read_or_refused(tmp_path: Path) -> None:
    seed = time.time_ns()
    dice, seeds, path = random.Random(seed), _seeds(), tmp_path / "mutant.dat"
    end = time.monotonic() + SECONDS
    refused = 0
    while time.monotonic() < end:
        raw, reading = dice.choice(seeds)
        mutant = mutated(raw, dice)
        path.write_bytes(mutant)
        try:
            read(path, reading)
        except Unusable:
            refused += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}, {reading.format}: {error!r} for {mutant!r}") from error
    assert refused
