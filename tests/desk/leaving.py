"""An agency with one officer who has everything that leaving must take away, and one who stays."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select

from appliance.charter import Charter
from appliance.crypto.sealing import info, key_pair, open_sealed
from appliance.desk import erasure, slips, vault, worker
from appliance.desk.models.base import Outbox as DeskOutbox
from appliance.desk.models.vault import Delivery, Entry, Head, KeptVault, ProvisionalKey, Vault
from appliance.desk.sign_in import accounts
from appliance.intake import models as intake_models
from appliance.intake import serve as intake
from appliance.ledger.models import Person as Remembered
from appliance.settings import Home
from appliance.spool import delivery
from appliance.spool.append import append
from appliance.spool.messages import About, Append
from appliance.storage import Store
from tests.support.desk_site import Member
from tests.support.ledger import RunningLedger

SIZE = 262144
# Random bytes as a sealed thing has them; each is looked for in every page that a disk holds.
BLOB, KEPT, WRAP = (secrets.token_hex(16).encode() for _ in range(3))
DELTA, QUEUED, UNSENT, HANDED = (secrets.token_hex(16).encode() for _ in range(4))
PAIR = key_pair(secrets.token_bytes(32))
MAILBOX = PAIR.public
MARKS = {
    "blob": BLOB,
    "kept version": KEPT,
    "wrap": WRAP,
    "delta": DELTA,
    "waiting": QUEUED,
    "sealed": UNSENT,
    "provisional key": HANDED,
    "mailbox key": MAILBOX[:64],
}
TABLES = (Vault, KeptVault, Delivery, Entry, ProvisionalKey, Head)


@dataclass
class Agency:
    """Desk, intake and ledger with one officer who has everything, and one who stays."""

    home: Home
    desk: Store
    intake: Store
    ledger: RunningLedger
    leaver: Member
    stays: Member
    charter: Charter

    def pump(self) -> None:
        """Every message to where it goes."""
        self.ledger.log.flush()
        worker.once(self.desk, worker.handlers(self.charter))
        delivery.receive(self.intake, intake_models.SeenMessage, intake.HANDLERS, ("desk",))
        delivery.flush(self.intake, intake_models.Outbox)
        worker.once(self.desk, worker.handlers(self.charter))

    def leave(self, who: Member | None = None, seed: bytes = PAIR.seed, word: str = "ERASE") -> date:
        """As the browser does it: open the challenge with the seed that lies in the vault, send the answer."""
        handle = (who or self.leaver).handle
        answer = open_sealed(seed, erasure.challenge(self.desk, handle, "session"), info=info("leave", handle))
        return erasure.erase(self.desk, handle, "session", word, answer)

    def look(self, handle: str) -> None:
        """Somebody looks at a record of `handle`."""
        names = ("actor", "actor_role", "category", "purpose", "incident", "note")
        body = {**dict.fromkeys(names, ""), "outcome": "allowed", "everyone": True}
        append(self.home, Append(kind="about", about=[About(handle, body)]))

    def rows(self, handle: str) -> dict[str, int]:
        """How many rows each compartment has that say something of a private space of `handle`."""
        found = {}
        with self.desk.read() as session:
            for table in TABLES:
                query = select(func.count()).select_from(table).where(table.handle == handle)
                found[table.__tablename__] = session.scalar(query) or 0
            named = func.instr(DeskOutbox.body, handle.encode()) > 0
            found["desk outbox"] = session.scalar(select(func.count()).where(named)) or 0
        with self.intake.read() as session:
            for kept in (intake_models.MailboxKey, intake_models.Waiting):
                query = select(func.count()).select_from(kept).where(kept.handle == handle)
                found[kept.__tablename__] = session.scalar(query) or 0
            named = func.instr(intake_models.Outbox.body, handle.encode()) > 0
            found["intake outbox"] = session.scalar(select(func.count()).where(named)) or 0
        with self.ledger.store.read() as session:
            found["ledger"] = session.get(Remembered, handle) is not None
        return found

    def scrub(self) -> None:
        """What each compartment does in its own time."""
        worker.upkeep(self.desk, self.charter)
        self.intake.scrub()
        self.ledger.log.heed_witness()


def enrol(agency: Agency, member: Member, blob: bytes, key: bytes, *, replace: bool = False) -> None:
    wraps = {"passphrase": f"age {(WRAP if blob == BLOB else b'of another').decode()}", "recovery": "age recovery"}
    slip = slips.issue(agency.desk, member.handle).code
    account = worker_account(agency, member)
    vault.enrol(agency.desk, account, slip, wraps, key, blob * (SIZE // len(blob)), replace=replace)


def worker_account(agency: Agency, member: Member) -> Any:
    found = accounts.load(agency.desk, member.handle)
    assert found is not None
    return found
