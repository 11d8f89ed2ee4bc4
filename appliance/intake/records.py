"""What leaves the parsing child: named facts of calls, and rows refused with place and reason.

Owns: the types on that pipe. Must never carry: a narrative, a caller, an address, or any cell that no profile names.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from appliance.spool.messages import RefusedRow

# person_id, unit, role, start, end; seconds since 1970. The role is "primary", "responding", "dispatch", or "assigned":
# the unit never arrived.
Person = tuple[str, str, str, int, int | None]
# unit, person_id ("" when the unit's crew is to be found), role, start, end, the person_id that the feed names as
# responsible and the one whose call sign the unit is, "" for neither. Only where a unit log is kept.
Part = tuple[str, str, str, int, int | None, str, str]


def seconds(moment: datetime) -> int:
    """Whole seconds since 1970."""
    return int(moment.timestamp())


class UnitOnCall(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One unit on one call; `people` are employee numbers when the feed itself names the crew.

    Times are whole seconds since 1970.
    """

    unit: str
    start: int
    end: int | None
    arrived: bool
    people: list[str]
    primary: bool


class CallVersion(msgspec.Struct, frozen=True, gc=False):
    """One row's (or file's) view of one call. Times are whole seconds since 1970.

    `stamp` orders versions: ISO UTC of the call's own version.

    `type` is what the call was sent as, `observed` what it was found to be, `disposition` how it was closed; all three
    are the feed's own codes. A version that `adds` says nothing by what it leaves out. A call that was merged or split
    names the other one. `closed` is when the call was closed, None while it is open or when the feed does not say.
    """

    line: int
    number: str
    stamp: str
    received: int
    type: str
    observed: str
    disposition: str
    primary_name: str
    canceled: bool
    units: list[UnitOnCall]
    adds: bool = False
    merged_into: str = ""
    closed: int | None = None


class Sighting(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One version of one call as it crosses the pipe: already matched to people and to a canonical type.

    Times are whole seconds since 1970. `digest` is of the version's content. `involved` is ordered by
    person. `unmatched` are units, `unmapped` codes that the profile knows nothing of. Where a unit log is kept, `parts`
    says which units were there, and who that means is for `appliance.intake.settle.crews` to find.
    """

    line: int
    number: str
    stamp: str
    digest: bytes
    received: int
    type: str
    canceled: bool
    closed: bool
    adds: bool
    merged_into: str
    involved: list[Person]
    unmatched: list[str]
    unmapped: list[str]
    parts: list[Part] | None = None


class Shift(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One row of a unit log: who was on a unit from `start` until before `end`, in whole seconds since 1970.

    `person_id` is "" for nobody, and for somebody who is not on the roster.
    """

    line: int
    unit: str
    person_id: str
    start: int
    end: int


class Opening(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The first thing said of a file. `sha256` is "" when it has no content that may be read."""

    name: str
    sha256: str


class Batch(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Some of a file's calls, in its order. They count only if the file does not end as unusable."""

    calls: list[Sighting]


class Shifts(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Some of a unit log's rows. `stamp` orders versions of the log, as a call's version does."""

    stamp: str
    shifts: list[Shift]


class Ending(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The last thing said of a file.

    `rows` counts data records (header repetitions too), `refused_rows` those of them that were refused; `refused` lists
    the first `LISTED` of them. Unusable files are taken not at all.
    """

    rows: int
    refused_rows: int
    refused: list[RefusedRow]
    unusable: bool
    flagged_times: int = 0
    chosen: list[str] = []


# Seconds. Fire crews work 48 hours; what is longer than two of those is somebody who forgot to sign off. Shifts are
# found by when they begin, so this is also how far back one has to look.
LONGEST_SHIFT = 96 * 3600

# Refused rows listed per file; all are counted.
LISTED = 500
# Stands for a unit or a type that is no code: it may be somebody's text in the wrong cell, so it is counted unquoted.
NO_CODE = "(not a code)"
