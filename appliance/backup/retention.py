"""How long backups are kept: 35 days at most, since officers are told the date by which what they erased is gone.

Owns: which backups go, and that pieces go with the last backup that names them. Runs only after a backup succeeded, so
the newest good one is never the one that goes. Must never see: what is in a backup.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from appliance import clock
from appliance.backup.repository import Repository
from appliance.erasure_list import BACKUP_DAYS

KEEP_DAYS = BACKUP_DAYS
# Backups are made once a night, not to the minute: one goes in the night in which it would become too old.
_HALF_A_DAY = timedelta(hours=12)


def prune(repository: Repository, keep_days: int = KEEP_DAYS) -> tuple[int, int]:
    """Forget backups older than `keep_days` (at most 35), all but the newest; (backups, pieces) that went. Locked."""
    before = clock.now() - timedelta(days=min(keep_days, KEEP_DAYS)) + _HALF_A_DAY
    with repository.locked():
        ids = repository.ids()
        old = [backup for backup in ids[:-1] if _older(backup, before)]
        for backup in old:
            repository.forget(backup)
        return len(old), repository.sweep()


def made_at(backup: str) -> datetime | None:
    """When a backup was made, from its name; None for any other name."""
    try:
        return datetime.strptime(backup.partition("-")[2], "%Y%m%dT%H%M%S%z")
    except ValueError:
        return None


def _older(backup: str, before: datetime) -> bool:
    # A name that says nothing is left for people to look at.
    at = made_at(backup)
    return at is not None and at < before
