"""Feed profiles: how one vendor's export is read, as a TOML file that an administrator can edit.

Owns: the typed profile and its checks. A profile names the columns that are read; every other column of the feed must
be named under `dropped`, so that a new column is noticed instead of being read or ignored in silence. Columns that
smell of discipline, complaints, internal affairs, performance or use of force are refused unless dropped by name.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from appliance.errors import WardwellError
from appliance.intake.records import CallVersion
from appliance.rules.exposure_model import load_model

SHIPPED = Path(__file__).parent / "shipped"
USUAL_SETTLE_HOURS = 72

# Words in a column's name that mean a record about somebody's conduct. Wardwell takes none of those (design, 7). Names
# are compared as separate lower-case words, or run together; short forms count as whole words alone.
_CONDUCT = re.compile(
    r"disciplin|\bdisc\b|complain(?!ant)|\bcmpl(n?ts?)?\b|grievance|reprimand|suspension|allegation|demerit|commendation"
    r"|\bint(ernal)? ?affairs?\b|\bia(d|u|b|case|no|num|file|pro)?\b|\bprof(essional)? ?standards?\b|\b(psb|opr|ccrb)\b"
    r"|misconduct|\bconduct\b|blue ?team|civilian (review|oversight)|\bperf\b|performance|evaluation|\bevals?\b"
    r"|appraisal|use ?of ?force|\buof\b|excessive ?force"
    r"|\bforce ?(used?|level|type|report|option|ind|flag|code|reason)\b"
    r"|resistance|\brtr\b|\btaser|sustained|unfounded|exonerat|\bfindings?\b|early ?(warning|intervention)|\bei[sw]s?\b"
    r"|\bbrady\b|giglio|counsell?ing memo|write ups?\b|admin(istrative)? leave|corrective action|fitness ?for ?duty"
    r"|\bffd\b"
)


def words(name: str) -> str:
    """A column's name as separate lower-case words: "CallRcvdTime" and "CALL_RCVD_TIME" alike."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.sub(r"[^a-z0-9#]+", " ", apart.lower()).strip()


@lru_cache(maxsize=4096)
def about_conduct(name: str) -> bool:
    """Whether a column, an element or a key of this name smells of discipline, complaints or use of force."""
    return _CONDUCT.search(words(name)) is not None


class Columns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Column (or XML element) per fact; "" when the feed has none. Without a `date` each time holds its own day."""

    number: str
    received: str
    type: str
    units: str
    observed: str = ""
    disposition: str = ""
    date: str = ""
    dispatched: str = ""
    arrived: str = ""
    cleared: str = ""
    primary: str = ""
    status: str = ""
    status_time: str = ""


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One feed's layout. `types` maps the vendor's codes to canonical ids of the exposure model, in `normal` spelling.

    `canceled` lists the dispositions of calls that came to nothing when nobody had arrived. Without a `header` columns
    are named by their place, "1" first. `record` is the path of one record in XML ("Exchange/Incident") or of the list
    of records in JSON ("data.calls"); `sheet` the name of a workbook's sheet, "" the first that is visible. A
    `row` that is not a whole call adds to the others of its call. `time_format` is strptime's, "iso", or "clock": any
    usual spelling of a time of day. `step_format` is that of the times after the first, if they are written otherwise.
    With `unit_times` units carry times, in `units` or in the columns of the steps: "equals" as in `M5=07:05:17`, "at"
    (`M5@07:05`), "brackets" (`M5 (07:05)`), "colon" (`M5:07:05`), "dash" (`M5-07:05`), "blank" (`M5 07:05`). Those in
    `units` are when a unit arrived or was dispatched, as `unit_times_are` says. `skip` records stand above the header.
    With `refuse = "row"` a row that cannot be read is refused alone instead of with its file. A call that nobody closes
    counts as settled `settle_hours` after it was received. A row per status change has a `status`, which began at
    `status_time` (in `step_format`); `statuses` says which step a code of the feed's own means, usual words are known.
    """

    name: str
    description: str
    format: Literal["delimited", "xlsx", "json-lines", "json-array", "niem-xml", "newworld-xml", "eido-json"]
    time_zone: str
    columns: Columns
    types: dict[str, str]
    encoding: str = "utf-8"
    delimiter: str = ","
    header: bool = True
    row: Literal["call", "unit", "status"] = "call"
    record: str = ""
    sheet: str = ""
    date_format: str = "%m/%d/%y"
    time_format: str = "%H:%M"
    step_format: str = ""
    unit_separator: str = ","
    unit_times: Literal["none", "equals", "at", "brackets", "colon", "dash", "blank"] = "none"
    unit_times_are: Literal["arrived", "dispatched"] = "arrived"
    skip: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    refuse: Literal["file", "row"] = "file"
    version_pattern: str = ""
    version_format: str = ""
    dispatch_units: str = ""
    statuses: dict[str, Literal["dispatched", "arrived", "cleared"]] = {}
    canceled: list[str] = []
    dropped: list[str] = []
    settle_hours: Annotated[int, msgspec.Meta(ge=1, le=24 * 366)] = USUAL_SETTLE_HOURS

    @property
    def taken(self) -> list[str]:
        """The columns that leave the parser."""
        return [name for name in msgspec.structs.astuple(self.columns) if name]

    def kind(self, call: CallVersion) -> str:
        """The canonical type of `call`: the weightier of what it was sent as and found to be; "" unknown."""
        model = load_model()
        types = [model.type(self.types.get(normal(text), "")) for text in (call.type, call.observed)]
        known = [kind for kind in types if kind is not None]
        return max(known, key=lambda kind: kind.weight).id if known else ""

    def unmapped(self, call: CallVersion) -> Iterator[str]:
        """The codes of `call` that no canonical type is known for; a call without a type counts as ""."""
        if normal(call.type) not in self.types:
            yield call.type
        if call.observed and normal(call.observed) not in self.types:
            yield call.observed

    def is_dispatch(self, unit: str) -> bool:
        """Whether `unit` hears the call instead of going to it."""
        return bool(self.dispatch_units) and re.fullmatch(self.dispatch_units, unit) is not None


