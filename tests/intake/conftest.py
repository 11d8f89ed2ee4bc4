"""What the intake's tests share: its database with a roster."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.storage import Store
from tests.intake.support import roster


@pytest.fixture
def intake(store_of: Callable[[str], Store]) -> Store:
    """Intake's database with its tables and the roster of `support`."""
    store = store_of("intake")
    roster(store)
    return store
