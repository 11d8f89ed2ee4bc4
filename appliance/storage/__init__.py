"""Encrypted databases: one per compartment, one key each.

Owns: engines, the two session factories, column types that both SQLite and PostgreSQL keep, the outbox and seen
tables that make spool delivery exactly-once, and migrations. Must never see: a key of another compartment.
"""

from appliance.storage.bulk import insert_rows, rows_among, update_rows
from appliance.storage.engine import Store, open_store
from appliance.storage.types import OutboxMixin, SeenMixin, UtcDateTime, UtcSeconds

__all__ = [
    "OutboxMixin",
    "SeenMixin",
    "Store",
    "UtcDateTime",
    "UtcSeconds",
    "insert_rows",
    "open_store",
    "rows_among",
    "update_rows",
]
