"""`wardwell exposure model show`: everything that the officer's browser adds up with, to be read and argued with.

Owns: how the model is shown. It reads the file that the browser's code is built from (`exposure.json`), and needs no
appliance. Must never see: a contribution or a person.
"""

from __future__ import annotations

from collections.abc import Iterator

import click
import msgspec

from appliance.rules.exposure_model import FILE, ExposureModel, Pattern, digest, load_model

_SAID = {"title", "reason", "source"}


@click.group()
def exposure() -> None:
    """How exposure is added up."""


@exposure.group()
def model() -> None:
    """The exposure model: types, weights, decay, windows, patterns, reasons and sources."""


@model.command()
@click.option("--json", "as_json", is_flag=True, help="The file itself, with its digest, as one JSON object.")
def show(as_json: bool) -> None:
    """Print every number of the model, why it is what it is, and where it comes from."""
    if as_json:
        whole = {"sha256": digest(), **msgspec.json.decode(FILE.read_bytes())}
        click.echo(msgspec.json.format(msgspec.json.encode(whole), indent=1).decode())
        return
    click.echo("\n".join(_lines(load_model())))


def _lines(shown: ExposureModel) -> Iterator[str]:
    yield f"Exposure model, version {shown.version}"
    yield f"SHA-256 of its canonical JSON: {digest()}"
    yield f"\n{shown.note}"
    yield f"\nWindows: the last {', '.join(map(str, shown.windows_days))} days, and all calls on record"
    yield from _why(shown.windows_reason, shown.windows_source)
    yield f"Decay: a call counts half after {shown.half_life_days} days"
    yield from _why(shown.half_life_reason, shown.half_life_source)
    yield "Load = sum of weight x factor of the part in the call x 2^(-days since the call / half-life)"
    yield f"  {shown.rounding}"
    yield "\nParts in a call"
    for name, role in shown.roles.items():
        yield f"  {role.factor}  {role.title} ({name})"
    yield from _why(shown.roles_reason, shown.roles_source)
    yield "\nPatterns"
    for name, pattern in shown.patterns.named().items():
        yield f"  {pattern.title} ({name}): {_constants(pattern)}"
        yield from _why(pattern.reason, pattern.source, "    ")
    yield f"  {shown.patterns_reason}"
    yield f"Shift day: begins at {shown.shift_day.from_hour}:00 on the agency's clock"
    yield from _why(shown.shift_day.reason, shown.shift_day.source)
    yield f"Incident notice: a critical incident opens a follow-up within {shown.incident_notice_days} days"
    yield from _why(shown.incident_notice_reason, shown.incident_notice_source)
    yield "\nTypes; one that is not listed, or that the agency has not mapped, weighs nothing"
    for kind in sorted(shown.types, key=lambda kind: -kind.weight):
        marks = [mark for mark, holds in (("heavy", kind.heavy), ("critical incident", kind.critical)) if holds]
        yield f"  {kind.weight:>2}  {kind.title} ({kind.id}){''.join(f', {mark}' for mark in marks)}"
        yield from _why(kind.why, kind.source, "      ")
        yield f"      APCO: {', '.join(kind.apco)}"
    yield f"  {shown.weights_reason}"
    yield "\nSources"
    for name, source in shown.sources.items():
        yield f"  [{name}] {source}"


def _why(reason: str, source: str, indent: str = "  ") -> Iterator[str]:
    yield f"{indent}{reason} [{'chosen; no source' if source == 'none' else source}]"


def _constants(pattern: Pattern) -> str:
    values = msgspec.structs.asdict(pattern)
    return ", ".join(f"{name} {value}" for name, value in values.items() if name not in _SAID)
