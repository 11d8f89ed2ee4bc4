"""The whole demonstration for tests: founded once, copied and started on free ports per session, stopped at the end.

Fixtures: `agency` (a running `System`), `driver` (Playwright), `open_browser` (Chromium that trusts the demonstration's
CA, one context per person). Nothing here takes a short cut: it is `wardwell-demo up` with less history.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from appliance.desk import releases
from appliance.post.memory import Memory
from appliance.runtime.worker import ask_upkeep
from appliance.settings import Home
from appliance.storage import open_store
from provisioning.supervise import Supervisor
from tests.demonstration import pockets, ports
from tests.demonstration.browser import CHROMIUM, flags, trusting_home
from tests.demonstration.https import Client
from tests.demonstration.pockets import Pocket, Pockets
from tests.support.cached import ROOT, cached, digest_of
from tests.support.waiting import until

# What the demonstration is made of: it is founded anew when any of it changes.
CODE = ("appliance", "webapp", "provisioning", "tests/demonstration")
# The newest month that is counted lies in it on any day of the year, so that there is a release.
DAYS = 62


@dataclass
class System:
    """A running demonstration."""

    home: Home
    output: str

    @property
    def hosts(self) -> dict[str, str]:
        """Role of the host ("desk", "post", "space") -> "name:port"."""
        hosts = self.home.settings().hosts
        return {"desk": hosts.desk, "post": hosts.post, "space": hosts.space}

    @property
    def ca_file(self) -> Path:
        return self.home.root / "demo" / "ca.pem"

    def url(self, host: str, path: str = "/") -> str:
        return f"https://{self.hosts[host]}{path}"

    def client(self, host: str) -> Client:
        """HTTPS to that host, CA pinned, with the space as origin as its browser code sends it."""
        return Client(self.hosts[host], self.ca_file, origin=f"https://{self.hosts['space']}")

    @property
    def pockets(self) -> Pockets:
        return pockets.load_existing(self.home)

    def person(self, name: str) -> Pocket:
        """By role or sign-in name."""
        return self.pockets.of(name)

    def code(self, name: str) -> str:
        """A sign-in code that was not used yet; waits up to 30 s for one when the present one was."""
        return self.person(name).fresh_code()

    def sign_in(self, name: str) -> dict[str, Any]:
        """A session of the private space's API: the answer of `/api/sign-in`."""
        person = self.person(name)
        answer = self.client("desk").post_json(
            "/api/sign-in", {"name": person.name, "password": person.password, "code": self.code(name)}
        )
        assert answer.status == 200, answer.body
        session: dict[str, Any] = answer.json()
        return session

    def await_release(self) -> None:
        """Wait until desk shows the first release. Counts leave at an upkeep, though not while an export waits."""
        desk = open_store(self.home, "desk")

        def shown() -> bool:
            ask_upkeep(self.home)
            with desk.read() as session:
                return releases.newest(session) is not None

        try:
            until(shown, seconds=200, every=0.5)
        finally:
            desk.close()

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A `wardwell` command on this home."""
        return run(self.home, *arguments, check=check)

    def demo(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A `wardwell-demo` command on this home."""
        return demo(self.home, *arguments, check=check)


def run(
    home: Home, *arguments: str, check: bool = True, seconds: float = 170, command: str = "provisioning.cli"
) -> subprocess.CompletedProcess[str]:
    """A `wardwell` command on `home`, or one of `command`."""
    done = subprocess.run(
        [sys.executable, "-m", command, *arguments],
        env={**os.environ, "WARDWELL_HOME": str(home.root)},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def demo(home: Home, *arguments: str, check: bool = True, seconds: float = 170) -> subprocess.CompletedProcess[str]:
    """A `wardwell-demo` command on `home`."""
    return run(home, *arguments, check=check, seconds=seconds, command="tests.demonstration")


def bring_up(root: Path, *arguments: str) -> System:
    """A demonstration in `root` on free ports."""
    home = Home(root)
    done = demo(home, "up", "--ports-from", "free", "--days", str(DAYS), *arguments, seconds=600)
    return System(home, done.stdout)


def _found(folder: Path) -> None:
    """Found a demonstration and stop it: `home`, and `memory` with the open epoch."""
    with tempfile.TemporaryDirectory(prefix="wardwell-") as short:  # sockets need a short path
        home = Home(Path(short) / "home")
        try:
            bring_up(home.root)
        finally:
            Supervisor(home).stop()
            shutil.move(Memory(home).folder, folder / "memory")
        (folder / "root").write_text(str(home.root))
        shutil.move(home.root, folder / "home")


def _founded() -> Path:
    """What `_found` made today from this state of the code."""
    kinds = {".py", ".html", ".toml", ".json", ".in", ".mjs"}
    code = [path for name in CODE for path in (ROOT / name).rglob("*")]
    files = [path for path in code if path.suffix in kinds and "node_modules" not in path.parts and path.is_file()]
    day = datetime.now(ZoneInfo("America/Los_Angeles")).date()
    return cached("agency", f"{day}-{digest_of([*files, Path(__file__)])}", _found)


def _copy(founded: Path, root: Path) -> Home:
    """A founded demonstration in `root`, with its own paths and ports; `demo up` starts it."""
    home, before = Home(root), (founded / "root").read_text()
    shutil.copytree(founded / "home", root, symlinks=True)
    shutil.copytree(founded / "memory", Memory(home).folder, dirs_exist_ok=True)
    home.settings_file.write_text(home.settings_file.read_text().replace(before, str(root)))
    carried = pockets.load_existing(home)
    for pocket in carried.people:
        pocket.used_file = pocket.used_file.replace(before, str(root))
    carried.save(home)
    hosts, directory_port = ports.choose("free")
    settings = home.settings()
    directory = msgspec.structs.replace(settings.directory, url=f"ldaps://127.0.0.1:{directory_port}")
    ports.write(home, msgspec.structs.replace(settings, hosts=hosts, directory=directory))
    return home


@pytest.fixture(scope="session")
def agency(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The demonstration, up and in order, with `DAYS` of history. Test files share it: what one did, the next finds.

    It is founded once a day and state of the code, and each process that runs tests starts a copy.
    """
    root = tmp_path_factory.mktemp("agency") / "home"
    home = _copy(_founded(), root)
    try:
        system = bring_up(root)
        system.run("status")  # fails unless all is in order
        yield system
    finally:
        Supervisor(home).stop()
        # The open epoch lies in memory, outside the scratch folder that pytest removes by itself.
        shutil.rmtree(Memory(home).folder)


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    """Playwright: gone at the end of a test file, since a thread has at most one and other files start their own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def open_browser(agency: System, driver: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """`open_browser(**options)` gives a fresh Playwright context: one person's own browser. Closed at the end."""
    home = trusting_home(tmp_path_factory.mktemp("browser"), agency.ca_file)
    browser = driver.chromium.launch(
        executable_path=CHROMIUM,
        args=["--headless=new", *flags()],
        env={**os.environ, "HOME": str(home)},
    )
    try:
        yield lambda **options: browser.new_context(**options)
    finally:
        browser.close()