class UnitLogColumns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Column per fact; "" when the log has none. Without a `date`, `start` and `end` hold their own day."""

    unit: str
    start: str
    end: str
    person: str
    shield: str = ""
    date: str = ""


class UnitLog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The layout of a unit log: one row per unit and person, from when until when. Fields are as in `Profile`.

    A person is known by the employee number in `person`, else by the number in `shield`.
    """

    kind: Literal["unit-log"]
    name: str
    description: str
    format: Literal["delimited", "xlsx", "json-lines", "json-array"]
    time_zone: str
    columns: UnitLogColumns
    encoding: str = "utf-8"
    delimiter: str = ","
    header: bool = True
    record: str = ""
    sheet: str = ""
    date_format: str = "%m/%d/%y"
    time_format: str = "iso"
    skip: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    refuse: Literal["file", "row"] = "file"
    version_pattern: str = ""
    version_format: str = ""
    dropped: list[str] = []

    def table(self) -> Profile:
        """The same layout as the readers of tables know it: its columns stand where a call's of that kind would."""
        named = self.columns
        same = {name: getattr(self, name) for name in UnitLog.__struct_fields__ if name not in ("kind", "columns")}
        columns = Columns(
            number=named.person,
            received=named.start,
            type="",
            units=named.unit,
            date=named.date,
            cleared=named.end,
            primary=named.shield,
        )
        return Profile(columns=columns, types={}, **same)


def normal(code: str) -> str:
    """A code as it is compared: exports of one agency differ in case, spacing and HTML entities."""
    return " ".join(html.unescape(code).split()).casefold()


def shipped() -> list[str]:
    """Names of the profiles that ship."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load_profile(name_or_path: str) -> Profile:
    """A shipped profile of calls by name, or one from a file. Raises WardwellError naming what is wrong with it."""
    profile = load_feed(name_or_path)
    if isinstance(profile, UnitLog):
        raise WardwellError(
            f"The feed profile {name_or_path} describes a unit log, not calls.", "Give the profile of a feed of calls."
        )
    return profile


def load_feed(name_or_path: str) -> Profile | UnitLog:
    """A shipped profile by name, or one from a file. Raises WardwellError naming what is wrong with it."""
    path = SHIPPED / f"{name_or_path}.toml" if name_or_path in shipped() else Path(name_or_path)
    try:
        raw = path.read_bytes()
    except OSError:
        raise WardwellError(
            f"There is no feed profile {name_or_path!r}.", f"Give a file, or one of: {', '.join(shipped())}."
        ) from None
    try:
        profile: Profile | UnitLog
        if "kind" in msgspec.toml.decode(raw):
            profile = msgspec.toml.decode(raw, type=UnitLog)
            taken = profile.table().taken
        else:
            profile = msgspec.toml.decode(raw, type=Profile)
            taken = profile.taken
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise WardwellError(f"The feed profile {path.name} is not valid: {error}.", "Correct that line.") from None
    conduct = [name for name in taken if about_conduct(name)]
    if conduct:
        raise WardwellError(
            f"The feed profile {path.name} reads a column about conduct: {', '.join(conduct)}.",
            "Wardwell takes no discipline, complaint or performance data; remove the column.",
        )
    return profile if isinstance(profile, UnitLog) else _with_types(profile, path)


def _with_types(profile: Profile, path: Path) -> Profile:
    """`profile` with its codes in `normal` spelling. Raises WardwellError for a type that there is not."""
    model = load_model()
    unknown = sorted({kind for kind in profile.types.values() if model.type(kind) is None})
    if unknown:
        raise WardwellError(
            f"The feed profile {path.name} maps to unknown types: {', '.join(unknown)}.",
            "Use the ids of appliance/rules/exposure.json.",
        )
    types: dict[str, str] = {}
    for code, kind in profile.types.items():
        if types.setdefault(normal(code), kind) != kind:
            raise WardwellError(f"The feed profile {path.name} maps {code!r} twice.", "Remove one of the two lines.")
    return msgspec.structs.replace(profile, types=types)
