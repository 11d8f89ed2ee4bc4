"""Promise: narrative, caller, victim, address and plate leave no trace beyond the parser, whatever the format.

A served intake takes one file of every format with marker words in those fields, and one file that it refuses. Then
its memory, its databases opened with their keys, and every file of the home are searched. What may hold the words is
the original of the refused file, which waits in quarantine under intake's user alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.intake.profile.feed_profile import SHIPPED
from appliance.intake.settle.take import quarantine_folder
from appliance.settings import Home
from appliance.storage import Store
from tests.intake.layouts import LAYOUTS, NAMES, PACKINGS
from tests.intake.support import roster
from tests.support.traces import files, found_in, memory, rows
from tests.support.waiting import until

WORDS = ("ZQNARRATIVE9X", "ZQCALLER9X", "ZQVICTIM9X", "ZQADDRESS9X", "ZQPLATE9X")
PLANTED = "ZQPLANTED9X"
_FREE = ("narrative", "caller", "victim", "address", "plate")
_SERVE = [sys.executable, "-m", "appliance.cli", "intake", "serve"]
# Not refused alone: this file is unusable as a whole, and its original goes to quarantine.
_BAD = "2026-13-99 77:77"
_NEW_WORLD = """<CallExport xmlns="http://www.newworldsystems.com/Aegis/CAD/Peripheral/CallExport/2011/02">
<CallNumber>NW-1</CallNumber><CallerName>{1}</CallerName><CreateDateTime>2026-10-14T10:00:00</CreateDateTime>
<NatureOfCall>Suicide</NatureOfCall><Location><FullAddress>{3}</FullAddress></Location>
<Narratives><Narrative><Text>{0}</Text></Narrative></Narratives><Persons><Person><LastName>{2}</LastName></Person>
</Persons><Vehicles><Vehicle><LicensePlate>{4}</LicensePlate></Vehicle></Vehicles><AssignedUnits><Unit>
<UnitNumber>4201</UnitNumber><ArriveDateTime>2026-10-14T10:09:00</ArriveDateTime><UnitLogs><UnitLog>
<DateTime>2026-10-14T10:09:00</DateTime><Status>OnScene</Status><Location>{3}</Location></UnitLog></UnitLogs>
</Unit></AssignedUnits></CallExport>"""
_EIDO = """{{"$id":"urn:emergency:uid:incidentid:ei1:x.org","lastUpdateTimeStamp":"2026-10-14T10:00:00-07:00",
"incidentComponent":{{"incidentTypeCommonRegistryText":"SUICIDE"}},"notesComponent":[{{"notesActionComments":"{0}"}}],
"callbackComponent":[{{"callBackInformationUri":["{1}"]}}],"personComponent":[{{"name":"{2}"}}],
"locationComponent":[{{"locationByValue":"{3}"}}],"vehicleComponent":[{{"plate":"{4}"}}],
"emergencyResourceComponent":[{{"$id":"4201","emergencyResourceName":"4201",
"primaryUnitStatusRegistryText":"On Scene"}}]}}"""


def _toml(fields: dict[str, object]) -> str:
    """A generic profile with a layout's fields; the free-text columns are dropped by name."""
    known: dict[str, object] = {"format": "delimited", "date_format": "%Y-%m-%d", "time_format": "%Y-%m-%d %H:%M"}
    given = {**known, **fields}
    dropped = [*_FREE, *(given.pop("dropped", []))]  # type: ignore[misc]
    lines = ['name = "own"', 'description = ""', 'time_zone = "America/Los_Angeles"', f"dropped = {dropped!r}"]
    lines += [f"{name} = '{value}'" if value != "\t" else f'{name} = "\\t"' for name, value in given.items()]
    return "\n".join([*lines, "[columns]", *(f'{name} = "{name}"' for name in NAMES), "[types]", 'Suicide = "suicide"'])


