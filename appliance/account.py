"""Who is asking: the signed-in account, as guard, reveal and the desk's functions pass it on.

Owns: one small type. Must never see: a password, a code, a token.
"""

from __future__ import annotations

from dataclasses import dataclass

ANYONE = "anyone"


@dataclass(frozen=True)
class Account:
    """A person at the keyboard.

    `id` equals `handle` (32 hex digits) for everyone who has an account; `name` is the name that entries in the access
    log show; `roles` are the charter's role names that count now ("officer" for people on the roster). Someone who is
    not signed in is `NOBODY`: no id, no handle, the one role "anyone".
    """

    id: str
    name: str
    roles: frozenset[str]
    handle: str | None


NOBODY = Account("", "Someone not signed in", frozenset({ANYONE}), None)
