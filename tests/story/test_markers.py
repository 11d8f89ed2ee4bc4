"""Promise: what an officer types stays with the officer, whoever has the server, its disk, its keys or the workstation.

Two hundred unique words go into the fields of the private space in a real browser: kept, put into the queue, sent when
locking, or only typed when the browser is killed. Then the memory of every server process, every database opened with
its key, every file of the appliance and what the killed browser left on its disk are searched.
"""

from __future__ import annotations

import os
import secrets
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Playwright, expect

from appliance.post.memory import Memory
from appliance.settings import COMPARTMENTS
from provisioning.demo.browser import CHROMIUM, flags, trusting_home
from tests.story.people import Private
from tests.support.system import System
from tests.support.traces import files, found_in, memory, processes, rows

pytestmark = [pytest.mark.browser, pytest.mark.system, pytest.mark.timeout(300)]

# What all of them begin with is what is searched for.
BEGINNING = f"zq{secrets.token_hex(6)}"
MARKERS = [f"{BEGINNING}x{number:03}" for number in range(200)]
# For control, left on the workstation's disk on purpose.
LEFT = f"zqleft{secrets.token_hex(6)}"


def _workstation(agency: System, driver: Playwright, folder: Path) -> BrowserContext:
    """Chromium with a profile on the disk, as at a shared workstation."""
    home = trusting_home(folder, agency.ca_file)
    return driver.chromium.launch_persistent_context(
        home / "profile",
        executable_path=CHROMIUM,
        args=["--headless=new", *flags()],
        env={**os.environ, "HOME": str(home)},
        viewport={"width": 1280, "height": 900},
    )


def _kill(profile: Path) -> None:
    """The browser that uses this profile ends at once, with everything that belongs to it."""
    assert processes(profile)
    while ours := processes(profile):
        for number in ours:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        time.sleep(0.1)


def _words(markers: list[str], count: int) -> str:
    """The next words, taken from the list."""
    taken, markers[:] = markers[:count], markers[count:]
    return " ".join(taken)


def _check_in(officer: Private, words: str, *, keep: bool) -> None:
    officer.page.get_by_role("link", name="Check in", exact=True).first.click()
    officer.page.get_by_label("Anything you want to remember").fill(words)
    if keep:
        officer.click("Keep it")
        officer.sees("Kept in your private space.")


def _message(officer: Private, agency: System, alias: str, words: str, *, queue: bool) -> None:
    officer.open("Support")
    officer.click(f"Write to {agency.person('clinician').display}")
    officer.click("I understand, continue")
    officer.page.get_by_label("Name to write under").fill(alias)
    officer.page.get_by_label("Message").fill(words)
    if queue:
        officer.click("Put into the queue")
        officer.sees("leaves when you lock")


def test_two_hundred_words_are_found_nowhere(agency: System, driver: Playwright, tmp_path: Path) -> None:
    left = list(MARKERS)
    profile = tmp_path / "workstation" / "profile"
    context = _workstation(agency, driver, tmp_path / "workstation")

    def open_browser(**_options: Any) -> BrowserContext:
        return context

    officer = Private(agency, open_browser, "officer")
    officer.unlock()
    for _ in range(4):
        _check_in(officer, _words(left, 20), keep=True)
    _message(officer, agency, _words(left, 1), _words(left, 29), queue=True)
    officer.lock()
    officer.unlock()
    _check_in(officer, _words(left, 20), keep=True)
    _check_in(officer, _words(left, 20), keep=False)
    # What was sent is still there for its owner: the search below looks for words that do exist.
    officer.page.get_by_text("Your check-ins").click()
    expect(officer.page.get_by_text(MARKERS[0])).to_be_visible()
    _message(officer, agency, _words(left, 1), _words(left, 49), queue=False)
    assert left == []
    officer.page.evaluate("(mark) => localStorage.setItem('left', mark)", LEFT)
    agency.wait(lambda: found_in(files(profile), [LEFT]))
    _kill(profile)
    name = agency.person("officer").name
    assert found_in(files(profile), [BEGINNING, LEFT]) == {LEFT}

    # Memory first: it changes by itself. Each compartment and the front are there to be searched.
    serving = processes(agency.home.root)
    assert len(serving) >= len(COMPARTMENTS) + 1
    root = str(agency.home.root)
    seen = [found_in(memory(number), [BEGINNING, root, name]) for number in serving]
    assert all(root in found for found in seen), "each process holds the path of its own home"
    assert any(name in found for found in seen)
    shown = agency.person("officer").handle
    held = {compartment: found_in(rows(agency.home, compartment), [BEGINNING, shown]) for compartment in COMPARTMENTS}
    assert shown in held["desk"]
    on_disk = found_in(files(agency.home.root), [BEGINNING, agency.home.settings().agency])
    assert on_disk == {agency.home.settings().agency}
    waiting = found_in(files(Memory(agency.home).folder), [BEGINNING])
    assert BEGINNING not in set().union(*seen, *held.values(), waiting)
