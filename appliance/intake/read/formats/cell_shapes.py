"""What a number, a unit and a code look like in any feed: whatever does not look so may be somebody's text.

Owns: those three rules. Used by the readers of documents and by the mapping of rows.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from appliance.intake.read.formats.tables import Unusable
from appliance.intake.read.times import WallClock
from appliance.intake.records import NO_CODE

NO_NUMBER = "no call number, or not one of letters and digits"
IMPOSSIBLE_TIME = "impossible time"

# "F21-012345", "2021/17", "F21 012345": of several words only the first may be without a digit in front.
NUMBER = re.compile(r"(?=.{1,40}$)[A-Za-z0-9][A-Za-z0-9._/-]*(?: \d[A-Za-z0-9._/-]*)?")
UNIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/#-]{0,19}")
CODE = re.compile(r"[\w /&,.:;()#'+$*%-]{0,40}")
# Employee and shield numbers.
PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,39}")
# What feeds write where a time is missing.
_BLANK = frozenset({"", "null", "none", "n/a"})


# Letters of the statuses of a unit, as the NENA registries, New World and agencies' own codes spell them.
_STATUSES = {
    "dispatched": frozenset({"dispatched", "dispatch", "assigned", "enroute", "responding", "staged", "acknowledged"}),
    "arrived": frozenset({"onscene", "atscene", "arrived", "arrive", "onsite", "atpatient", "transporting"}),
    "cleared": frozenset(
        {
            "clear",
            "cleared",
            "available",
            "inservice",
            "returntoservice",
            "released",
            "returning",
            "inquarters",
            "offduty",
        }
    ),
}


@lru_cache(maxsize=4096)
def step_of(status: str) -> str:
    """The step of a call that a unit's status means: "dispatched", "arrived", "cleared", or "" for none of them."""
    letters = re.sub(r"[^a-z]", "", status.lower())
    return next((step for step, spellings in _STATUSES.items() if letters in spellings), "")


@lru_cache(maxsize=4096)
def code(text: str) -> str:
    """A type or disposition as it may leave the child: the feed's code, or NO_CODE."""
    return text if CODE.fullmatch(text) else NO_CODE


def moment(text: str, wall: WallClock, column: str, line: int = 0, began: datetime | None = None) -> datetime | None:
    """An ISO 8601 time as UTC; one without an offset is placed by `wall`. None when blank. Raises Unusable.

    `began`: when the call began, of which this is a later step.
    """
    if text.lower() in _BLANK or text.startswith("0001-01-01"):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else wall.place(moment, began)
    except (ValueError, OverflowError):
        raise Unusable(line, column, IMPOSSIBLE_TIME) from None
