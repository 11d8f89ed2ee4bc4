"""Which test files a change can affect, by the import graph: `python -m tests.support.changed`.

Owns: the base of the comparison, the graph of the repository's own imports, the reason for each selected file, and
how many seconds of tests `make quick` runs at most.
Must never see: the result of a test. It proposes what to run first; `make check` runs every unit test.

A test file is selected when it, or a `conftest.py` above it, imports a changed file, directly or through others.
What imports do not show counts as well: the full name of a module in a string (pages that are loaded by name); a
table from words to modules (the commands), for who imports the table and has the word in a string; the name of a
changed file in a string; and, for a file that is not Python, the Python files of its folder.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tests.support.balance import expected_seconds, load

ROOT = Path(__file__).resolve().parents[2]

# What every test runs in: the environment, its packages and the settings of the tools.
EVERYTHING = ("pyproject.toml", "provisioning/bootstrap.sh", "provisioning/locks/", "provisioning/apt")

# Seconds of tests in one process. The rest of a minute is for linters, the start of the processes and their imports.
SECONDS = 35

# Tests that carry one of these are not unit tests.
NOT_UNIT = frozenset({"system", "browser", "appliance", "vm", "long"})

_ENDS = (".py", "/__init__.py")
_MODULE_NAME = re.compile(r"(?:appliance|webapp|provisioning|tests)(?:\.\w+)+")


@dataclass(frozen=True)
class Source:
    """What a Python file says about others: the modules it imports, those that a table loads for a word (a command's
    name), its strings, and whether it has unit tests.
    """

    imports: frozenset[str] = frozenset()
    loads: frozenset[tuple[str, str]] = frozenset()
    strings: frozenset[str] = frozenset()
    unit: bool = True


@dataclass
class Selection:
    """Chosen test files with the reason for each, nearest to the change first, and what was left out although it is
    affected: unit tests that would take too long, and tests that are not unit tests.
    """

    chosen: dict[str, str] = field(default_factory=dict)
    too_long: dict[str, str] = field(default_factory=dict)
    not_unit: list[str] = field(default_factory=list)
    everything: str = ""


def is_test(path: str) -> bool:
    """Whether pytest collects tests from this path."""
    return path.startswith("tests/") and PurePosixPath(path).name.startswith("test_")


def _imported(node: ast.AST, package: tuple[str, ...]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package[: len(package) - node.level + 1] if node.level else ()
        module = ".".join((*above, *([node.module] if node.module else [])))
        yield module
        yield from (f"{module}.{alias.name}" for alias in node.names)


def _assigns(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets)


def _marked(nodes: Iterable[ast.AST]) -> bool:
    attributes = {part.attr for node in nodes for part in ast.walk(node) if isinstance(part, ast.Attribute)}
    return not NOT_UNIT.isdisjoint(attributes)


def _has_unit_tests(module: ast.Module) -> bool:
    """Whether some test function lacks the marks of `NOT_UNIT`, its own and those of the file."""
    if _marked(node for node in module.body if _assigns(node, "pytestmark")):
        return False
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    return any(node.name.startswith("test_") and not _marked(node.decorator_list) for node in functions)


def _loaded(node: ast.AST) -> Iterator[tuple[str, str]]:
    """(word, module) of a table such as `{"doctor": "appliance.health.commands:doctor"}`."""
    for key, value in zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ():
        words = [part.value for part in (key, value) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        if len(words) == 2 and _MODULE_NAME.fullmatch(words[1].partition(":")[0]):
            yield words[0], words[1].partition(":")[0]


def read_source(path: str, text: str) -> Source:
    """Imports and strings of the Python file `path` (relative to the repository).

    Names in `pytest_plugins` are no imports: the plugin starts the whole demonstration, for tests that are not unit
    tests. SyntaxError when the text is not Python.
    """
    imports: set[str] = set()
    loads: set[tuple[str, str]] = set()
    strings: set[str] = set()
    package = PurePosixPath(path).parent.parts
    module = ast.parse(text)
    waiting: deque[ast.AST] = deque([module])
    while waiting:
        node = waiting.popleft()
        if _assigns(node, "pytest_plugins"):
            continue
        if table := set(_loaded(node)):
            loads.update(table)
            continue
        imports.update(_imported(node, package))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 200:
            strings.add(node.value)
            imports.update(_MODULE_NAME.findall(node.value))
        waiting.extend(ast.iter_child_nodes(node))
    return Source(frozenset(imports), frozenset(loads), frozenset(strings), _has_unit_tests(module))


def _files_of(module: str, folder: str, known: Callable[[str], bool]) -> Iterator[str]:
    """The files that importing `module` runs: its own and those of the packages it is in.

    A first name that the root does not have is looked for beside the importer, as pytest does for its test files.
    """
    parts = module.split(".")
    for start in ("", folder):
        files = [
            path
            for length in range(1, len(parts) + 1)
            for path in (f"{'/'.join((*start.split('/'), *parts[:length])).lstrip('/')}{end}" for end in _ENDS)
            if known(path)
        ]
        if files:
            yield from files
            return


def _conftests(path: str, known: Callable[[str], bool]) -> Iterator[str]:
    yield from filter(known, (f"{above}/conftest.py" for above in PurePosixPath(path).parents))


def importers(sources: dict[str, Source], gone: Iterable[str] = ()) -> dict[str, set[str]]:
    """File -> files that import it themselves. Test files import each `conftest.py` of the folders above them."""
    files = {*sources, *gone}
    result: dict[str, set[str]] = {}
    for path, source in sources.items():
        folder = str(PurePosixPath(path).parent)
        targets = {name for module in source.imports for name in _files_of(module, folder, files.__contains__)}
        if path.startswith("tests/"):
            targets.update(_conftests(path, files.__contains__))
        for target in targets - {path}:
            result.setdefault(target, set()).add(path)
    for table, source in sources.items():
        above = _reach(table, result) if source.loads else set()
        for word, module in source.loads:
            users = {path for path in above if word in sources[path].strings}
            for target in _files_of(module, "", files.__contains__):
                result.setdefault(target, set()).update(users - {target})
    return result


def _reach(path: str, users: dict[str, set[str]]) -> set[str]:
    """All files that import `path`, directly or through others."""
    seen: set[str] = set()
    waiting = [path]
    while waiting:
        new = users.get(waiting.pop(), set()) - seen
        seen |= new
        waiting.extend(new)
    return seen


def _touched(changed: str, sources: dict[str, Source]) -> Iterator[tuple[str, str]]:
    """Python files that the change of a file reaches without an import, each with the reason."""
    name = PurePosixPath(changed).name
    if name != "__init__.py":
        for path, source in sources.items():
            if any(text == name or text.endswith(f"/{name}") for text in source.strings):
                yield path, f"names {changed}"
    if changed.endswith(".py"):
        return
    for folder in PurePosixPath(changed).parents:
        beside = [path for path in sources if PurePosixPath(path).parent == folder]
        if str(folder) == "." or not beside:
            continue
        yield from ((path, f"lies where {changed} does") for path in beside)
        break
    parts = PurePosixPath(changed).parts
    for area in dict.fromkeys((parts[0].lstrip("."), *parts[1:2])):
        yield from ((path, f"is in the area of {changed}") for path in sources if path.startswith(f"tests/{area}/"))
    if len(parts) > 1:
        for path, source in sources.items():
            if is_test(path) and parts[0] in source.strings:
                yield path, f"reads the folder {parts[0]}/ of {changed}"


def select(changed: Iterable[str], sources: dict[str, Source]) -> Selection:
    """The unit-test files that the changed paths affect, each with the shortest chain of imports to a change."""
    changed = sorted(changed)
    result = Selection()
    for path in changed:
        if path.startswith(EVERYTHING):
            result.everything = f"{path} changed, which every test depends on"
    reasons: dict[str, str] = {}
    if result.everything:
        reasons = dict.fromkeys(sorted(sources), result.everything)
    else:
        users = importers(sources, (path for path in changed if path.endswith(".py")))
        waiting = deque(changed)
        reasons = dict.fromkeys(changed, "changed")
        for path in changed:
            for touched, reason in _touched(path, sources):
                if touched not in reasons:
                    reasons[touched] = reason
                    waiting.append(touched)
        while waiting:
            path = waiting.popleft()
            for user in sorted(users.get(path, ())):
                if user not in reasons:
                    reasons[user] = f"<- {path} {reasons[path]}"
                    waiting.append(user)
    # The search went outward from the changes, so the nearest tests come first.
    for path, reason in reasons.items():
        if path in sources and is_test(path):
            if sources[path].unit:
                result.chosen[path] = reason
            else:
                result.not_unit.append(path)
    return result


def shorten(selection: Selection, seconds: dict[str, int], limit: float) -> None:
    """Leave out what is furthest from the changes, and of what is equally far the longest, when the chosen files take
    more than `limit` seconds of work.

    Changed test files stay, and everything stays when everything depends on the change.
    """
    if selection.everything:
        return

    def rank(path: str) -> tuple[int, float]:
        return selection.chosen[path].count("<-"), expected_seconds(path, seconds)

    total = 0.0
    for path in sorted(selection.chosen, key=rank):
        reason, cost = selection.chosen[path], expected_seconds(path, seconds)
        if reason == "changed" or total + cost <= limit:
            total += cost
        else:
            selection.too_long[path] = selection.chosen.pop(path)


# --- the repository ---------------------------------------------------------------------------------------------------


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split("\0" if "-z" in arguments else "\n") if name]


def _exists(revision: str) -> bool:
    asked = ["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, check=False).returncode == 0


def base_of() -> str:
    """The commit to compare with: BASE, or where this branch left main; on main itself what is not committed yet, or
    else the last commit. ValueError when BASE names no commit, or there is none to compare with.
    """
    wanted = os.environ.get("BASE", "")
    if wanted:
        if not _exists(wanted):
            raise ValueError(f"BASE={wanted} is not a commit")
        return wanted
    for main in ("origin/main", "main"):
        if _exists(main):
            left = _git("merge-base", "HEAD", main)[0]
            if left != _git("rev-parse", "HEAD")[0] or _git("status", "--porcelain"):
                return left
            break
    if not _exists("HEAD~1"):
        raise ValueError("there is no commit to compare with")
    return "HEAD~1"


def changed_since(base: str) -> list[str]:
    """Paths that differ from `base`, committed or not, new and deleted files as well."""
    differing = _git("diff", "--name-only", "--no-renames", "-z", base, "--")
    return sorted({*differing, *_git("ls-files", "--others", "--exclude-standard", "-z")})


def read_sources() -> dict[str, Source]:
    """Every Python file of the repository that git knows or would add. A file that cannot be parsed imports nothing:
    the linters, which run first, report it.
    """
    sources: dict[str, Source] = {}
    for path in _git("ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", "*.py"):
        if (ROOT / path).is_file():
            try:
                sources[path] = read_source(path, (ROOT / path).read_text())
            except SyntaxError:
                sources[path] = Source()
    return sources


def report(base: str, changed: list[str], selection: Selection) -> Iterator[str]:
    """What was selected and why, line by line."""
    if base:
        yield f"{len(changed)} files differ from {base[:12]}"
    if selection.everything:
        yield f"all {len(selection.chosen)} unit test files: {selection.everything}"
    else:
        for path, reason in selection.chosen.items():
            yield f"  {path} {reason}"
        yield f"{len(selection.chosen)} unit test files selected" if selection.chosen else "no unit test is affected"
    if selection.too_long:
        yield f"{len(selection.too_long)} more would take too long here; make check runs them:"
        for path, reason in selection.too_long.items():
            yield f"  {path} {reason}"
    if selection.not_unit:
        yield f"{len(selection.not_unit)} more affected files are for make test, test-long or test-appliance"


def main() -> None:
    """Write the selected files to `--output`, one per line, and say on standard output which and why."""
    parser = argparse.ArgumentParser(description="Select the unit tests that a change can affect.")
    parser.add_argument("--output", type=Path, required=True, help="file that gets the selected paths")
    output = parser.parse_args().output
    try:
        sources = read_sources()
        base = base_of()
        changed = changed_since(base)
    except (ValueError, OSError, subprocess.CalledProcessError) as problem:
        sys.exit(
            f"wardwell: what changed cannot be told: {problem}.\n  what to do: BASE=COMMIT make quick, or make check."
        )
    selection = select(changed, sources)
    shorten(selection, load(), SECONDS * max(2, os.cpu_count() or 2))
    output.write_text("".join(f"{path}\n" for path in selection.chosen))
    sys.stdout.write("\n".join(report(base, changed, selection)) + "\n")


if __name__ == "__main__":
    main()
