"""Desk's fixtures, with a real ledger."""

from tests.support.desk_fixtures import app, browser, charter, desk, ledger, space

__all__ = ["app", "browser", "charter", "desk", "ledger", "space"]
