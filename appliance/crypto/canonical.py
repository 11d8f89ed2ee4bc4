"""Canonical JSON (RFC 8785), for everything that is hashed or signed.

Owns: one function. Floats are refused: no signed figure of Wardwell needs one, and number formatting is where
canonical JSON implementations disagree. Integers stay within the 53 bits that every JSON reader keeps.
"""

from __future__ import annotations

import json
from typing import Any

_SAFE = 2**53 - 1


def _check(value: Any) -> None:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return
    if isinstance(value, int):
        if abs(value) > _SAFE:
            raise ValueError("an integer in canonical JSON stays within 53 bits")
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError("a key in canonical JSON is a string")
            _check(item)
    else:
        raise ValueError(f"{type(value).__name__} has no place in canonical JSON")


def _sorted(value: Any) -> Any:
    # RFC 8785, 3.2.3: keys sort by UTF-16 code units, which differs from code points above U+FFFF.
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value, key=lambda k: k.encode("utf-16-be"))}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    return value


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of `value` (dict, list, str, int, bool, None). Raises ValueError for anything else."""
    _check(value)
    return json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8")
