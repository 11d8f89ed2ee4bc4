"""The machine and the places of a scratch appliance whose root is kept in shares."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.custody.public_record import Places
from appliance.settings import Home
from tests.custody.support import Files, make_shares_home


@pytest.fixture
def machine(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def places(home: Home, tmp_path: Path) -> Places:
    (tmp_path / "disk").touch()
    return make_shares_home(home, str(tmp_path / "disk"))
