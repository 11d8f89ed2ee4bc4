"""The call CSV of the demonstration: a daily drop in the column layout of a real city's export job, with its quirks.

Owns: which calls stand in which daily file and in which version. A file written in the evening of day N holds all of
day N-1 and the first hours of day N; the rows of those hours come again the next day with more filled in. A carriage
return stands inside the `units` cell and before the end of each line, `cleared` stays blank, and the first file repeats
its header, all as seen. Must never see: a running appliance.
"""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, time, timedelta
from pathlib import Path

from tests.demonstration.agency import Agency
from tests.demonstration.calls import Call, day_of_calls, free_text

COLUMNS = [
    *("case_number", "date", "received", "dispatched", "arrived", "cleared", "type", "grid_location", "location"),
    *("address", "observed_crime", "responsible_officer", "units", "description", "call_comments", "clearance_code"),
]
# Calls of the export's own day stand in it up to this hour; what was still under way then comes again, completed.
_EARLY_HOURS = 6
_CLOSINGS = ("No Report", "Report To Follow", "Gone on Arrival", "Report Approved/", "Field Interview", "")


def row(call: Call, *, complete: bool) -> list[str]:
    """One row. An incomplete one is the call while it was still under way: nobody has arrived, no closing code."""
    narrative, address, caller = free_text(call)
    units = ",".join(person.call_sign for person in call.units)
    return [
        call.number,
        f"{call.received:%m/%d/%y}",
        f"{call.received:%H:%M}",
        f"{call.dispatched:%H:%M}",
        f"{call.arrived:%H:%M}" if complete else "",
        "",
        call.kind,
        call.grid,
        "",
        address,
        "",
        call.primary.roster_name,
        f"{units}\r",
        narrative,
        caller,
        _CLOSINGS[call.serial % len(_CLOSINGS)] if complete else "",
    ]


def file_name(day: date) -> str:
    return f"cad_export_{day:%Y%m%d}_233100.csv"


def render(rows: list[list[str]], *, header_again: bool = False) -> bytes:
    """The bytes of one file; `header_again` repeats the header in the second line, as the first real files did."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for _ in range(2 if header_again else 1):
        writer.writerow(COLUMNS)
    writer.writerows(rows)
    return text.getvalue().encode()


def daily_file(agency: Agency, day: date, *, header_again: bool = False) -> bytes:
    """The export written on the evening of `day`."""
    written = datetime.combine(day, time(_EARLY_HOURS))
    rows = [row(call, complete=True) for call in day_of_calls(agency, day - timedelta(days=1))]
    rows += [
        row(call, complete=call.closed < written)
        for call in day_of_calls(agency, day)
        if call.received.hour < _EARLY_HOURS
    ]
    return render(rows, header_again=header_again)


def write_history(agency: Agency, folder: Path, today: date, days: int) -> int:
    """The daily files of the `days` days before `today`; how many were written. Renamed from `.part`, as asked."""
    folder.mkdir(parents=True, exist_ok=True)
    for back in range(days, 0, -1):
        day = today - timedelta(days=back)
        put(folder / file_name(day), daily_file(agency, day, header_again=back == days))
    return days


def put(path: Path, content: bytes) -> None:
    """Write as an export job should: under a `.part` name, then renamed."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.rename(path)
