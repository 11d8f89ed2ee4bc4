"""Coverage-guided fuzzing of a reader and the mapping: `python -m tests.intake.fuzz FORMAT [--broken] CORPUS FLAGS`.

CORPUS is a folder, which gets the format's valid files first, or a file that is to be tried again. FLAGS are
libFuzzer's (`-max_total_time=SECONDS`, `-seed=NUMBER`). `--broken` plants a fault that lies in a valid file's
way. Its own process, since atheris counts the branches of what it imports.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["appliance.intake"]):
    from appliance.intake.read.child import shifts, versions

from appliance.intake.profile.feed_profile import Profile, UnitLog, load_feed
from appliance.intake.read.formats import Unusable
from appliance.intake.read.mapping import Notes
from appliance.intake.read.opening import Source
from appliance.intake.records import CallVersion, Shift
from tests.intake.layouts import LAYOUTS, NAMES, profile

_ROWS = [["9001", "2026-03-08T02:30:00", "é\n", "A1=10:02,B2", "x", '"q"'], ["9002", "2400", "t", "", "", ""]]
_NEW_WORLD = (
    b'<CallExport xmlns="urn:n" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><CallNumber>9001</CallNumber>'
    b'<CreateDateTime>2026-02-01T10:00:00</CreateDateTime><CloseDateTime i:nil="true"/><AssignedUnits><Unit>'
    b"<UnitNumber>A1</UnitNumber><UnitLogs><UnitLog><DateTime>2026-02-01T10:02:00</DateTime><Status>OnScene</Status>"
    b"</UnitLog></UnitLogs></Unit></AssignedUnits></CallExport>"
)
_EIDO = (
    b'{"$id":"urn:emergency:uid:incidentid:a9001:x.org","lastUpdateTimeStamp":"2026-02-01T10:00:00.0-05:00",'
    b'"emergencyResourceComponent":[{"$id":"u1","primaryUnitStatusRegistryText":"On Scene"}],"mergeComponent":[]}'
)
_UNIT_LOG = b"unit,employee_number,on,off\n9001,E1,2026-11-01T01:30:00,2026-11-01T09:00:00\n9002,,2026-02-01 24:00,\n"
TABLES = ("delimited", "xlsx", "json-lines", "json-array", "niem-xml")


def reading(name: str) -> Profile | UnitLog:
    """The profile that a format is read with here."""
    if name in TABLES:
        return profile(format=name, encoding="detect", time_format="iso")
    return load_feed({"newworld-xml": "newworld-callexport", "eido-json": "eido"}.get(name, "generic-unit-log"))


def seeds(name: str) -> list[bytes]:
    """Valid files, which the fuzzer alters."""
    if name not in TABLES:
        return [{"newworld-xml": _NEW_WORLD, "eido-json": _EIDO, "unit-log": _UNIT_LOG}[name]]
    layouts = [layout for layout in LAYOUTS if layout.fields.get("format", "delimited") == name]
    return [layout.write(NAMES, [[layout.fits(cell) for cell in row] for row in _ROWS]) for layout in layouts]


def _records(source: Source, path: Path, how: Profile | UnitLog) -> Iterator[object]:
    if isinstance(how, UnitLog):
        return shifts(source, path, how, frozenset({"E1"}), Notes())
    return versions(source, path, how)


def read(path: Path, how: Profile | UnitLog) -> Iterator[CallVersion | Shift]:
    """The calls or shifts in a file; nothing when it cannot be used. Whatever it raises is a fault."""
    try:
        with Source(path) as source:
            for found in _records(source, path, how):
                if isinstance(found, CallVersion | Shift):
                    # Every text of it can be stored as UTF-8.
                    str(found).encode()
                    yield found
    except Unusable:
        return


def target(how: Profile | UnitLog, path: Path, *, broken: bool) -> Callable[[bytes], None]:
    """One run over some bytes."""

    def run(raw: bytes) -> None:
        path.write_bytes(raw)
        for found in read(path, how):
            if broken and "900" in (found.unit if isinstance(found, Shift) else found.number):
                raise AssertionError("the planted fault was found")

    return run


def main() -> None:
    name, *rest = sys.argv[1:]
    flags = [word for word in rest if word != "--broken"]
    corpus = Path(flags[0])
    if not corpus.is_file():
        corpus.mkdir(exist_ok=True)
        for number, raw in enumerate(seeds(name)):
            (corpus / f"seed-{number}").write_bytes(raw)
    with tempfile.TemporaryDirectory() as folder:
        run = target(reading(name), Path(folder, "drop.dat"), broken="--broken" in rest)
        atheris.Setup([sys.argv[0], *flags], run)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
