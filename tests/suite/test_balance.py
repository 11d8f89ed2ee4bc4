"""Promise: the test processes take the longest files first, by what was measured; `.ci/run` shows where time went."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tests.support import balance, slowest
from tests.support.balance import Case

RESULTS = """<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite>
<testcase classname="tests.ledger.test_log" name="test_a[1]" time="1.25" />
<testcase classname="tests.ledger.test_log.TestKills" name="test_b" time="2.0" />
<testcase classname="tests.press.test_pages" name="test_c" time="0.2"><failure message="x">y</failure></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    file = tmp_path / "test.xml"
    file.write_text(RESULTS)
    return file


def test_results_are_summed_by_file_with_classes_and_failures(results: Path) -> None:
    cases = balance.read_results(results)
    assert cases[1] == Case("tests/ledger/test_log.py", "test_b", 2.0)
    assert balance.seconds_of_files(cases) == {"tests/ledger/test_log.py": 3, "tests/press/test_pages.py": 0}


def test_longest_first_an_unmeasured_file_in_the_middle_and_equals_in_their_order() -> None:
    seconds = {"short.py": 1, "long.py": 90, "middle.py": 10, "other.py": 1}
    files = ["short.py", "new.py", "other.py", "short.py", "long.py", "middle.py"]
    # The median of 1, 1, 10 and 90 is 5.5.
    assert balance.longest_first(files, seconds) == ["long.py", "middle.py", "new.py", "short.py", "other.py"]
    assert balance.longest_first(["b.py", "a.py"], {}) == ["b.py", "a.py"]


def test_a_test_process_takes_files_longest_first_and_a_run_without_them_keeps_the_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(balance, "load", lambda: {"short.py": 1, "long.py": 90})
    order = [("short.py", 1), ("short.py", 2), ("long.py", 3), ("long.py", 4)]
    for config, expected in ((SimpleNamespace(workerinput={}), [3, 4, 1, 2]), (SimpleNamespace(), [1, 2, 3, 4])):
        items = [SimpleNamespace(location=place) for place in order]
        balance.pytest_collection_modifyitems(cast(pytest.Config, config), cast(list[pytest.Item], items))
        assert [item.location[1] for item in items] == expected


def test_xdist_keeps_that_order(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.option.loadscopereorder is False


def test_writing_keeps_what_was_not_run_and_drops_what_is_gone(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tests/ledger/test_log.py", "tests/kit/test_kept.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    file = tmp_path / "durations.json"
    file.write_text(json.dumps({"tests/kit/test_kept.py": 7, "tests/gone/test_gone.py": 9}))
    monkeypatch.setattr(balance, "ROOT", tmp_path)
    monkeypatch.setattr(balance, "DURATIONS", file)
    monkeypatch.setattr("sys.argv", ["balance", str(results)])
    balance.main()
    assert json.loads(file.read_text()) == {"tests/kit/test_kept.py": 7, "tests/ledger/test_log.py": 3}


def test_most_test_files_are_measured() -> None:
    files = {str(path.relative_to(balance.ROOT)) for path in (balance.ROOT / "tests").rglob("test_*.py")}
    files = {path for path in files if not path.startswith("tests/appliance/")}
    assert len(files & set(balance.load())) > 0.7 * len(files), "run `make test DURATIONS=write`"


def test_the_table_has_the_slowest_tests_of_all_parts_and_says_what_is_missing(results: Path) -> None:
    (results.parent / "test.parts").write_text("set-up\t3\ntests\t512\n")
    lines = list(slowest.table(["test", "test-appliance"], results.parent))
    assert lines == [
        "== slowest tests (s)",
        "     2.0  tests/ledger/test_log.py::test_b",
        "     1.2  tests/ledger/test_log.py::test_a[1]",
        "     0.2  tests/press/test_pages.py::test_c",
        "make test-appliance left no results of tests",
        "== parts (s)",
        "     3    make test: set-up",
        "   512    make test: tests",
    ]
    many = [Case("tests/x.py", str(number), number) for number in range(30)]
    assert len(list(slowest.slowest(many))) == 10
    assert next(slowest.slowest(many)).endswith("::29")
