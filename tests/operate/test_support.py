"""A support bundle holds what is on its list and nothing else, whatever lies around."""

from __future__ import annotations

import hashlib
import platform
import tarfile
from pathlib import Path

import msgspec
import pytest

from appliance.errors import WardwellError
from appliance.operate import support
from appliance.settings import COMPARTMENTS, Home

PLANTED = "Delgado-7731"


def _answers(command: list[str]) -> str:
    if command[-1] == "wardwell@desk.service":
        return f"ActiveState=active\nSubState={PLANTED}\nNRestarts=2\nMemoryCurrent=104857600\nDescription={PLANTED}\n"
    return ""


@pytest.fixture
def planted(tmp_path: Path) -> Home:
    """A home with one identifier everywhere: settings, feeds, hosts, logs, drops, names of files."""
    home = Home(tmp_path / "home")
    (home.root / "log").mkdir(parents=True)
    home.settings_file.write_text(
        f'agency = "{PLANTED}"\ndemonstration = true\n[hosts]\ndesk = "{PLANTED}.example:8443"\n'
        f'[[feeds]]\nname = "{PLANTED}"\nprofile = "csv"\n'
    )
    (home.root / "log" / "desk.log").write_text(
        f"2026-11-23 [info     ] {PLANTED}\n2026-11-23 [error    ] {PLANTED} who={PLANTED}\n[warning] {PLANTED}\n"
    )
    (home.root / "log" / f"desk-{PLANTED}.log").write_text(f"[critical ] {PLANTED}\n")
    drop = home.drop(PLANTED)
    drop.mkdir(parents=True)
    (drop / f"{PLANTED}.csv").write_text(PLANTED)
    for compartment in COMPARTMENTS:
        home.folder(compartment).mkdir()
        home.database(compartment).write_bytes(PLANTED.encode() * 200_000)
    return home


def test_no_planted_identifier_gets_in(planted: Home) -> None:
    content = support.encode(support.collect(planted, _answers))
    assert PLANTED.encode() not in content
    # The control: what was planted is what was read; the counts come from those very lines and files.
    report = msgspec.json.decode(content, type=support.Report)
    assert report.log_lines["desk"] == support.Lines(warnings=1, errors=2)
    assert report.database_mib_at_most["desk"] == 4
    assert report.checks["drop folders"].made == 1
    assert report.units["wardwell@desk"] == support.Unit("active", "other", 2, 100)
    assert report.demonstration


def test_a_value_outside_its_form_is_named_other(monkeypatch: pytest.MonkeyPatch, planted: Home) -> None:
    monkeypatch.setattr(platform, "release", lambda: f"6.1 {PLANTED}")
    assert support.collect(planted, _answers).kernel == "other"
    monkeypatch.setattr(platform, "release", lambda: "6.1.0-56-amd64")
    assert support.collect(planted, _answers).kernel == "6.1.0-56-amd64"


def test_what_is_written_is_what_was_previewed(planted: Home, tmp_path: Path) -> None:
    content = support.encode(support.collect(planted, _answers))
    digest = support.write(content, tmp_path / "bundle.tar")
    with tarfile.open(tmp_path / "bundle.tar") as tar:
        assert tar.getnames() == ["report.json", "SHA256SUMS"]
        inside = tar.extractfile("report.json")
        assert inside is not None
        assert inside.read() == content
    assert digest == hashlib.sha256(content).hexdigest()
    with pytest.raises(WardwellError, match="already exists"):
        support.write(content, tmp_path / "bundle.tar")


def test_two_sizes_within_one_power_of_two_look_alike(planted: Home) -> None:
    def size(megabytes: float) -> int:
        planted.database("post").write_bytes(b"x" * int(megabytes * (1 << 20)))
        return support.collect(planted, _answers).database_mib_at_most["post"]

    assert size(4.1) == size(7.9) == 8
    assert size(8.1) == 16


def test_nothing_there_is_an_answer_too(tmp_path: Path) -> None:
    report = support.collect(Home(tmp_path), lambda _command: "")
    assert report.checks["settings"] == support.Results(1, 1)
    assert report.units["wardwell-front"] == support.Unit("unknown", "unknown", -1, -1)
    assert report.database_mib_at_most["desk"] == 0
