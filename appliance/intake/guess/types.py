"""Which canonical type a vendor's code most likely means.

Owns: words of calls and the types they stand for. Confident matches map; for the rest the nearest titles are named,
and a person decides. A code that is not mapped weighs nothing.
"""

from __future__ import annotations

import difflib
import html
import re
from functools import cache, lru_cache
from pathlib import Path

import msgspec

from appliance.rules.exposure_model import load_model

_RULES = Path(__file__).with_suffix(".toml")


@cache
def _rules() -> list[tuple[re.Pattern[str], str]]:
    rules = msgspec.toml.decode(_RULES.read_bytes())["rules"]
    return [(re.compile(rule["words"]), rule["type"]) for rule in rules]


def _plain(code: str) -> str:
    return re.sub(r"[^a-z0-9&]+", " ", html.unescape(code).lower()).strip()


@lru_cache(maxsize=4096)
def guess_type(code: str) -> tuple[str, float]:
    """(canonical id, confidence 0 to 1) of a vendor's code; ("", 0.0) when no rule is sure."""
    plain = _plain(code)
    model = load_model().types
    title = next((one.id for one in model if plain == _plain(one.title)), "")
    if title:
        return title, 0.95
    found = next((kind for rule, kind in _rules() if rule.search(plain)), "")
    if found:
        return found, 0.6 if found == "ordinary" else 0.8
    # A common code that several types share stands for the one that weighs least.
    shared = [one for one in model if code.strip() in one.apco]
    return (min(shared, key=lambda one: one.weight).id, 0.7) if shared else ("", 0.0)


@lru_cache(maxsize=4096)
def nearest(code: str, number: int = 3) -> list[str]:
    """Ids of the canonical types whose titles or names are nearest to `code`, the likeliest first."""
    plain = _plain(code)
    likely = guess_type(code)[0]

    def closeness(title: str, own: str) -> float:
        names = (_plain(title), _plain(own))
        shared = len(set(plain.split()) & set(" ".join(names).split()))
        return shared + max(difflib.SequenceMatcher(None, plain, name).ratio() for name in names)

    model = load_model().types
    ranked = sorted(model, key=lambda one: closeness(one.title, one.id), reverse=True)
    return list(dict.fromkeys([*([likely] if likely else []), *(one.id for one in ranked)]))[:number]
