"""What the kit's tests share: the real front with the built private space."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning import build, build_space
from tests.support.release_site import Site, make_site


@pytest.fixture(scope="session")
def built() -> Path:
    build.build(build.BUILDERS[0])
    return build_space.DIST


@pytest.fixture
def site(built: Path, tmp_path: Path) -> Site:
    return make_site(built, tmp_path)
