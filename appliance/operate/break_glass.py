"""Break glass: a new password for the local administrator, set by root at the machine.

Owns: the one way back in for whoever operates the appliance when the directory is down or a password is lost. It opens
nothing about an officer: the account must be local and hold the role of agency IT alone. Must never see: a code's
secret. A lost phone needs a slip of the officers' trustee, as for everybody.
"""

from __future__ import annotations

from sqlalchemy import delete, update

from appliance.desk.models.people import DeskAccount, Lockout
from appliance.desk.sign_in import accounts, lockout, sessions, totp
from appliance.errors import Refused
from appliance.storage import Store

ROLE = "admin"
NOTE = "The password was set anew by root at the machine (wardwell admin reset-access)"


def find(store: Store, name: str) -> str:
    """The handle of the local administrator `name`. Raises Refused for any other account."""
    account = accounts.find_local(store, name)
    if account is None:
        raise Refused(
            "There is no local account of that name.",
            "A local administrator is made at the founding, or with `wardwell desk account add` and a role.",
        )
    with store.read() as session:
        roles = accounts.roles_of(session, account[0])
    if roles != {ROLE}:
        raise Refused(
            "That account is not one that holds the role of agency IT and no other.",
            "Everybody else gets a new password in person, and a slip from the officers' trustee.",
        )
    return account[0]


def reset(store: Store, name: str, password: str) -> None:
    """Set the password, end every session and every wait of that account; the ledger has it first.

    Raises Refused before anything changed, WardwellError for a short password, LedgerDown.
    """
    handle = find(store, name)
    line = accounts.hash_password(password)
    account = accounts.load(store, handle)
    assert account is not None  # it was found
    totp.record_change(store, account, NOTE)
    keys = [lockout.key_of("name", accounts.normal_name(name)), lockout.key_of("code", handle)]
    with store.write() as session:
        session.execute(update(DeskAccount).where(DeskAccount.handle == handle).values(password=line))
        session.execute(delete(Lockout).where(Lockout.key.in_(keys)))
    sessions.end_all(store, handle)
