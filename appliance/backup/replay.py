"""No restore brings back who has left: the erasure list is replayed over what was put together, before it is served.

Owns: the copy of the list beside the backups, gathering every copy there is, and the replay on a restored home's own
databases and messages. It runs inside a restore, which holds every compartment's key for that moment; no compartment
serves meanwhile. Must never see: what it deletes.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from appliance import clock, erasure_list
from appliance.backup.repository import Repository
from appliance.backup.retention import made_at
from appliance.desk.erasure import OWN_ROWS
from appliance.errors import WardwellError
from appliance.settings import Home
from appliance.storage import Store

COPY = "erased.json"
# What is told of a person's private space, by compartment: tables with a column `handle`.
_ROWS = {
    "desk": tuple(table.__tablename__ for table in OWN_ROWS),
    "intake": ("waiting",),
    "ledger": ("person",),
}
# The sign-in begins anew where no role needs it; of a replaced key it stays known that there was one (see the intake).
_ALSO = {
    "desk": (
        "DELETE FROM session WHERE handle = :handle",
        "UPDATE account SET totp_secret = '', totp_step = 0 WHERE handle = :handle AND NOT EXISTS"
        " (SELECT 1 FROM role_grant WHERE role_grant.handle = :handle AND revoked_at IS NULL)",
    ),
    "intake": (
        "DELETE FROM mailbox_key WHERE handle = :handle AND since IS NULL",
        "UPDATE mailbox_key SET public_key = x'', leaf_index = -1, witnessed = 1 WHERE handle = :handle",
    ),
}
# Messages about a private space; the roster, which names everybody, is none.
_MESSAGES = (
    "SealedExposure",
    "SealedEntry",
    "ProvisionalKeyHandedOver",
    "HeadProof",
    "MailboxKeyPublished",
    "MailboxKeyWithdrawn",
    "Forgotten",
)

Say = Callable[[str], None]


def copy_list(home: Home, repository: Repository) -> int:
    """Bring the copy beside the backups up to date; how many entries it has.

    An entry goes when it is old and every backup there was made after it: no restore can need it any more.
    """
    path = repository.folder / COPY
    wanted = erasure_list.union([erasure_list.read(path), erasure_list.entries(home)])
    made = [at for at in map(made_at, repository.ids()) if at is not None]
    old = clock.now() - timedelta(days=erasure_list.LIST_DAYS)
    wanted = [entry for entry in wanted if entry.at > old or any(at <= entry.at for at in made)]
    if wanted or path.exists():
        erasure_list.write(path, wanted)
        path.chmod(0o644)  # whoever fetches backups takes it along; without the secret it says nothing
    return len(wanted)


def gather(repository: Repository, home: Home) -> tuple[list[erasure_list.Entry], dict[str, bytes]]:
    """Every entry that is on a list here, and the secrets by name: beside the backups, in the home, set aside in it."""
    folders = [erasure_list.folder(home), *sorted(home.root.glob("set-aside-*/desk/erased"))]
    lists = [
        erasure_list.read(repository.folder / COPY),
        *(erasure_list.read(folder / erasure_list.LIST) for folder in folders),
    ]
    return erasure_list.union(lists), _secrets(folders)


def replay(
    folder: Path,
    databases: dict[str, str],
    made: datetime,
    known: tuple[list[erasure_list.Entry], dict[str, bytes]],
    say: Say,
) -> int:
    """Erase from the home in `folder`, put together from a backup made at `made`, who has left; how many people.

    `databases` holds each compartment's key, `known` what `gather` found. A person goes who left after the backup was
    made, and a private space that was erased goes whenever it was made. Raises WardwellError when an entry that could
    count is under a secret that is not here: then nobody can tell whom it means, and the restore must not be served.
    """
    home = Home(folder)
    entries = erasure_list.union([known[0], erasure_list.entries(home)])
    secrets = known[1] | _secrets([erasure_list.folder(home)])
    _require(entries, secrets, made)
    if not entries:
        return 0
    erasure_list.write(erasure_list.folder(home) / erasure_list.LIST, entries)
    with contextlib.closing(Store(home, "desk", databases["desk"])) as desk, desk.read() as session:
        spaces = {str(row[0]): bytes(row[1]) for row in session.execute(text("SELECT handle, mailbox_key FROM vault"))}
        handles = set(spaces)
        handles |= {str(row[0]) for row in session.execute(text("SELECT handle FROM person"))}
        handles |= {str(row[0]) for row in session.execute(text("SELECT handle FROM account"))}
    later = {entry.person for entry in entries if entry.at >= made}
    keys = {entry.key for entry in entries}
    gone = {
        handle
        for handle in handles
        for secret in secrets.values()
        if erasure_list.person_of(secret, handle) in later
        or (handle in spaces and erasure_list.key_of(secret, handle, spaces[handle]) in keys)
    }
    for name, tables in _ROWS.items():
        with contextlib.closing(Store(home, name, databases[name])) as store:
            with store.write() as session:
                for handle in sorted(gone):
                    for table in tables:
                        _delete(session, f"DELETE FROM {table} WHERE handle = :handle", handle=handle)  # noqa: S608
                    for kind in _MESSAGES:
                        what = {"handle": handle.encode(), "kind": f'"{kind}"'.encode()}
                        _delete(session, "DELETE FROM outbox WHERE instr(body, :handle) AND instr(body, :kind)", **what)
                    for statement in _ALSO.get(name, ()):
                        _delete(session, statement, handle=handle)
            store.scrub()
    _drop_messages(home, gone)
    if gone:
        say(f"Erased again: {len(gone)} private space(s) whose owners had left after this backup.")
    return len(gone)


def dress(folder: Path) -> None:
    """Give the list to who owns desk's folder; only as root."""
    home = Home(folder)
    place = erasure_list.folder(home)
    if os.geteuid() == 0 and place.exists():
        owner = home.folder("desk").stat()
        for path in (place, *place.iterdir()):
            os.chown(path, owner.st_uid, owner.st_gid)


def _delete(session: Any, statement: str, **values: object) -> None:
    session.execute(text(statement), values)


def _drop_messages(home: Home, gone: set[str]) -> None:
    names, kinds = [handle.encode() for handle in gone], [f'"{kind}"'.encode() for kind in _MESSAGES]
    for path in sorted((home.root / "spool").rglob("*.json")) if gone else []:
        body = path.read_bytes()
        if any(kind in body for kind in kinds) and any(name in body for name in names):
            path.unlink()


def _secrets(folders: list[Path]) -> dict[str, bytes]:
    paths = [folder / erasure_list.SECRET for folder in folders]
    return {erasure_list.name_of(secret): secret for secret in (path.read_bytes() for path in paths if path.exists())}


def _require(entries: list[erasure_list.Entry], secrets: dict[str, bytes], made: datetime) -> None:
    if any(entry.by not in secrets for entry in entries if entry.at >= made):
        raise WardwellError(
            "Somebody left after that backup was made, and the backup is too old to tell who.",
            "Restore a later backup, or restore on the machine that has the appliance's data still (--set-aside).",
        )
