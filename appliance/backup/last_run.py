"""What the last backup run came to, for `wardwell status`, `doctor` and the relays: `health/backup.json`.

Owns: that file. It is written after every run, good or bad, by root; anyone on the machine may read it. It holds times,
sizes and a sentence. Must never see: anything about a person.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from appliance import clock, durable
from appliance.backup.retention import made_at
from appliance.settings import Home

LATE = timedelta(hours=36)
FETCH_LATE = timedelta(days=3)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """`at` of the last run and `last_good` ("" for never) in ISO 8601 UTC; sizes in bytes."""

    ok: bool
    at: str
    last_good: str = ""
    id: str = ""
    destination: str = ""
    plain_bytes: int = 0
    new_bytes: int = 0
    seconds: float = 0.0
    message: str = ""
    fix: str = ""


def file_of(home: Home) -> Path:
    """Where the record lies."""
    return home.root / "health" / "backup.json"


def read(home: Home) -> Record | None:
    """The record of the last run; None when there was none, or it cannot be read."""
    try:
        return msgspec.json.decode(file_of(home).read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return None


def write(home: Home, record: Record) -> None:
    """Note a run. A good one is `last_good` itself, a bad one keeps the one before."""
    before = read(home)
    good = record.at if record.ok else before.last_good if before else ""
    durable.replace(file_of(home), msgspec.json.encode(msgspec.structs.replace(record, last_good=good)), mode=0o644)


def standing(home: Home) -> tuple[bool, str, str]:
    """Whether backups are in order, a fact in words, one fix when not."""
    settings = home.settings()
    record = read(home)
    if settings.demonstration and record is None:
        return True, "a demonstration makes none by itself", ""
    if record is None and _age(home.public / "ledger" / "vkey") < LATE:
        return True, "none yet; the first is due within a day of the founding", ""
    if record is None or not record.last_good:
        reason = f": {record.message}" if record is not None else ""
        return False, f"there is no good backup yet{reason}", _fix(record)
    age = clock.now() - datetime.fromisoformat(record.last_good)
    words = f"the last good one is {max(age, timedelta()).total_seconds() / 3600:.0f} h old"
    if not record.ok:
        return False, f"the last run failed ({record.message}); {words}", _fix(record)
    if age > LATE:
        return False, f"{words}, at most {LATE.total_seconds() / 3600:.0f} h allowed", _fix(None)
    if settings.backup.fetched and clock.now() - _fetched(Path(settings.backup.to)) > FETCH_LATE:
        fix = "See that the agency's machine fetches backups and leaves its receipt (docs/backup.md)."
        return False, f"{words}, but none was fetched for {FETCH_LATE.days} days", fix
    return True, f"{words}, {record.plain_bytes / 1e6:.0f} MB, in {record.destination}", ""


def _age(path: Path) -> timedelta:
    """How long a file has been there; no time at all when it is not."""
    try:
        return clock.now() - datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return timedelta()


def _fetched(folder: Path) -> datetime:
    """When the newest fetched backup was made: receipts are empty files named like the backup, in `fetched/`."""
    try:
        times = [made_at(path.name) for path in (folder / "fetched").iterdir()]
    except OSError:
        times = []
    return max((at for at in times if at is not None), default=datetime.fromtimestamp(0, UTC))


def _fix(record: Record | None) -> str:
    if record is not None and record.fix:
        return record.fix
    return "See `systemctl status wardwell-backup.timer`, then run `wardwell backup create`."
