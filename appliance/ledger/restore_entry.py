"""A restored ledger's first act: to append the statement of both custody groups that it was restored.

Owns: the waiting statement in the ledger's folder, and the question whether a head of the log was given up by one.
Must never see: custody's private key. Nobody may append such a leaf over the socket.
"""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import select

from appliance.crypto.notes import Checkpoint, Verifier
from appliance.crypto.restore_statement import CUSTODY_KEY, KIND, Restored, later, of_leaf
from appliance.crypto.trusted_keys import FOUNDING, TrustedKeys, check_founding, signed_keys
from appliance.errors import WardwellError
from appliance.ledger import entries
from appliance.ledger.models import Leaf
from appliance.storage import Store

ORDER = "restored.note"


def take_up(store: Store) -> None:
    """Append the waiting statement, once. Raises WardwellError when it is not custody's; then nothing is appended."""
    path = store.home.folder("ledger") / ORDER
    if not path.exists():
        return
    note = path.read_text()
    custody = custody_key(store)
    if custody is None:
        raise WardwellError(
            "A restore is to be recorded, and custody's public key is missing.",
            "Record the restore again with the cards.",
        )
    stated = Restored.read(note, custody)
    with store.write() as session:
        done = session.scalars(select(Leaf.data).where(Leaf.kind == KIND)).all()
        if not any(json.loads(data).get("note") == note for data in done):
            entries.append_own(session, KIND, stated.public(note))
    path.unlink()


def given_up(store: Store, head: Checkpoint, last_seen: datetime) -> bool:
    """Whether a statement in the database gave up `head`, which was last seen to be the log at `last_seen`."""
    custody = custody_key(store)
    if custody is None:
        return False
    with store.read() as session:
        rows = session.scalars(select(Leaf.data).where(Leaf.kind == KIND)).all()
    for raw in rows:
        stated = of_leaf(raw, custody)
        if stated is None or stated.checkpoint.origin != head.origin:
            continue
        if stated.checkpoint.size <= head.size and later(stated, last_seen):
            return True
    return False


def trusted_keys(store: Store) -> TrustedKeys:
    """The keys that count, by the founding leaf of the ledger's own database: its public files are for others.

    Raises WardwellError when they are missing, or are not those that the log was founded with.
    """
    keys = signed_keys(store.home)
    with store.read() as session:
        raw = session.scalar(select(Leaf.data).where(Leaf.kind == FOUNDING).limit(1))
    if raw is not None:
        check_founding(json.loads(raw), keys)
    return keys


def custody_key(store: Store) -> Verifier | None:
    """Custody's public key: the one that the signed `site.json` names; where it names none, the one beside the log."""
    home = store.home
    custody = trusted_keys(store).custody if (home.public / "site.json").exists() else None
    path = home.public / "ledger" / CUSTODY_KEY
    return custody or (Verifier.parse(path.read_text()) if path.exists() else None)
