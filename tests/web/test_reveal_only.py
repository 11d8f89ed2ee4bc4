"""Personal data reaches a page through `reveal` only: read from the source of every page, not tried page by page.

Every function of `appliance.desk` that a page names is in one of the lists below; one in none of them fails the test,
so whoever writes a new one decides. What tells about others may be named only inside the function that is handed to
`reveal` as `load`, or inside a helper that is named nowhere else. That the other lists are right is for review.
"""

from __future__ import annotations

import ast
import importlib
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

WEBAPP = Path(__file__).resolve().parents[2] / "webapp"

# Returns, or changes and thereby confirms, something about named people other than who is signed in.
ABOUT_OTHERS = {
    "follow_up.corrections": {"decide", "whole"},
    "follow_up.steps": {"add_person", "close", "offer_to_all"},
    "follow_up.views": {"candidates", "people_at"},
    "people.holds": {"listed"},
    "people.lookup": {"label"},
    "slips": {"issue"},
    "vouching": {"issue"},
}

# Handles alone: whose access logs get the look. `@discloses(subjects=...)` and `reveal` are what they are for.
SUBJECTS = {
    "follow_up.corrections": {"concerned", "people_of"},
    "follow_up.steps": {"attended_handles"},
    "follow_up.views": {"find_on_roster"},
    "people.holds": {"find", "subjects"},
    "people.lookup": {"everyone", "find_account"},
}

# Of the same modules: about incidents without people, about whoever is signed in, or an act that shows nothing.
NO_OTHERS = {
    "follow_up.corrections": {"ask", "of_incident", "own", "read", "waiting"},
    "follow_up.steps": {"open_by_hand", "resolve_unit", "template"},
    "follow_up.views": {"incident", "queue"},
    "people.holds": {"countersign", "propose", "propose_end", "review", "told"},
    "slips": {"count_open"},
    "vouching": {"open_history"},
}

# Modules that know nothing of others, each with its reason.
WHOLE_MODULES = {
    "erasure": "the signed-in person's own rows",
    "feeds.baseline": "feeds, no people",
    "feeds.receipts": "files and lines without cells",
    "health": "processes, no people",
    "inbox": "sealed rows of the signed-in person",
    "people.grants": "who holds which office: an agency names its officers openly, and the ledger records every change",
    "releases": "released figures, suppressed by press",
    "sign_in.accounts": "who is signed in",
    "sign_in.sessions": "who is signed in",
    "sign_in.steps": "who is signing in",
    "sign_in.totp": "who is signed in",
    "log_state": "what is published",
    "tickets": "blind signatures for whoever is signed in",
    "vault": "the signed-in person's own sealed rows",
    "versions": "proofs about the signed-in person's own rows",
}

DESK = "appliance.desk."


def _desk_names(tree: ast.AST) -> dict[str, str]:
    """Local name -> what of `appliance.desk` it stands for."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(DESK)
        for alias in node.names
    }


def _desk_functions(tree: ast.AST) -> Iterator[tuple[ast.expr, str, str]]:
    """Each place that names a function of `appliance.desk`: the node, its module below desk, the function's name."""
    names = _desk_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            module, name = names[node.value.id], node.attr
        elif isinstance(node, ast.Name) and node.id in names:
            module, _, name = names[node.id].rpartition(".")
        else:
            continue
        if not f"{module}.".startswith(DESK) or module == DESK[:-1]:
            continue  # the name of a module alone, in front of a function that is looked at by itself
        try:
            found = getattr(importlib.import_module(module), name)
        except ModuleNotFoundError:
            continue  # an attribute of a class
        if isinstance(found, types.FunctionType):
            yield node, found.__module__.removeprefix(DESK), found.__name__


def _inside(node: ast.AST) -> set[int]:
    return {id(part) for part in ast.walk(node)}


