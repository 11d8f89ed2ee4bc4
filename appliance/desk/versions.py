"""Which version of each vault is the newest: committed to the access log in batches, so that an old copy is noticed.

Owns: one batch every half of the charter's cosignature age, of all vaults alike, whether or not anybody used theirs;
and the proofs of a person's own rows. A row is the canonical JSON of `{handle, version, salt}`, hashed as an RFC 6962
leaf, in the order of handles; the public leaf holds their root and number and says nothing of anybody. The ledger
chains the leaves: a desk that is set back has no proofs for those it made since, which the browser sees. Must never
see: what is in a vault.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from appliance import clock
from appliance.charter import Charter
from appliance.crypto import merkle
from appliance.crypto.canonical import canonical
from appliance.desk.models.vault import Vault, VaultVersion
from appliance.spool.append import append
from appliance.spool.log_entries import VaultVersions, request
from appliance.storage import Store

KEPT = timedelta(days=40)  # backups live 35 days: no older copy is left to be served
_PENDING = -1


def row_of(handle: str, version: int, salt: str) -> bytes:
    """The bytes that a batch commits to for one vault."""
    return canonical({"handle": handle, "salt": salt, "version": version})


def commit_due(store: Store, charter: Charter) -> bool:
    """Commit a batch when one is due; True when it was. Raises LedgerDown; the same batch is then asked for again."""
    every = timedelta(hours=charter.constants.cosignature_age_hours) / 2
    with store.write() as session:
        session.execute(delete(VaultVersion).where(VaultVersion.made_at < clock.now() - KEPT))
        pending = session.scalar(_one().where(VaultVersion.leaf_index == _PENDING))
        if pending is None:
            last = session.scalar(select(func.max(VaultVersion.made_at)))
            if last is not None and clock.now() - last < every:
                return False
            pending = _prepare(session)
        if pending is None:
            return False
        entry = VaultVersions(root=pending.root, rows=pending.rows)
    index = append(store.home, request(entry)).public_index
    with store.write() as session:
        session.execute(update(VaultVersion).where(VaultVersion.leaf_index == _PENDING).values(leaf_index=index))
    return True


def _one() -> Any:
    return select(VaultVersion).limit(1)


def _prepare(session: Session) -> VaultVersion | None:
    """Put a batch's rows aside, with their proofs; one of them, or None when there is no vault."""
    vaults = session.execute(select(Vault.handle, Vault.version).order_by(Vault.handle)).all()
    if not vaults:
        return None
    salts = [secrets.token_hex(32) for _ in vaults]
    hashes = [
        merkle.leaf_hash(row_of(handle, version, salt)) for (handle, version), salt in zip(vaults, salts, strict=True)
    ]
    nodes, root, now = merkle.of_leaves(hashes), merkle.root(hashes).hex(), clock.now()
    rows = [
        VaultVersion(
            handle=handle,
            leaf_index=_PENDING,
            version=version,
            salt=salt,
            position=position,
            rows=len(vaults),
            proof=[step.hex() for step in merkle.inclusion_of(nodes, position, len(vaults))],
            root=root,
            made_at=now,
        )
        for position, ((handle, version), salt) in enumerate(zip(vaults, salts, strict=True))
    ]
    session.add_all(rows)
    session.flush()
    return rows[0]


def proofs(store: Store, handle: str, after: int) -> list[dict[str, Any]]:
    """The person's rows in the batches after leaf `after`: `{leaf_index, version, salt, position, rows, proof}`."""
    own = select(VaultVersion).where(VaultVersion.handle == handle, VaultVersion.leaf_index > max(after, _PENDING))
    names = ("leaf_index", "version", "salt", "position", "rows", "proof")
    with store.read() as session:
        found = session.scalars(own.order_by(VaultVersion.leaf_index))
        return [{name: getattr(row, name) for name in names} for row in found]
