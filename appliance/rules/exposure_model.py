"""The exposure model (`exposure.json`) as typed data.

Owns: reading the one file that the intake, the browser and `appliance.kit.exposure` share: types with weight, rationale
and source, windows, half-life, role factors, patterns. Must never see: a contribution or a person.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import msgspec

from appliance.crypto.canonical import canonical

FILE = Path(__file__).parent / "exposure.json"


class IncidentType(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A canonical type. `weight` 0..10; `source` is a key of the model's sources; `apco` its APCO common types."""

    id: str
    title: str
    weight: int
    why: str
    source: str
    apco: list[str]
    critical: bool
    heavy: bool


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a person took part; `factor` is a decimal in words, so that no reader changes it by parsing."""

    factor: str
    title: str


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Holds when what is counted within the last `days` days is `least` or more."""

    title: str
    days: int
    least: int
    reason: str
    source: str


class Nights(Pattern, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Nights in a row, each with a call between the two local hours; a night is the shift day of its calls."""

    from_hour: int
    to_hour: int


class LongDays(Pattern, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Shift days from whose first call to the end of the last one `hours` hours or more passed."""

    hours: int


class ShortTurnarounds(Pattern, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """At most `most_hours` hours between two shift days' calls; fewer than `from_hours` are one shift that ran over."""

    most_hours: int
    from_hours: int


class ShiftDay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A time before the agency-local hour `from_hour` belongs to the shift that began the day before."""

    from_hour: int
    reason: str
    source: str


class Patterns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`heavy_week` counts heavy calls, `same_kind` those of the one heavy kind that came most often."""

    heavy_week: Pattern
    same_kind: Pattern
    nights: Nights
    long_days: LongDays
    short_turnarounds: ShortTurnarounds

    def named(self) -> dict[str, Pattern]:
        """Each pattern by its name."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


class ExposureModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file; the reasons are words for the officer's page."""

    version: int
    note: str
    sources: dict[str, str]
    windows_days: list[int]
    windows_reason: str
    windows_source: str
    half_life_days: int
    half_life_reason: str
    half_life_source: str
    weights_reason: str
    roles: dict[str, Role]
    roles_reason: str
    roles_source: str
    rounding: str
    patterns_reason: str
    patterns: Patterns
    shift_day: ShiftDay
    incident_notice_days: int
    incident_notice_reason: str
    incident_notice_source: str
    types: list[IncidentType]

    def type(self, type_id: str) -> IncidentType | None:
        """The canonical type `type_id`, or None: an unknown type weighs nothing."""
        return next((kind for kind in self.types if kind.id == type_id), None)


@cache
def load_model() -> ExposureModel:
    """The model that ships."""
    return msgspec.json.decode(FILE.read_bytes(), type=ExposureModel)


def digest() -> str:
    """SHA-256 (hex) of the model's canonical JSON; the officer's page shows that of the copy it was built with."""
    return hashlib.sha256(canonical(json.loads(FILE.read_bytes()))).hexdigest()
