"""Desk's fixtures, with a real ledger."""

from tests.support.desk_fixtures import app, browser, charter, desk, ledger, space
from tests.support.ticket_keys import made_keys, some_keys

__all__ = ["app", "browser", "charter", "desk", "ledger", "made_keys", "some_keys", "space"]
