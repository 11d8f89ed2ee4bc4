"""Finding one person by what a colleague writes down: roster number, or local sign-in name.

Owns: this one look-up, for slips and roles. It needs the whole number or name: it is no search. Must never see: what
the person has.
"""

from __future__ import annotations

from sqlalchemy import select

from appliance.desk.models.people import DeskAccount, Person
from appliance.desk.sign_in.accounts import normal_name
from appliance.errors import WardwellError
from appliance.storage import Store


def find_account(store: Store, text: str) -> str:
    """The handle of the person with roster number `text`, else of the local account of that name.

    Raises WardwellError when there is nobody.
    """
    with store.read() as session:
        handle = session.scalar(select(Person.handle).where(Person.person_id == text.strip(), Person.active))
        handle = handle or session.scalar(
            select(DeskAccount.handle).where(DeskAccount.sign_in_name == normal_name(text), DeskAccount.kind == "local")
        )
    if not handle:
        raise WardwellError("There is nobody with that number or name.", "Check it against the roster.")
    return handle


def everyone(store: Store) -> list[str]:
    """Handles of all who are on the present roster, and of all local accounts."""
    with store.read() as session:
        people = session.scalars(select(Person.handle).where(Person.active).order_by(Person.name, Person.person_id))
        local = session.scalars(select(DeskAccount.handle).where(DeskAccount.kind == "local"))
        return [*people, *local]


def label(store: Store, handle: str) -> tuple[str, str]:
    """Name and number as a slip shows them; a local account has its sign-in name instead of a number."""
    with store.read() as session:
        person = session.get(Person, handle)
        if person is not None:
            return person.name, f"No. {person.person_id}"
        account = session.get(DeskAccount, handle)
        return (account.name, account.sign_in_name or "") if account is not None else ("", "")
