"""An entry of the access log about a person: who acted, in which role, and what came of it.

Owns: making such an entry, for every page and command that concerns somebody. Must never see: what was shown.
"""

from __future__ import annotations

from appliance.account import Account
from appliance.charter.schema import Charter
from appliance.spool.log_entries import PersonEntry


def person_entry(
    charter: Charter,
    actor: Account,
    category: str,
    purpose: str,
    *,
    allowed: bool = True,
    incident: str = "",
    everyone: bool = False,
    note: str = "",
    acting_for: tuple[str, str] | None = None,
) -> PersonEntry:
    """The entry that says what `actor` did; fields as in `PersonEntry`, the role by `Charter.acting_role`.

    `acting_for` is the category and purpose of the act where it is not what the entry is about: whoever asks for a
    correction acts for the own account, and the entry is about a follow-up.
    """
    return PersonEntry(
        actor=actor.name,
        actor_role=charter.acting_role(actor.roles, *(acting_for or (category, purpose))),
        category=category,
        purpose=purpose,
        outcome="allowed" if allowed else "refused",
        incident=incident,
        everyone=everyone,
        note=note,
    )
