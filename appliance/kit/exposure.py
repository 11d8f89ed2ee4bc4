"""The reference of what the officer's browser adds up: counts, weighted load and patterns from contributions.

Owns: one pure function, so that anyone can check the browser's figures with other code. It runs on an officer's own
export, never on the appliance: no sum of a person exists there. The browser's twin is `webapp/space/src/exposure.ts`.

Load at time t = sum over contributions of weight(type) * factor(role) * 2^(-age / half-life), age in days; the decay
form is plain exponential forgetting, the half-life a published choice in `appliance/model/exposure.json`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
import msgspec

from appliance import clock
from appliance.errors import WardwellError
from appliance.model.exposure import ExposureModel, load_model

_DAY_MS = 86_400_000


class Contribution(msgspec.Struct, frozen=True):
    """One call of one officer: `at` ISO UTC, canonical `type`, `role`, `minutes` on the call; `gone` withdraws it."""

    id: str
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    type: str
    role: str
    minutes: int
    revision: int
    gone: bool


class Summary(msgspec.Struct, frozen=True):
    """Counts of weighing calls per window ("7", "30", "90", "365", "career"), the load, and which patterns hold."""

    counts: dict[str, int]
    load: float
    heavy_week: bool
    nights_in_a_row: int
    nights: bool


def _age_ms(at: datetime, then: datetime) -> int:
    return round((at - then) / timedelta(milliseconds=1))


def _round(value: float) -> float:
    return math.floor(value * 1000 + 0.5) / 1000


def current(contributions: Sequence[Contribution]) -> list[Contribution]:
    """The newest revision of each, without those withdrawn, ordered by time and id."""
    newest: dict[str, Contribution] = {}
    for contribution in contributions:
        known = newest.get(contribution.id)
        if known is None or contribution.revision > known.revision:
            newest[contribution.id] = contribution
    return sorted((c for c in newest.values() if not c.gone), key=lambda c: (c.at, c.id))


def _night(at: datetime, zone: ZoneInfo, model: ExposureModel) -> date | None:
    local = at.astimezone(zone)
    pattern = model.patterns.nights
    if local.hour >= pattern.from_hour:
        return local.date()
    if local.hour < pattern.to_hour:
        return local.date() - timedelta(days=1)
    return None


def _longest_run(nights: set[date]) -> int:
    longest = run = 0
    before: date | None = None
    for night in sorted(nights):
        run = run + 1 if before is not None and night - before == timedelta(days=1) else 1
        longest, before = max(longest, run), night
    return longest


def summarize(
    contributions: Sequence[Contribution], at: datetime, time_zone: str, model: ExposureModel | None = None
) -> Summary:
    """What the officer sees at time `at` (aware). Contributions after `at` and unknown types count for nothing."""
    model = model or load_model()
    zone = ZoneInfo(time_zone)
    counts = {str(days): 0 for days in model.windows_days} | {"career": 0}
    load, heavy = 0.0, 0
    nights: set[date] = set()
    for contribution in current(contributions):
        kind, role = model.type(contribution.type), model.roles.get(contribution.role)
        age = _age_ms(at, contribution.at)
        if kind is None or role is None or kind.weight == 0 or age < 0:
            continue
        for days in model.windows_days:
            counts[str(days)] += age < days * _DAY_MS
        counts["career"] += 1
        load += kind.weight * float(role.factor) * math.pow(2, -(age / _DAY_MS) / model.half_life_days)
        heavy += kind.heavy and age < model.patterns.heavy_week.days * _DAY_MS
        if age < model.patterns.nights.days * _DAY_MS:
            night = _night(contribution.at, zone, model)
            if night is not None:
                nights.add(night)
    run = _longest_run(nights)
    return Summary(
        counts=counts,
        load=_round(load),
        heavy_week=heavy >= model.patterns.heavy_week.calls,
        nights_in_a_row=run,
        nights=run >= model.patterns.nights.nights,
    )


class Export(msgspec.Struct, frozen=True):
    """An officer's own export, as far as the sums need it."""

    contributions: list[Contribution]
    time_zone: str = "UTC"


def read_export(path: Path) -> Export:
    """Read an export. Raises WardwellError when it is not one; no value of it is quoted."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Export)
    except OSError:
        raise WardwellError(f"{path.name} cannot be read.", "Check the path.") from None
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise WardwellError(
            f"{path.name} is not an exposure export.",
            'It is JSON: {"time_zone": "America/Los_Angeles", "contributions": [...]}.',
        ) from None


@click.command("exposure")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--at", help="The moment to add up for, as ISO time with a zone (default: now).")
def exposure(file: Path, at: str | None) -> None:
    """Add up FILE, an officer's own export, by the reference: the browser must show the same. Keeps nothing."""
    export = read_export(file)
    try:
        moment = clock.now() if at is None else datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("no zone")
        summary = summarize(export.contributions, moment, export.time_zone)
    except (ValueError, ZoneInfoNotFoundError):
        raise WardwellError("The time or its zone is not known.", "Write it like 2026-11-01T08:00:00-07:00.") from None
    click.echo(msgspec.json.format(msgspec.json.encode(summary), indent=1).decode())
