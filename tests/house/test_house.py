"""`make house` counts what it says: each count with a tree in which it is 0 and one in which it is not."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.house import __main__ as command
from tests.house import counts
from tests.house.duplicates import LEAST, duplicates


def grow(tree: Path, files: dict[str, str]) -> Path:
    """A tree with the three packages, empty but for `files`."""
    for package in counts.PACKAGES:
        files = {f"{package}/__init__.py": "", **files}
    for path, text in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    return tree


PASSAGE = "".join(f"print('line {number}')\n" for number in range(LEAST))


def test_a_circle_of_modules_and_a_circle_of_packages(tmp_path: Path) -> None:
    tree = grow(
        tmp_path,
        {
            "appliance/a/__init__.py": "",
            "appliance/a/one.py": "from appliance.b import two\n",
            "appliance/a/other.py": "",
            "appliance/b/__init__.py": "",
            "appliance/b/two.py": "",
        },
    )
    assert counts.python_circles(tree) == []
    grow(tree, {"appliance/b/three.py": "def late():\n    from appliance.a import other\n"})
    assert counts.python_circles(tree) == ["appliance.a <-> appliance.b"]
    grow(tree, {"appliance/b/two.py": "from appliance.a import one\n"})
    assert counts.python_circles(tree) == ["appliance.a <-> appliance.b", "appliance.a.one <-> appliance.b.two"]


@pytest.mark.parametrize(
    "back", ['import type { A } from "./a.js";', 'export * from "./a.js";', 'const a = () => import("./a.js");']
)
def test_a_circle_of_typescript(tmp_path: Path, back: str) -> None:
    tree = grow(tmp_path, {"webapp/a.ts": 'import {\n  B,\n} from "./b.js";\n', "webapp/b.tsx": ""})
    assert counts.typescript_circles(tree) == []
    grow(tree, {"webapp/b.tsx": back})
    assert counts.typescript_circles(tree) == ["webapp/a.ts <-> webapp/b.tsx"]


def test_a_long_file(tmp_path: Path) -> None:
    tree = grow(tmp_path, {"webapp/a.ts": "\n" * counts.MOST_LINES})
    assert counts.long_files(tree) == []
    grow(tree, {"webapp/a.ts": "\n" * (counts.MOST_LINES + 1), f"{counts.FROZEN}long.py": "\n" * 500})
    assert counts.long_files(tree) == ["webapp/a.ts (401 lines)"]


def test_a_durable_write_by_hand(tmp_path: Path) -> None:
    sync = "import os\nfrom fcntl import flock\n\nos.fsync(1)\nflock(1, 2)\n"
    tree = grow(tmp_path, {counts.DURABLE_PLACE: sync, "tests/a.py": sync, "appliance/a.py": '"""No fsync here."""\n'})
    assert counts.durable_by_hand(tree) == []
    grow(tree, {"appliance/a.py": sync})
    assert counts.durable_by_hand(tree) == ["appliance/a.py:4 fsync", "appliance/a.py:5 flock"]


def test_lines_by_kind(tmp_path: Path) -> None:
    tree = grow(tmp_path, {"appliance/a.py": "a\nb\n", "tests/a.py": "\n", "webapp/a.ts": "1\n", "webapp/a.tsx": "2\n"})
    assert counts.lines(tree) == {"Python without tests": 2, "Python of tests": 1, "TypeScript": 2}


def test_what_git_ignores_is_not_counted() -> None:
    listed = counts.files(command.ROOT)
    assert "tests/house/test_house.py" in listed
    assert not [path for path in listed if "node_modules" in path or path.startswith(".venv")]


def test_duplicates_are_pairs_of_places() -> None:
    one = PASSAGE + "one = 1\n"
    assert duplicates({"a.py": one, "b.py": PASSAGE.replace("line 3", "line three")}) == []
    indented = "import os\n\n# a comment\nif True:\n" + textwrap.indent(PASSAGE, "    ")
    [found] = duplicates({"a.py": one, "b.py": indented})
    assert (found.first, found.second, found.length) == ("a.py:1", "b.py:5", LEAST)
    assert len(duplicates({"a.py": one, "b.py": one, "c.py": one})) == 3
    [longer] = duplicates({"a.py": one, "b.py": one})
    assert longer.length == LEAST + 1
    [twice] = duplicates({"a.py": one + PASSAGE})
    assert (twice.first, twice.second) == ("a.py:1", "a.py:8")


def test_imports_comments_and_punctuation_are_no_duplicates() -> None:
    imports = "from a import (\n    b,\n    c,\n    d,\n    e,\n    f,\n)\n"
    assert duplicates({"a.py": imports, "b.py": imports}) == []
    braces = "}\n" * 8 + "// said twice\n" * 8 + 'import { a, b } from "./c.js";\n' * 8
    assert duplicates({"a.ts": braces, "b.ts": braces}) == []


def test_the_command_fails_when_a_count_is_not_0(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command, "ROOT", grow(tmp_path, {}))
    assert CliRunner().invoke(command.house).exit_code == 0
    grow(tmp_path, {"webapp/a.ts": "\n" * 500})
    result = CliRunner().invoke(command.house)
    assert result.exit_code == 1
    assert "files over 400 lines: webapp/a.ts (500 lines)" in result.stderr


@pytest.mark.parametrize("name", command.MUST_BE_NONE)
def test_this_repository_has_none(name: str) -> None:
    assert command.MUST_BE_NONE[name](command.ROOT) == []
