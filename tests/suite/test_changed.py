"""Promise: `make quick` runs the unit tests that a change can affect, says why, and names what it leaves out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support import changed
from tests.support.changed import Selection, Source, read_source, report, select, shorten

FILES = {
    "appliance/__init__.py": "",
    "appliance/cli.py": 'COMMANDS = {"doctor": "appliance.health:doctor"}',
    "appliance/clock.py": "",
    "appliance/health.py": "",
    "appliance/ledger/__init__.py": "",
    "appliance/ledger/leaf.py": "from appliance import clock",
    "appliance/ledger/log.py": "from .leaf import Leaf",
    "appliance/press/__init__.py": "",
    "appliance/press/pages.py": "",
    "webapp/desk/__init__.py": 'PAGES = ["webapp.desk.admin"]',
    "webapp/desk/admin.py": "",
    "tests/__init__.py": "",
    "tests/conftest.py": 'pytest_plugins = ["tests.support.system"]',
    "tests/support/system.py": "from appliance.press import pages",
    "tests/ledger/conftest.py": "from town import Town",
    "tests/ledger/town.py": "",
    "tests/ledger/test_log.py": "from appliance.ledger.log import Log\ndef test_log(): ...",
    "tests/ledger/test_other.py": "def test_other(): ...",
    "tests/press/test_pages.py": "import appliance.press.pages\ndef test_pages(): ...",
    "tests/operate/test_doctor.py": 'from appliance.cli import main\ndef test_it(): main("doctor")',
    "tests/operate/test_logs.py": 'from appliance.cli import main\ndef test_it(): main("logs")',
    "tests/web/test_admin.py": "from webapp.desk import create_app\ndef test_it(): ...",
    "tests/web/test_real.py": "import pytest, webapp.desk\npytestmark = pytest.mark.browser\ndef test_it(): ...",
    "tests/install/test_units.py": 'UNITS = ROOT / "systemd"\ndef test_units(): ...',
}


@pytest.fixture
def sources() -> dict[str, Source]:
    return {path: read_source(path, text) for path, text in FILES.items()}


def test_a_test_that_imports_the_change_through_others_is_selected_and_the_rest_is_not(
    sources: dict[str, Source],
) -> None:
    chosen = select(["appliance/clock.py"], sources).chosen
    chain = "<- appliance/ledger/log.py <- appliance/ledger/leaf.py <- appliance/clock.py changed"
    assert chosen == {"tests/ledger/test_log.py": chain}


def test_without_the_import_in_between_nothing_is_selected(sources: dict[str, Source]) -> None:
    sources["appliance/ledger/leaf.py"] = Source()
    assert not select(["appliance/clock.py"], sources).chosen


def test_a_package_counts_for_each_of_its_modules(sources: dict[str, Source]) -> None:
    assert list(select(["appliance/press/__init__.py"], sources).chosen) == ["tests/press/test_pages.py"]


def test_importers_of_a_deleted_module_are_selected(sources: dict[str, Source]) -> None:
    del sources["appliance/press/pages.py"]
    assert list(select(["appliance/press/pages.py"], sources).chosen) == ["tests/press/test_pages.py"]


def test_a_helper_beside_the_tests_reaches_them_through_their_conftest(sources: dict[str, Source]) -> None:
    chosen = select(["tests/ledger/town.py"], sources).chosen
    assert set(chosen) == {"tests/ledger/test_log.py", "tests/ledger/test_other.py"}


def test_the_root_conftest_selects_every_test_and_its_plugin_for_system_tests_does_not(
    sources: dict[str, Source],
) -> None:
    units = {path for path in sources if changed.is_test(path)} - {"tests/web/test_real.py"}
    assert set(select(["tests/conftest.py"], sources).chosen) == units
    assert not select(["tests/support/system.py"], sources).chosen


def test_a_module_that_is_loaded_by_name_counts(sources: dict[str, Source]) -> None:
    selection = select(["webapp/desk/admin.py"], sources)
    assert list(selection.chosen) == ["tests/web/test_admin.py"]
    assert selection.not_unit == ["tests/web/test_real.py"]


def test_a_command_selects_the_tests_that_call_it_and_no_other_command(sources: dict[str, Source]) -> None:
    assert list(select(["appliance/health.py"], sources).chosen) == ["tests/operate/test_doctor.py"]
    both = {"tests/operate/test_doctor.py", "tests/operate/test_logs.py"}
    assert set(select(["appliance/cli.py"], sources).chosen) == both


@pytest.mark.parametrize(
    ("path", "test"),
    [
        ("appliance/press/templates/month.html", "tests/press/test_pages.py"),
        ("tests/ledger/vectors.json", "tests/ledger/test_other.py"),
        ("systemd/desk.service", "tests/install/test_units.py"),
        ("provisioning/install/site.toml.j2", "tests/install/test_units.py"),
    ],
)
def test_a_data_file_selects_by_folder(sources: dict[str, Source], path: str, test: str) -> None:
    assert test in select([path], sources).chosen
    assert "tests/operate/test_logs.py" not in select([path], sources).chosen


@pytest.mark.parametrize("path", ["pyproject.toml", "provisioning/bootstrap.sh", "provisioning/locks/build.txt"])
def test_the_environment_of_all_tests_selects_all_and_says_so(sources: dict[str, Source], path: str) -> None:
    selection = select([path], sources)
    shorten(selection, dict.fromkeys(FILES, 1000), 1)
    assert len(selection.chosen) == 7
    assert f"all 7 unit test files: {path} changed, which every test depends on" in report("0" * 40, [path], selection)


def test_nothing_selected_is_said(sources: dict[str, Source]) -> None:
    selection = select(["LICENSE"], sources)
    assert list(report("0" * 40, ["LICENSE"], selection)) == [
        "1 files differ from 000000000000",
        "no unit test is affected",
    ]


def test_what_is_furthest_is_left_to_check_and_named_and_a_changed_test_stays() -> None:
    chosen = {"tests/a.py": "changed", "tests/b.py": "<- x.py changed", "tests/c.py": "<- y.py <- x.py changed"}
    selection = Selection(chosen=dict(chosen))
    shorten(selection, {"tests/a.py": 100, "tests/b.py": 10, "tests/c.py": 10}, 110)
    assert list(selection.chosen) == ["tests/a.py", "tests/b.py"]
    assert "  tests/c.py <- y.py <- x.py changed" in list(report("0" * 40, ["x.py"], selection))
    enough = Selection(chosen=dict(chosen))
    shorten(enough, {"tests/a.py": 100, "tests/b.py": 10, "tests/c.py": 10}, 120)
    assert enough.chosen == chosen


def test_one_test_without_a_mark_makes_a_file_of_unit_tests() -> None:
    marked = "@pytest.mark.system\ndef test_real(): ...\n"
    assert not read_source("tests/test_x.py", marked).unit
    assert read_source("tests/test_x.py", marked + "def test_small(): ...\n").unit


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two commits on main; BASE is not set."""
    monkeypatch.setattr(changed, "ROOT", tmp_path)
    monkeypatch.delenv("BASE", raising=False)
    git(tmp_path, "init", "--initial-branch=main")
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text("import json\n")
        git(tmp_path, "add", name)
        git(tmp_path, "commit", "-m", name)
    return tmp_path


