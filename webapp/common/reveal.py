"""The one way to reveal something about people: check the charter, append to their access logs, then load.

Owns: the order of these three. Must never see: what `load` returns; it passes it on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from flask import g
from werkzeug.exceptions import Forbidden

from appliance.account import ANYONE, Account
from appliance.charter.person_entry import person_entry
from appliance.spool import log_entries
from appliance.spool.append import append
from webapp.common.site import current_site

T = TypeVar("T")


def reveal(
    subjects: Sequence[str],
    category: str,
    purpose: str,
    load: Callable[[], T],
    *,
    incident: str = "",
    everyone: bool = False,
    note: str = "",
) -> T:
    """Return `load()` after every one of `subjects` (handles) has this look in the own access log, on disk.

    `incident` is the incident's reference, `everyone` says that all who attended it have the same entry, `note` is one
    of the product's own phrases (never free text). For a category that is not about people, `subjects` is empty and
    nothing is appended. Raises Forbidden when the charter refuses, LedgerDown when the ledger does not acknowledge;
    in both cases `load` is never called. Never call it inside a write transaction.
    """
    account: Account = g.account
    site = current_site()
    allowed = site.charter.allows(account.roles | {ANYONE}, category, purpose)
    entry = person_entry(
        site.charter, account, category, purpose, allowed=allowed, incident=incident, everyone=everyone, note=note
    )
    if subjects:
        append(site.home, log_entries.request(about=entry, handles=subjects))
    if not allowed:
        raise Forbidden
    return load()
