"""Readers: what a CAD or RMS export may be, each as a stream of rows or of call versions.

Owns: every format that intake reads. Runs only inside the parsing child, and imports its libraries there alone.

    from appliance.intake.readers import open_table, open_documents, positions, Unusable

    table = open_table(stream, profile)          # delimited, xlsx, json-lines, json-array, niem-xml
    where = positions(table.header, profile)     # the check of the columns: raises Unusable
    for line, cells in table.rows: ...           # may raise Unusable at any row

    for call in open_documents(stream, profile): ...    # newworld-xml, eido-json: may raise Unusable

`stream` is a binary file that can seek, as `appliance.intake.opening` hands out. No exception but Unusable is raised
for what a file may contain, and no reason quotes a cell. A row with too few or too many cells is passed on as it is;
so are blank rows and repeated headers. Memory is bounded by `RECORD_BYTES` per record, whatever the file's size.
"""

from __future__ import annotations

from typing import BinaryIO

from appliance.intake.profiles import Profile
from appliance.intake.readers.tables import RECORD_BYTES, Table, Unusable, positions, safe

__all__ = ["RECORD_BYTES", "Table", "Unusable", "open_table", "positions", "safe"]


def open_table(stream: BinaryIO, profile: Profile) -> Table:
    """The rows of `stream` in the layout that `profile.format` names. Raises Unusable."""
    from appliance.intake.readers import delimited

    return delimited.open_table(stream, profile)