def test_on_main_with_nothing_new_the_last_commit_is_looked_at(repository: Path) -> None:
    assert changed.changed_since(changed.base_of()) == ["two.py"]


def test_what_is_not_committed_counts_new_changed_and_deleted(repository: Path) -> None:
    (repository / "one.py").write_text("import csv\n")
    (repository / "two.py").unlink()
    (repository / "three.py").touch()
    assert changed.changed_since(changed.base_of()) == ["one.py", "three.py", "two.py"]
    assert set(changed.read_sources()) == {"one.py", "three.py"}


def test_on_a_branch_all_since_main_counts_and_base_overrides(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(repository, "checkout", "-b", "topic")
    git(repository, "mv", "one.py", "new.py")
    git(repository, "commit", "-m", "move")
    assert changed.changed_since(changed.base_of()) == ["new.py", "one.py"]
    monkeypatch.setenv("BASE", "HEAD~2")
    assert changed.changed_since(changed.base_of()) == ["new.py", "one.py", "two.py"]
    monkeypatch.setenv("BASE", "nowhere")
    with pytest.raises(ValueError, match="BASE=nowhere is not a commit"):
        changed.base_of()


def test_the_repository_itself_is_read() -> None:
    selection = select(["appliance/crypto/tlog.py"], changed.read_sources())
    assert "<- appliance/ledger/log.py <- appliance/crypto/tlog.py changed" in "\n".join(selection.chosen.values())
