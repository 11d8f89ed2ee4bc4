"""What tests of updates begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.operate.update_support import Fake, two_versions


@pytest.fixture
def machine(tmp_path: Path) -> Fake:
    return two_versions(tmp_path)