def _within_reveal(tree: ast.Module) -> set[int]:
    """Every node inside a function handed to `reveal`, or inside a helper that is named only there."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    within: set[int] = set()
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "reveal":
            load = call.args[3]
            if isinstance(load, ast.Lambda):
                within |= _inside(load)
            else:
                assert isinstance(load, ast.Name), "`load` is a lambda or the name of a function beside the call"
                outer = min(
                    (f for f in functions if id(call) in _inside(f)), key=lambda f: len(_inside(f)), default=tree
                )
                [handed] = [f for f in functions if f.name == load.id and id(f) in _inside(outer)]
                # Named once, where it is handed over: nobody calls it without `reveal`.
                assert [n.id for n in ast.walk(outer) if isinstance(n, ast.Name)].count(load.id) == 1
                within |= _inside(handed)
    while True:
        before = len(within)
        for function in functions:
            named = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == function.name]
            if named and function in tree.body and all(id(node) in within for node in named):
                within |= _inside(function)
        if len(within) == before:
            return within


def violations(source: str, name: str) -> list[str]:
    """What `source` of a page does that it must not, one sentence each."""
    tree = ast.parse(source)
    within = _within_reveal(tree)
    wrong = []
    for node, module, function in _desk_functions(tree):
        place = f"{name}:{node.lineno}: {module}.{function}"
        if function in ABOUT_OTHERS.get(module, ()):
            if id(node) not in within:
                wrong.append(f"{place} tells about others and is not inside what `reveal` is handed")
        elif module not in WHOLE_MODULES and function not in SUBJECTS.get(module, set()) | NO_OTHERS.get(module, set()):
            wrong.append(f"{place} is in no list: does it tell about others?")
    opened = {
        item.optional_vars.id
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        for item in node.items
        if isinstance(item.optional_vars, ast.Name)
    }
    wrong += [
        f"{name}:{node.lineno}: write `from ... import` of the module itself, so that its functions can be seen"
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if (f"{alias.name}." if isinstance(node, ast.Import) else f"{node.module}.{alias.name}.").startswith(DESK)
        if isinstance(node, ast.Import) or node.module == "appliance"
    ]
    wrong += [
        f"{name}:{node.lineno}: a page asks the database itself"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in opened
    ]
    return wrong


PAGES = sorted(path for path in WEBAPP.rglob("*.py") if "node_modules" not in path.parts)


def test_personal_data_reaches_pages_by_reveal_only() -> None:
    assert [line for path in PAGES for line in violations(path.read_text(), path.name)] == []


def test_what_the_lists_name_exists() -> None:
    """A function that was renamed would otherwise leave its list, and nobody would notice."""
    for listed in (ABOUT_OTHERS, SUBJECTS, NO_OTHERS):
        for module, names in listed.items():
            for name in names:
                assert callable(getattr(importlib.import_module(DESK + module), name))


def test_every_function_about_others_is_used_by_a_page() -> None:
    """Positive control: the search sees every one of them, so that an empty list of violations means something."""
    seen: dict[str, set[str]] = {}
    for path in PAGES:
        for _, module, function in _desk_functions(ast.parse(path.read_text())):
            seen.setdefault(module, set()).add(function)
    for module, names in ABOUT_OTHERS.items():
        assert names <= seen[module]


IMPORTS = "from appliance.desk.follow_up import views\nfrom appliance.desk.follow_up.views import people_at\n"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        # what is allowed
        ("def page():\n    def load():\n        return views.people_at(s, r)\n    return reveal(h, c, p, load)", ""),
        ("def page():\n    return reveal(h, c, p, lambda: people_at(s, r))", ""),
        ("def page():\n    return reveal(h, c, p, lambda: _all())\ndef _all():\n    return people_at(s, r)", ""),
        # what is not
        ("def page():\n    return views.people_at(s, r)", "not inside"),
        ("def page():\n    return people_at(s, r)", "not inside"),
        ("def page():\n    f = views.people_at\n    return reveal(h, c, p, lambda: f(s, r))", "not inside"),
        ("def page():\n    return reveal(h, c, p, lambda: None) or people_at(s, r)", "not inside"),
        (
            "def page():\n    return reveal(h, c, p, lambda: _all())\ndef _all():\n    return people_at(s, r)\n_all()",
            "not",
        ),
        ("def page():\n    with store.read() as session:\n        return session.scalars(q)", "asks the database"),
        ("import appliance.desk.follow_up.views as v\ndef page():\n    return v.people_at(s, r)", "from ... import"),
        ("from appliance import desk\ndef page():\n    return desk.follow_up.views.people_at(s, r)", "from ... import"),
    ],
)
def test_a_page_without_reveal_is_noticed(body: str, said: str) -> None:
    wrong = violations(IMPORTS + body, "page.py")
    assert bool(wrong) == bool(said)
    assert all(said in line for line in wrong)


def test_a_function_in_no_list_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NO_OTHERS, "follow_up.views", set())
    [line] = violations(IMPORTS + "def page():\n    return views.queue(s)", "page.py")
    assert line.endswith("is in no list: does it tell about others?")
