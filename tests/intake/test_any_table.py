"""Promise: any table, written in any layout that intake reads and packed in any way, is read back equal."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.intake.profile.feed_profile import Profile, about_conduct
from appliance.intake.read.formats import open_table, positions
from appliance.intake.read.formats.tables import alike
from appliance.intake.read.opening import Source
from tests.intake.layouts import LAYOUTS, PACKINGS, Layout, profile

_NAME = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,11}", fullmatch=True).filter(
    lambda name: not about_conduct(name) and not name.lower().startswith("xml")
)
# Cells as feeds have them (quotation marks, line breaks, delimiters of every kind) and any characters at all.
_CELL = st.one_of(
    st.sampled_from(
        ['"', "a\nb", "a\r\nb", "x, y; z | t\t^~", "=1+1", "“smart”", " padded ", "NULL", "001", "é", "😀"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    names = draw(st.lists(_NAME, min_size=6, max_size=6, unique_by=alike))
    rows = draw(st.lists(st.lists(_CELL, min_size=6, max_size=6), max_size=8))
    # The first cell is the call's number, which every row has.
    return names, [[f"{number}", *row[1:]] for number, row in enumerate(rows, 1)]


def _read(name: str, raw: bytes, reading: Profile) -> list[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(raw)
        with Source(path) as source:
            found = []
            for _, stream in source.members(reading.format):
                table = open_table(stream, reading)
                if table.header:
                    positions(table.header, reading)
                found += [dict(zip(table.header, cells, strict=True)) for _, cells in table.rows]
            source.check()
            return found


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@given(table=tables(), packing=st.sampled_from(PACKINGS))
@settings(max_examples=60, deadline=None)
def test_a_table_is_read_back_equal(
    layout: Layout, table: tuple[list[str], list[list[str]]], packing: Callable[[str, bytes], tuple[str, bytes]]
) -> None:
    names, rows = table
    fitting = [[layout.fits(cell) for cell in row] for row in rows]
    name, raw = packing("calls.dat", layout.write(names, fitting))
    found = _read(name, raw, profile(names, **layout.fields))
    assert found == [dict(zip(names, row, strict=True)) for row in fitting]
