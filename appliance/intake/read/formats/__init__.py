"""Readers: what a CAD or RMS export may be, each as a stream of rows or of call versions.

Owns: every format that intake reads. Runs only inside the parsing child, and imports its libraries there alone.

    from appliance.intake.read.formats import open_table, open_documents, positions, Unusable

    table = open_table(stream, profile)          # delimited, xlsx, json-lines, json-array, niem-xml
    where = positions(table.header, profile)     # the check of the columns: raises Unusable
    for line, cells in table.rows: ...           # may raise Unusable at any row

    for call in open_documents(stream, profile, wall): ...    # newworld-xml, eido-json: may raise Unusable

`stream` is a binary file that can seek, as `appliance.intake.read.opening` hands out. No exception but Unusable is
raised for what a file may contain, and no reason quotes a cell. A row with too few or too many cells is passed on as it
is; so are blank rows and repeated headers. Memory is bounded by `RECORD_BYTES` per record, whatever the file's size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from appliance.intake.profile.feed_profile import Profile
from appliance.intake.read.formats.tables import RECORD_BYTES, Table, Unusable, positions, safe
from appliance.intake.read.times import WallClock
from appliance.intake.records import CallVersion

__all__ = ["DOCUMENTS", "RECORD_BYTES", "Table", "Unusable", "open_documents", "open_table", "positions", "safe"]

# The formats that are read by `open_documents`; every other one is a table.
DOCUMENTS = frozenset({"newworld-xml", "eido-json"})


def open_table(stream: BinaryIO, profile: Profile) -> Table:
    """The rows of `stream` in the layout that `profile.format` names. Raises Unusable."""
    # Each library is loaded only when its format is read: the child starts once per run of files.
    if profile.format == "xlsx":
        from appliance.intake.read.formats import workbook

        return workbook.open_table(stream, profile)
    if profile.format in ("json-lines", "json-array"):
        from appliance.intake.read.formats import jsons

        return (jsons.open_lines if profile.format == "json-lines" else jsons.open_array)(stream, profile)
    if profile.format == "niem-xml":
        from appliance.intake.read.formats import niem

        return niem.open_table(stream, profile)
    from appliance.intake.read.formats import delimited

    return delimited.open_table(stream, profile)


def open_documents(stream: BinaryIO, profile: Profile, wall: WallClock) -> Iterator[CallVersion]:
    """The call versions of `stream` in a layout that says itself what is what; `wall` settles times without an offset.

    Raises Unusable, at any call.
    """
    if profile.format == "newworld-xml":
        from appliance.intake.read.formats import newworld

        return newworld.calls(stream, profile, wall)
    from appliance.intake.read.formats import eido

    return eido.calls(stream, profile, wall)
