"""The reference of what the officer's browser adds up: counts, weighted load and patterns from contributions.

Owns: one pure function, so that anyone can check the browser's figures with other code. It runs on an officer's own
export, never on the appliance: no sum of a person exists there. The browser's twin is `webapp/space/src/exposure.ts`.

Load at time t = sum over contributions of weight(type) * factor(role) * 2^(-age / half-life), age in days; the decay
form is plain exponential forgetting, the half-life a published choice in `appliance/rules/exposure.json`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
import msgspec

from appliance import clock
from appliance.errors import WardwellError
from appliance.rules.exposure_model import ExposureModel, Pattern, load_model

_DAY_MS = 86_400_000


class Contribution(msgspec.Struct, frozen=True):
    """One call of one officer: received `at` (ISO UTC), canonical `type`, `role`; `gone` withdraws it.

    `minutes` on the call, null while no end is known; `hour` and `shift_day` on the agency's clock, of when the
    person's part began. Earlier contributions have neither, and 0 minutes where no end is known.
    """

    id: str
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    type: str
    role: str
    minutes: int | None
    revision: int
    gone: bool
    hour: int | None = None
    shift_day: date | None = None


class Summary(msgspec.Struct, frozen=True):
    """Counts of weighing calls per window ("7", "30", "90", "365", "career"), the load, and the patterns.

    `patterns` has what each pattern counts, `found` the names of those that reach the model's least; `same_kind` is the
    heavy type that came most often within that pattern's days, "" when none did.
    """

    counts: dict[str, int]
    load: float
    patterns: dict[str, int]
    found: list[str]
    same_kind: str


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


def _place(contribution: Contribution, zone: ZoneInfo, model: ExposureModel) -> tuple[int, date]:
    """Hour and shift day, from `at` for contributions that do not say them."""
    if contribution.hour is not None and contribution.shift_day is not None:
        return contribution.hour, contribution.shift_day
    local = contribution.at.astimezone(zone)
    return local.hour, local.date() - timedelta(days=local.hour < model.shift_day.from_hour)


def _longest_run(nights: set[date]) -> int:
    longest = run = 0
    before: date | None = None
    for night in sorted(nights):
        run = run + 1 if before is not None and night - before == timedelta(days=1) else 1
        longest, before = max(longest, run), night
    return longest


def _spans(calls: Sequence[Contribution], zone: ZoneInfo, model: ExposureModel) -> list[tuple[datetime, datetime]]:
    """Of each shift day in order: when its first call came in, and when the last one ended as far as is known."""
    spans: dict[date, tuple[datetime, datetime]] = {}
    for call in calls:
        _, day = _place(call, zone, model)
        first, last = spans.get(day, (call.at, call.at))
        end = call.at + timedelta(minutes=call.minutes or 0)
        spans[day] = (min(first, call.at), max(last, end))
    return [span for _, span in sorted(spans.items())]


def _patterns(
    weighing: Sequence[Contribution], at: datetime, zone: ZoneInfo, model: ExposureModel
) -> tuple[dict[str, int], str]:
    """What each pattern counts, and the heavy type that came most often."""
    patterns = model.patterns

    def within(pattern: Pattern) -> list[Contribution]:
        return [call for call in weighing if _age_ms(at, call.at) < pattern.days * _DAY_MS]

    def heavy(pattern: Pattern) -> list[str]:
        types = ((call.type, model.type(call.type)) for call in within(pattern))
        return [name for name, kind in types if kind is not None and kind.heavy]

    kinds = Counter(heavy(patterns.same_kind))
    same = min(kinds, key=lambda kind: (-kinds[kind], kind), default="")
    nights = set()
    for call in within(patterns.nights):
        hour, day = _place(call, zone, model)
        if hour >= patterns.nights.from_hour or hour < patterns.nights.to_hour:
            nights.add(day)
    long, short = patterns.long_days, patterns.short_turnarounds
    days = _spans(within(short), zone, model)
    between = [after[0] - before[1] for before, after in pairwise(days)]
    counted = {
        "heavy_week": len(heavy(patterns.heavy_week)),
        "same_kind": kinds[same],
        "nights": _longest_run(nights),
        "long_days": sum(
            last - first >= timedelta(hours=long.hours) for first, last in _spans(within(long), zone, model)
        ),
        "short_turnarounds": sum(
            timedelta(hours=short.from_hours) <= gap <= timedelta(hours=short.most_hours) for gap in between
        ),
    }
    return counted, same


def summarize(
    contributions: Sequence[Contribution],
    at: datetime,
    time_zone: str,
    not_there: Collection[str] = (),
    model: ExposureModel | None = None,
) -> Summary:
    """What the officer sees at time `at` (aware). Contributions after `at` and unknown types count for nothing.

    `not_there` are ids of contributions that the officer set aside: they are left out of everything.
    """
    model = model or load_model()
    counts = {str(days): 0 for days in model.windows_days} | {"career": 0}
    load = 0.0
    weighing = []
    for contribution in current(contributions):
        kind, role = model.type(contribution.type), model.roles.get(contribution.role)
        age = _age_ms(at, contribution.at)
        if kind is None or role is None or kind.weight == 0 or age < 0 or contribution.id in not_there:
            continue
        weighing.append(contribution)
        for days in model.windows_days:
            counts[str(days)] += age < days * _DAY_MS
        counts["career"] += 1
        load += kind.weight * float(role.factor) * math.pow(2, -(age / _DAY_MS) / model.half_life_days)
    counted, same = _patterns(weighing, at, ZoneInfo(time_zone), model)
    return Summary(
        counts=counts,
        load=_round(load),
        patterns=counted,
        found=[name for name, pattern in model.patterns.named().items() if counted[name] >= pattern.least],
        same_kind=same,
    )


class Export(msgspec.Struct, frozen=True):
    """An officer's own export, as far as the sums need it."""

    contributions: list[Contribution]
    time_zone: str = "UTC"
    not_there: list[str] = []


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
        summary = summarize(export.contributions, moment, export.time_zone, export.not_there)
    except (ValueError, ZoneInfoNotFoundError):
        raise WardwellError("The time or its zone is not known.", "Write it like 2026-11-01T08:00:00-07:00.") from None
    click.echo(msgspec.json.format(msgspec.json.encode(summary), indent=1).decode())
