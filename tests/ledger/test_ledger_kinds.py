"""A kind of entry is whole: fields, handling, an example, words in the report, a line in the docs, a reader."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from appliance.ledger import entries
from appliance.press.report_sections import KIND_WORDS
from appliance.spool.log_entries import KINDS, Entry, PersonEntry

ROOT = Path(__file__).parents[2]
EXAMPLES = [json.loads(line) for line in (Path(__file__).parent / "formats.jsonl").read_text().splitlines()]


def sources(*patterns: str) -> dict[str, str]:
    return {str(path.relative_to(ROOT)): path.read_text() for pattern in patterns for path in ROOT.glob(pattern)}


def missing(kinds: dict[str, type[Entry]]) -> dict[str, list[str]]:
    """What each place lacks of `kinds`, by the name of the place."""
    documented = dict(re.findall(r"^\| `([a-z-]+)` \| `([a-z0-9_, ]+)` \|", _interfaces(), re.MULTILINE))
    browser = "\n".join(sources("webapp/space/src/**/*.ts").values())
    ledger = "\n".join(sources("appliance/ledger/*.py", "appliance/crypto/restore_statement.py").values())
    examples = {json.loads(each["request"])["kind"] for each in EXAMPLES}
    lacks = {
        "the documentation": [
            kind for kind, entry in kinds.items() if documented.get(kind) != ", ".join(entry.__struct_fields__)
        ],
        "the report": [kind for kind in kinds if kind not in KIND_WORDS],
        "recorded bytes": [kind for kind, entry in kinds.items() if not entry.own and kind not in examples],
        "the ledger": [
            kind
            for kind, entry in kinds.items()
            if not (f'"{kind}"' in ledger or entry.__name__ in ledger if entry.own else kind in entries.ASKED_FOR)
        ],
        "the browser": [
            kind
            for kind, entry in kinds.items()
            if entry.in_browser and not re.search(rf'(readLeaf\(.*|kind: |recent\()"{kind}"', browser)
        ],
    }
    return {place: kinds_ for place, kinds_ in lacks.items() if kinds_}


def _interfaces() -> str:
    text = (ROOT / "docs" / "interfaces.md").read_text()
    return text[text.index("## Ledger") : text.index("## Private space's API")]


def test_no_kind_is_half_added() -> None:
    assert missing(KINDS) == {}


@pytest.mark.parametrize("own", [True, False])
def test_a_half_added_kind_is_noticed_everywhere(own: bool) -> None:
    half = type("Half", (), {"own": own, "in_browser": True, "__struct_fields__": ("field",), "__name__": "Half"})
    places = {"the documentation", "the report", "the ledger", "the browser"} | (set() if own else {"recorded bytes"})
    assert set(missing(KINDS | {"half": half})) == places


def test_every_place_knows_only_kinds_that_exist() -> None:
    assert set(KIND_WORDS) == set(KINDS)
    assert {kind for kind, entry in KINDS.items() if entry.own} == {"heads", "restored", "about"}
    assert set(entries._SPECIAL) <= entries.ASKED_FOR
    read = re.findall(r'readLeaf\(.*?, "([a-z-]+)"\)', "\n".join(sources("webapp/space/src/**/*.ts").values()))
    assert read
    assert {kind for kind in read if not KINDS[kind].in_browser} == set()


def test_entries_are_made_in_one_place() -> None:
    makes = re.compile(r"\bAppend\(|\bAbout\(|[\"']actor_role[\"']|\bPersonEntry\(")
    found = {name for name, text in sources("appliance/**/*.py", "webapp/**/*.py").items() if makes.search(text)}
    assert found == {
        "appliance/spool/messages.py",
        "appliance/spool/log_entries.py",
        "appliance/charter/person_entry.py",
    }
    stated = re.sub(r":[^,]*", "", re.findall(r"`body`: `\{(.*?)\}`", _interfaces(), re.DOTALL)[0])
    assert re.split(r",\s+", stated) == list(PersonEntry.__struct_fields__)