@pytest.fixture
def loaded(store_of: Callable[[str], Store], tmp_path: Path) -> Home:
    """A home with one feed and one file per format, with the words in them; nothing has run yet."""
    store = store_of("intake")
    roster(store)
    home = store.home
    store.close()
    feeds, contents = [], dict[str, tuple[str, bytes]]()
    names = [*NAMES, *_FREE]
    for number, layout in enumerate(LAYOUTS):
        row = [f"TAKEN{number}X", "2026-10-14 10:01", "Suicide", "4201", "", "", *WORDS]
        name, profile = f"feed{number}", tmp_path / f"feed{number}.toml"
        profile.write_text(_toml(layout.fields))
        contents[name] = PACKINGS[number % len(PACKINGS)]("calls.dat", layout.write(names, [row]))
        feeds.append((name, str(profile)))
    bad = ["BAD", _BAD, "Suicide", "4201", "", "", *WORDS]
    contents["feedbad"] = ("calls.csv", LAYOUTS[0].write(names, [bad]))
    feeds += [("feedbad", feeds[0][1]), ("feednw", "newworld-callexport"), ("feedeido", "eido")]
    log = tmp_path / "feedlog.toml"
    shipped = (SHIPPED / "generic-unit-log.toml").read_text()
    log.write_text(shipped.replace("[columns]", f"dropped = {list(_FREE)!r}\n[columns]"))
    feeds.append(("feedlog", str(log)))
    contents["feednw"] = ("call.xml", _NEW_WORLD.format(*WORDS).encode())
    contents["feedeido"] = ("incident.json", _EIDO.format(*WORDS).encode())
    shift = ["TAKENLOG", "E0001", "2026-10-14T06:00:00", "2026-10-14T18:00:00", *WORDS]
    contents["feedlog"] = ("calls.log", LAYOUTS[0].write(["unit", "employee_number", "on", "off", *_FREE], [shift]))
    entries = ", ".join(f'{{ name = "{name}", profile = "{profile}" }}' for name, profile in feeds)
    with home.settings_file.open("a") as settings:
        settings.write(f"feeds = [{entries}]\n")
    for feed, (name, raw) in contents.items():
        home.drop(feed).mkdir(parents=True)
        (home.drop(feed) / name).write_bytes(raw)
    return home


@pytest.mark.system
def test_free_text_of_every_format_leaves_no_trace(loaded: Home) -> None:
    drops = [
        path for path in loaded.root.rglob("*") if path.is_file() and path.name.startswith(("calls", "call.", "inc"))
    ]
    assert found_in((path.read_bytes() for path in drops), WORDS) == set(WORDS)
    environment = {**os.environ, "WARDWELL_HOME": str(loaded.root), "PLANTED": PLANTED}
    serving = subprocess.Popen(_SERVE, env=environment)
    try:
        until(lambda: not any(path.exists() for path in drops), seconds=90)
        assert found_in(memory(serving.pid), (*WORDS, PLANTED)) == {PLANTED}
    finally:
        serving.terminate()
        serving.wait(20)
    held = b"\n".join(rows(loaded, "intake"))
    # Positive controls: what is kept is found in the same places, and the words where they may be.
    taken = {f"TAKEN{number}X" for number in range(len(LAYOUTS))} | {"NW-1", "ei1/x.org", "TAKENLOG"}
    assert found_in(iter([held]), tuple(taken)) == taken
    assert found_in((path.read_bytes() for path in quarantine_folder(loaded).iterdir()), WORDS) == set(WORDS)
    assert found_in(iter([held]), WORDS) == set()
    assert found_in(files(loaded.root, quarantine_folder(loaded)), WORDS) == set()


@pytest.mark.system
def test_a_process_that_reads_the_file_itself_is_found_out() -> None:
    """Positive control of the search: text that was read once and is still referred to is seen, in every form."""
    for code in ("ascii", "utf-16-le"):
        decoded = f"held = sys.stdin.buffer.readline().decode({code!r}, 'ignore')"
        read = f"import sys; {decoded}; print(flush=True); sys.stdin.read()"
        with subprocess.Popen([sys.executable, "-c", read], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reading:
            assert reading.stdin
            assert reading.stdout
            reading.stdin.write(" ".join(WORDS).encode(code) + b"\n")
            reading.stdin.flush()
            reading.stdout.readline()
            assert found_in(memory(reading.pid), WORDS) == set(WORDS)
            reading.stdin.close()
