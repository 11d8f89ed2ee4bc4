"""What is counted in one tree of files: circles of imports, long files, durable writes by hand, lines.

Every function takes the tree's folder, so that this tree and an older one are counted by the same rules. Names that a
function returns are those of the places that count, sorted: their number is the figure, and each can be looked up.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path

PACKAGES = ("appliance", "webapp", "provisioning")
CODE = (".py", ".ts", ".tsx", ".mjs", ".sh")
MOST_LINES = 400

# A migration that was shipped is never changed again, so it cannot be split or tidied.
FROZEN = "appliance/storage/migrations/versions/"

# `appliance/durable.py` owns these; by hand, one of its steps is forgotten sooner or later.
DURABLE = {"fsync", "fdatasync", "O_EXCL", "flock"}
DURABLE_PLACE = "appliance/durable.py"

Graph = Mapping[str, Set[str]]


def files(tree: Path) -> list[str]:
    """Paths of code in `tree`, as git knows them; in a folder that is no checkout, all there are."""
    if (tree / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True).stdout.splitlines()
    else:
        listed = [str(path.relative_to(tree)) for path in tree.rglob("*")]
    return sorted(path for path in listed if path.endswith(CODE) and (tree / path).is_file())


# --- circles ---------------------------------------------------------------------------------------------------------


def circles(graph: Graph) -> list[str]:
    """The circles of a graph, each as its members: groups whose members all reach each other."""
    reached = {node: _reached(graph, node) for node in graph}
    groups = {
        tuple(sorted(other for other in reached[node] if node in reached.get(other, ())))
        for node in graph
        if node in reached[node]
    }
    return sorted(" <-> ".join(group) for group in groups)


def _reached(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph.get(waiting.pop(), set()) - seen
        seen |= new
        waiting += new
    return seen


# In a process of its own: a package that was imported already is looked for where it was then.
_GRAPH = """
import json, sys, grimp
graph = grimp.build_graph(*sys.argv[1:], cache_dir=None)
print(json.dumps({module: sorted(graph.find_modules_directly_imported_by(module)) for module in graph.modules}))
"""


def python_circles(tree: Path) -> list[str]:
    """Circles of modules, and of packages and modules that lie side by side in the same package."""
    done = subprocess.run(
        [sys.executable, "-c", _GRAPH, *PACKAGES], cwd=tree, capture_output=True, text=True, check=True
    )
    modules = {module: set(imported) for module, imported in json.loads(done.stdout).items()}
    circular = set(circles(modules))
    for package in {module.rpartition(".")[0] for module in modules} - {""}:
        beside: dict[str, set[str]] = defaultdict(set)
        for importer, imported in _pairs(modules):
            child, other = _child(package, importer), _child(package, imported)
            if child and other and child != other:
                beside[child].add(other)
        circular.update(circles(beside))
    return sorted(circular)


def _pairs(graph: Graph) -> Iterator[tuple[str, str]]:
    return ((node, other) for node, others in graph.items() for other in others)


def _child(package: str, module: str) -> str | None:
    """The child of `package` that is `module` or holds it."""
    if not module.startswith(f"{package}."):
        return None
    return ".".join(module.split(".")[: package.count(".") + 2])


_FROM = re.compile(r"""^(?:import|export)\b[^;"']*?["'](\.[^"']+)["']|\bimport\(["'](\.[^"']+)["']\)""", re.M)


def typescript_circles(tree: Path) -> list[str]:
    """Circles of modules of the private space, imports of types included."""
    sources = {path for path in files(tree) if path.endswith((".ts", ".tsx")) and path.startswith("webapp/")}
    graph = {source: set(_imported(tree, source, sources)) for source in sources}
    return circles(graph)


def _imported(tree: Path, source: str, sources: set[str]) -> Iterator[str]:
    for found in _FROM.finditer((tree / source).read_text()):
        target = ((tree / source).parent / (found[1] or found[2])).resolve().relative_to(tree.resolve())
        stem = re.sub(r"\.(js|ts|tsx)$", "", str(target))
        yield from {f"{stem}.ts", f"{stem}.tsx", f"{stem}/index.ts"} & sources


# --- files -----------------------------------------------------------------------------------------------------------


def lines_of(tree: Path, path: str) -> int:
    return len((tree / path).read_text().splitlines())


def long_files(tree: Path) -> list[str]:
    """Files of code with more than 400 lines."""
    lengths = {path: lines_of(tree, path) for path in files(tree) if not path.startswith(FROZEN)}
    return [f"{path} ({length} lines)" for path, length in lengths.items() if length > MOST_LINES]


def durable_by_hand(tree: Path) -> list[str]:
    """Places outside `appliance/durable.py` that sync, lock or create exclusively by themselves."""
    return [
        f"{path}:{node.lineno} {name}"
        for path in files(tree)
        if path.startswith(PACKAGES) and path.endswith(".py") and path != DURABLE_PLACE
        for node in ast.walk(ast.parse((tree / path).read_text()))
        for name in _names(node)
        if name in DURABLE and isinstance(node, ast.expr)
    ]


def _names(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Attribute):
        return (node.attr,)
    return (node.id,) if isinstance(node, ast.Name) else ()


def lines(tree: Path) -> dict[str, int]:
    """Lines by kind of code, everything counted: blank lines and comments too."""
    found = {"Python without tests": 0, "Python of tests": 0, "TypeScript": 0}
    for path in files(tree):
        if path.endswith((".ts", ".tsx")):
            found["TypeScript"] += lines_of(tree, path)
        elif path.endswith(".py"):
            found["Python of tests" if path.startswith("tests/") else "Python without tests"] += lines_of(tree, path)
    return found
