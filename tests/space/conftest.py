"""What the private space's tests share: the Node bundle of its modules without DOM, and a way to call it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from provisioning import build, build_space, packages
from tests.space.live_site import LiveSite, live_site
from tests.space.walk import opened
from tests.support.quick_space import quick_code

HERE = Path(__file__).parent
Call = Callable[..., Any]
NodeTests = Callable[..., None]


@pytest.fixture(scope="session")
def shipped_library() -> Path:
    """The built Node library, with the work factor that ships; built anew when a source changed."""
    packages.install()
    for builder in build.BUILDERS:
        try:
            build.build(builder)
        except subprocess.CalledProcessError:
            pytest.fail(f"{builder.title} could not be built; its output is above", pytrace=False)
    return build_space.DIST_NODE / "library.mjs"


@pytest.fixture(scope="session")
def library(shipped_library: Path) -> Path:
    """The Node library with little work behind its secrets; `prepare.mjs` lies beside it."""
    return quick_code() / "webapp" / "space" / "dist-node" / shipped_library.name


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Iterator[LiveSite]:
    """A running site; a test file that needs a history of its own makes its own."""
    with live_site(tmp_path_factory.mktemp("live") / "home") as running:
        yield running


@pytest.fixture
def page(site: LiveSite, tmp_path: Path) -> Iterator[Page]:
    """A fresh browser at the space."""
    with opened(site, tmp_path / "browser") as window:
        yield window


@pytest.fixture(scope="session")
def call(library: Path) -> Call:
    """`call("sealing_open", seed=…)` runs the export of that name of `calls.mjs`; bytes travel as base64."""

    def run(name: str, **arguments: Any) -> Any:
        done = subprocess.run(
            [str(packages.NODE), str(HERE / "calls.mjs"), str(library), name],
            input=json.dumps(arguments),
            capture_output=True,
            text=True,
            timeout=170,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def run_node_tests(library: Path) -> NodeTests:
    """Run one `*.test.mjs` with Node's own test runner, on the quick library unless another is given.

    Its whole output is shown when it fails.
    """

    def run(name: str, library: Path = library) -> None:
        done = subprocess.run(
            [str(packages.NODE), "--test", "--test-reporter=spec", str(HERE / name)],
            env={"WARDWELL_LIBRARY": str(library), "PATH": ""},
            capture_output=True,
            text=True,
            timeout=170,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        # A file that ran nothing would pass too.
        assert "pass 0" not in done.stdout

    return run
