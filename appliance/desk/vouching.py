"""Opening the time before to a private space that was started over: two people vouch for whose it is.

Owns: the codes that holders of the trustee's role print, one each, and using two of them up together. The officer types
both; so neither learns whether they were used, and nobody else learns of it at all. A code belongs to one person, is
good for 14 days, and only its hash is stored. Must never see: what is sealed to the space then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select

from appliance import clock
from appliance.account import Account
from appliance.desk import slips
from appliance.desk.models.base import Outbox
from appliance.desk.models.people import DeskAccount, Person, VouchingCode
from appliance.desk.sign_in import totp
from appliance.desk.slips import DAYS, Issued
from appliance.errors import WardwellError
from appliance.spool import delivery
from appliance.spool.messages import HistoryReleased
from appliance.storage import Store

NEEDED = 2


class NotVouched(WardwellError):
    """Not two codes for this person, of two people, both good; which of it fails is not said."""

    def __init__(self) -> None:
        super().__init__(
            "These are not two valid codes of two different people.",
            "Check each character. Two holders of the trustee's role print one each; it is good for 14 days.",
        )


def issue(store: Store, handle: str, by: Account) -> Issued:
    """Make the code of one of the two for the person of `handle`; their earlier one for that person ends.

    Raises WardwellError for nobody, and for oneself. Call it as `reveal`'s `load`.
    """
    if by.id == handle:
        raise WardwellError("Nobody vouches for themselves.", "Ask another holder of the trustee's role.")
    code, until = slips.new_code(), clock.now() + timedelta(days=DAYS)
    with store.write() as session:
        person = session.get(Person, handle)
        if (person is None or not person.active) and session.get(DeskAccount, handle) is None:
            raise WardwellError("There is no such person.", "Take the roster first, or make the local account.")
        session.execute(delete(VouchingCode).where(VouchingCode.handle == handle, VouchingCode.issuer == by.id))
        session.add(
            VouchingCode(handle=handle, issuer=by.id, code_hash=bytes.fromhex(slips.digest(code)), expires_at=until)
        )
    return Issued(code, until)


def open_history(store: Store, account: Account, codes: Sequence[str]) -> None:
    """Use up two codes of two people: the intake seals what was before to the person's present key.

    It stands in the person's access log first. Raises NotVouched, LedgerDown.
    """
    wanted = {bytes.fromhex(slips.digest(code)) for code in codes}
    good = (
        VouchingCode.handle == account.id,
        VouchingCode.code_hash.in_(wanted),
        VouchingCode.expires_at > clock.now(),
    )
    with store.read() as session:
        if len(set(session.scalars(select(VouchingCode.issuer).where(*good)))) < NEEDED:
            raise NotVouched
    totp.record_change(store, account, "The time before was opened to the private space with two people's codes")
    with store.write() as session:
        used = session.execute(delete(VouchingCode).where(*good))
        if used.rowcount < NEEDED:  # type: ignore[attr-defined]
            raise NotVouched
        delivery.enqueue(session, Outbox, HistoryReleased(handle=account.id), receiver="intake")
    delivery.flush(store, Outbox)


def clean(store: Store) -> None:
    """Delete codes that are too old."""
    with store.write() as session:
        session.execute(delete(VouchingCode).where(VouchingCode.expires_at <= clock.now()))
