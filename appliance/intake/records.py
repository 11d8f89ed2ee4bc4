"""What leaves the parsing child: named facts of calls, and rows refused with place and reason.

Owns: the types on that pipe. Must never carry: a narrative, a caller, an address, or any cell that no profile names.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from appliance.spool.messages import RefusedRow


class UnitOnCall(msgspec.Struct, frozen=True):
    """One unit on one call; `people` are employee numbers when the feed itself names the crew."""

    unit: str
    start: datetime
    end: datetime | None
    arrived: bool
    people: list[str]
    primary: bool


class CallVersion(msgspec.Struct, frozen=True):
    """One row's (or file's) view of one call. Times UTC. `stamp` orders versions: ISO UTC of the call's own version.

    `type` is what the call was sent as, `observed` what it was found to be, `disposition` how it was closed; all three
    are the feed's own codes. A version that `adds` says nothing by what it leaves out. A call that was merged or split
    names the other one. `closed` is when the call was closed, None while it is open or when the feed does not say.
    """

    line: int
    number: str
    stamp: str
    received: datetime
    type: str
    observed: str
    disposition: str
    primary_name: str
    canceled: bool
    units: list[UnitOnCall]
    adds: bool = False
    merged_into: str = ""
    split_from: str = ""
    closed: datetime | None = None

    def content(self) -> bytes:
        """The facts that make a later version an update: everything but where it stood and when it was exported."""
        return msgspec.json.encode(msgspec.structs.replace(self, line=0, stamp=""))


class ParsedFile(msgspec.Struct, frozen=True):
    """One file. `rows` counts data records (header repetitions too). `unusable` files are taken not at all."""

    name: str
    sha256: str
    rows: int
    calls: list[CallVersion]
    refused: list[RefusedRow]
    unusable: bool
