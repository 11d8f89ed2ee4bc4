"""Fixtures and helpers for tests against the whole, running appliance."""
