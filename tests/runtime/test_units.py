"""The units: each sandbox as tight as promised, and just the folders that the table of accounts gives."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from appliance import layout, settings
from appliance.settings import COMPARTMENTS, PRODUCTION, Home

UNITS = Path(__file__).parents[2] / "systemd"
COMPARTMENT_UNITS = [f"wardwell@{name}.service" for name in COMPARTMENTS]
WORST = 2.0


def exposure(unit: str, folder: Path, root: Path) -> float:
    """What `systemd-analyze security` makes of `unit` when the units of `folder` are installed in `root`."""
    target = root / "etc" / "systemd" / "system"
    shutil.copytree(folder, target)
    command = ["systemd-analyze", "security", "--offline=yes", f"--root={root}", "--no-pager", unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    return float(found.group(1))


@pytest.mark.parametrize("unit", [*COMPARTMENT_UNITS, "wardwell-front.service", "wardwell-witness.service"])
def test_no_unit_is_more_exposed_than_promised(unit: str, tmp_path: Path) -> None:
    assert exposure(unit, UNITS, tmp_path) <= WORST


def test_the_measure_notices_a_sandbox_that_is_taken_away(tmp_path: Path) -> None:
    loose = tmp_path / "units"
    loose.mkdir()
    (loose / "wardwell@.service").write_text("[Service]\nUser=wardwell-%i\nExecStart=/bin/true\n")
    assert exposure("wardwell@desk.service", loose, tmp_path / "root") > 8


def lines(compartment: str) -> dict[str, list[str]]:
    """Every setting of one instance, template first, drop-in after it; an empty one takes back what was before."""
    found: dict[str, list[str]] = defaultdict(list)
    files = [UNITS / "wardwell@.service", UNITS / f"wardwell@{compartment}.service.d" / "compartment.conf"]
    for file in files:
        for line in file.read_text().splitlines():
            name, equals, value = line.partition("=")
            if equals and not line.startswith("#"):
                found[name] = [*found[name], value.replace("%i", compartment)] if value else []
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The production home as it is, with settings that name one feed."""
    monkeypatch.setattr(settings, "CONFIGURATION", tmp_path)
    (tmp_path / "wardwell.toml").write_text('[[feeds]]\nname = "cad"\nprofile = "san-luis-obispo"\n')
    return Home(PRODUCTION)


@pytest.mark.parametrize("compartment", COMPARTMENTS)
def test_a_unit_is_given_what_the_table_gives_its_account(home: Home, compartment: str) -> None:
    user, found = f"wardwell-{compartment}", lines(compartment)
    shared = {group for group, members in layout.GROUPS.items() if user in members}
    assert set(" ".join(found["SupplementaryGroups"]).split()) == shared
    bound = {Path(path) for path in " ".join(found["BindPaths"] + found["ReadWritePaths"]).split()}
    wanted = set()
    for folder in layout.folders(home):
        by_group = folder.group in {user, *shared} and folder.mode & 0o020
        if folder.link is None and (folder.owner == user or by_group):
            wanted.add(folder.path)
    if compartment == "intake":
        # Feeds come and go with the settings; inside, only what is named `in` may be written.
        wanted = {path for path in wanted if path != home.drop("cad")} | {home.root / "drop"}
    assert bound == wanted


@pytest.mark.parametrize("compartment", COMPARTMENTS)
def test_only_desk_has_a_network(compartment: str) -> None:
    found = lines(compartment)
    inside = compartment != "desk"
    assert (found["PrivateNetwork"] == ["yes"]) == inside
    assert (found["RestrictAddressFamilies"] == ["AF_UNIX"]) == inside
    assert (found["IPAddressDeny"] == ["any"]) == inside
    assert found["MemoryMax"] and found["LoadCredential"] == [f"key:/run/wardwell/keys/{compartment}"]


def test_the_target_starts_every_compartment() -> None:
    wanted = re.search(r"^Wants=(.*)$", (UNITS / "wardwell.target").read_text(), re.M)
    assert wanted and sorted(wanted.group(1).split()) == sorted(COMPARTMENT_UNITS)


def test_every_folder_that_the_role_mounts_is_asked_for_at_boot() -> None:
    wanted = re.search(r"^Wants=(.*)$", (UNITS / "local-fs.target.d" / "wardwell.conf").read_text(), re.M)
    defaults = yaml.safe_load((UNITS.parent / "ansible" / "roles" / "disk" / "defaults" / "main.yml").read_text())
    mounted = [f"{mount['unit']}.mount" for mount in defaults["disk_mounts"]]
    assert wanted and sorted(wanted.group(1).split()) == sorted(["tmp.mount", *mounted])


@pytest.mark.parametrize(
    ("unit", "bound"), [("wardwell.target", True), ("wardwell@.service", True), ("wardwell-front.service", False)]
)
def test_nothing_that_keeps_records_starts_before_the_clock_is_checked(unit: str, bound: bool) -> None:
    """The front is the control: whom to call is shown whatever the clock says."""
    text = (UNITS / unit).read_text()
    for word in ("Requires", "After"):
        assert bool(re.search(rf"^{word}=.*\bwardwell-time-check\.service\b", text, re.M)) == bound
