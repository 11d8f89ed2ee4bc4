"""What the intake forgets and when: involvement and shifts after the charter's window, originals after a month.

Owns: that expiry, and whose rows a legal hold keeps from it. A hold keeps the rows of that person alone: of a call that
is kept for one, everybody else goes in time. Must never see: why, for how long, or by whom something is held.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from appliance import clock
from appliance.charter import Charter
from appliance.intake.models import Call, Held, Involvement, Part, TakenFile
from appliance.intake.settle import shifts
from appliance.intake.settle.take import quarantine_folder
from appliance.spool.messages import LegalHold
from appliance.storage import Store

QUARANTINE_DAYS = 30
# With no call for so long either the exports have stopped or the clock is ahead, and what is forgotten by a wrong clock
# is gone for good. A choice; no source.
SILENCE = timedelta(days=31)


def take_hold(session: Session, message: LegalHold) -> None:
    """From now on what is about this person does not expire, or does again. Asked twice, it changes nothing."""
    session.execute(delete(Held).where(Held.person_id == message.person_id))
    if message.held:
        session.add(Held(person_id=message.person_id))


def expire(store: Store, charter: Charter, *, doubtful_too: bool) -> None:
    """Forget involvement and shifts beyond the charter's window, and originals in quarantine after a month.

    The files of that time are forgotten too: who enrols late gets older history by dropping them again. While the clock
    is in doubt, only the oldest day goes, and that only `doubtful_too`.
    """
    now = clock.now()
    before = now - timedelta(days=charter.constants.involvement_days)
    with store.write() as session:
        newest = session.scalar(select(func.max(Call.received)))
        in_doubt = newest is not None and now - newest > SILENCE
        if in_doubt:
            # What is held was passed over before: it is without its digest.
            oldest = session.scalar(select(func.min(Call.received)).where(Call.digest != b""))
            if not doubtful_too or oldest is None:
                return
            before = min(before, oldest + timedelta(days=1))
        _forget_calls(session, before)
        session.execute(delete(TakenFile).where(TakenFile.at < before))
        shifts.forget(session, before)
    for path in () if in_doubt else quarantine_folder(store.home).iterdir():
        if time.time() - path.stat().st_mtime > QUARANTINE_DAYS * 86_400:
            path.unlink()


def _forget_calls(session: Session, before: datetime) -> None:
    held = select(Held.person_id)
    of_held = exists().where(Involvement.call_id == Call.id, Involvement.person_id.in_(held))
    session.execute(delete(Call).where(Call.received < before, ~of_held))
    kept = select(Call.id).where(Call.received < before)
    session.execute(delete(Involvement).where(Involvement.call_id.in_(kept), Involvement.person_id.not_in(held)))
    session.execute(delete(Part).where(Part.call_id.in_(kept)))
    # Without its digest a call that is dropped again is no repeat: the others get their history as without the hold.
    session.execute(update(Call).where(Call.received < before, Call.digest != b"").values(digest=b""))
