"""Promise: what an officer types stays with the officer, whoever has the server, its disk, its keys or the workstation.

Two hundred unique words go into every field of the private space in a real browser: kept, put into the queue, sent when
locking, refused, or only typed when the browser is killed. Then the memory of every server process, every page of every
database, every file of the appliance, a backup of it, and what the killed browser left on its disk are searched for
them, for the six words and for the recovery code.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from appliance import clock
from appliance.backup.keys import keys_from_root
from appliance.crypto.sshsig import fingerprint
from appliance.post.memory import Memory
from appliance.settings import COMPARTMENTS, Home
from tests.demonstration.browser import CHROMIUM, flags, trusting_home
from tests.demonstration.pockets import Pocket
from tests.story.fields import Typist, in_sources
from tests.story.newcomers import newcomer
from tests.support.pages import decrypted
from tests.support.system import System
from tests.support.traces import files, found_in, memory, processes
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.system, pytest.mark.timeout(600)]

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

    def gone() -> bool:
        for number in processes(profile):
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        return not processes(profile)

    until(gone, every=0.1)


class Officer:
    """Somebody who enrols and uses everything, with a marker in each field before anything that is meant there."""

    def __init__(self, agency: System, page: Page, pocket: Pocket) -> None:
        self.agency, self.page, self.pocket = agency, page, pocket
        self.typist = Typist(page)
        self.left = list(MARKERS)
        # The six words and the recovery code, as they open the space.
        self.secrets: list[str] = []
        self._step = -1

    def words(self, count: int) -> str:
        """The next markers."""
        taken, self.left[:] = self.left[:count], self.left[count:]
        assert len(taken) == count
        return " ".join(taken)

    def mark(self, field: str, count: int = 1, number: int = 0) -> None:
        self.typist.fill(field, self.words(count), number)

    def click(self, name: str) -> None:
        self.page.get_by_role("button", name=name).first.click()

    def sees(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_text(text).locator("visible=true").first).to_be_visible()

    def heading(self, name: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_role("heading", level=1, name=name)).to_be_visible()

    def open(self, route: str, heading: str) -> None:
        self.page.evaluate("(route) => { location.hash = route; }", f"#/{route}")
        self.heading(heading)

    def code(self) -> str:
        """The next code, for two of them: each is good once, and one step ahead of the clock is allowed."""
        self._step += 1
        return pyotp.TOTP(self.pocket.totp).at(int(clock.now().timestamp()) + 30 * self._step)

    def sign_in(self) -> None:
        for field, true in (("name", self.pocket.name), ("password", self.pocket.password)):
            self.mark(f"sign_in/{field}")
            self.typist.fill(f"sign_in/{field}", true)
        self.mark("sign_in/code")
        self.typist.fill("sign_in/code", self.code() if self.pocket.totp else "")
        self.click("Sign in")

    def enrol(self) -> None:
        """From the slip to the open space, with a wrong answer first wherever the browser itself can tell."""
        self.sign_in()
        self.heading("Set up sign-in codes")
        self.mark("sign_in/slip")
        self.typist.fill("sign_in/slip", self.pocket.slip)
        self.click("Continue")
        self.heading("Add Wardwell to your authenticator app")
        self.pocket.totp = self.page.locator(".ww-code").inner_text().replace(" ", "")
        self.mark("sign_in/first-code")
        self.typist.fill("sign_in/first-code", self.code())
        self.click("Continue")
        self.heading("Before you make your private space")
        self.click("Continue")
        self.mark("create/slip")
        self.mark("create/fingerprint")
        self.click("Continue")
        self.sees("That is not the end of the key")
        self.typist.fill("create/slip", self.pocket.slip)
        own = fingerprint((self.agency.home.public / "trustee.pub").read_text().strip())
        self.typist.fill("create/fingerprint", own[-8:])
        self.click("Continue")
        self.click("It is the same")
        self.learn("Create my private space")
        self.heading(re.compile("^Good"))

    def learn(self, last_button: str) -> None:
        """New secrets: read, typed wrong, typed right."""
        self.heading("Your six words")
        six = [re.sub(r"^\d+\s*", "", text) for text in self.page.locator(".ww-words li").all_inner_texts()]
        self.pocket.passphrase = " ".join(six)
        self.click("I know them")
        self.mark("learn_secrets/words", 3)
        self.click("Continue")
        self.sees("These are not the six words")
        self.typist.fill("learn_secrets/words", self.pocket.passphrase)
        self.click("Continue")
        self.heading("Your recovery code")
        self.pocket.recovery = self.page.locator(".ww-code").inner_text()
        self.secrets += [self.pocket.passphrase, "-".join(six), self.pocket.recovery]
        self.mark("learn_secrets/last-group")
        self.click(last_button)
        self.sees("That is not the last group")
        self.typist.fill("learn_secrets/last-group", self.pocket.recovery[-4:])
        self.click(last_button)

    def check_in(self, count: int, *, keep: bool) -> None:
        self.open("check-in", "Check in with yourself")
        self.mark("check_in/check-in-words", count)
        if keep:
            self.click("Keep it")
            self.sees("Kept in your private space.")

    def message(self, count: int, *, queue: bool) -> None:
        self.open("support", "Support")
        self.click(f"Write to {self.agency.person('clinician').display}")
        self.click("I understand, continue")
        self.mark("support/alias")
        self.mark("support/message", count)
        if queue:
            self.click("Put into the queue")
            self.sees("leaves when you lock")

    def answer(self) -> None:
        self.page.get_by_role("button", name="Open").first.click()
        self.mark("conversation/answer", 12)
        self.click("Put into the queue")
        expect(self.page.locator(".ww-card").filter(has_text=BEGINNING)).to_have_count(2)

    def choose(self) -> None:
        """A message that leaves by itself when the calls are heavy."""
        self.open("choices", "Your choices")
        self.mark("choices/reach-out-alias")
        self.mark("choices/reach-out-text", 12)
        self.click("Show what would happen")
        self.click("Switch it on")
        self.sees("Switch it off")

    def mistype(self, other: Path) -> None:
        """What the browser refuses by itself, or what is never handed in."""
        self.open("exposure", "Your exposure")
        self.page.get_by_text("Calls of before are missing?").click()
        for number in range(2):
            self.mark("past/past-*", 1, number)
        self.open("bring-back", "Bring a copy back")
        other.write_text(self.words(1))
        self.typist.field("bring_back/copy-file").set_input_files(other)
        self.mark("bring_back/copy-key", 2)
        self.click("Bring it back")
        expect(self.page.get_by_role("alert")).to_be_visible()
        self.open("leave", "Leave the program")
        self.mark("leave/word", 2)
        self.click("Erase my private space")
        self.sees("Type the word ERASE.")

    def change_words(self) -> None:
        self.open("words", "Change your words")
        self.mark("present_words/present", 3)
        self.click("Continue")
        self.sees("These words do not open this space.")
        self.typist.fill("present_words/present", self.pocket.passphrase)
        self.click("Continue")
        self.learn("Change my words")
        self.heading("Your words were changed")

    def lock(self) -> None:
        self.page.get_by_role("button", name="Lock", exact=True).click()
        self.heading("Sign in to your private space")

    def unlock(self) -> None:
        self.heading("Unlock your private space")
        self.mark("unlock/words", 3)
        self.click("Unlock")
        self.sees("These words do not open your space.")
        self.typist.fill("unlock/words", self.pocket.recovery)
        with self.page.expect_response("**/cells/requests"):
            self.click("Unlock")
            self.heading(re.compile("^Good"))


def _supporter(agency: System, page: Page, officer: Officer) -> None:
    """What a supporter types into the own entry goes to the trustee by hand."""
    pocket = agency.person("clinician")
    typist = Typist(page)
    page.goto(agency.url("space"))
    for field, true in (("name", pocket.name), ("password", pocket.password), ("code", pocket.fresh_code())):
        typist.fill(f"sign_in/{field}", true)
    page.get_by_role("button", name="Sign in").click()
    typist.fill("unlock/words", pocket.passphrase)
    page.get_by_role("button", name="Unlock", exact=True).click()
    expect(page.get_by_role("button", name="Lock", exact=True)).to_be_visible()
    page.evaluate("location.hash = '#/supporter-keys'")
    for field in ("name", "phone", "about", "languages"):
        typist.fill(f"supporter_keys/{field}", officer.words(2))
    page.get_by_role("button", name="Show what goes to the trustee").click()
    expect(page.get_by_role("button", name="Save the file")).to_be_visible()
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in to your private space")).to_be_visible()
    officer.typist.typed |= typist.typed


def _restored(agency: System, folder: Path) -> Home:
    """A backup by the product's own command, restored by the product's own command."""
    (folder / "to").mkdir(parents=True)
    agency.run("backup", "create", "--to", str(folder / "to"))
    home = Home(folder / "home")
    root = agency.home.root / "root"
    agency.run("backup", "restore", str(folder / "to"), "--to", str(home.root), "--identity", str(root))
    for name, key in keys_from_root(root.read_bytes()).databases.items():
        home.key(name).write_text(key)
    return home


def _pages(home: Home) -> Iterator[bytes]:
    for name in COMPARTMENTS:
        yield decrypted(home, name)


def test_two_hundred_words_are_found_nowhere(agency: System, driver: Playwright, tmp_path: Path) -> None:
    workstation = tmp_path / "workstation"
    context = _workstation(agency, driver, workstation)
    pocket, _ = newcomer(agency, tmp_path / "used")
    page = context.new_page()
    context.set_default_timeout(60_000)
    page.goto(agency.url("space"))
    officer = Officer(agency, page, pocket)
    officer.enrol()
    for _ in range(2):
        officer.check_in(20, keep=True)
    officer.message(16, queue=True)
    officer.answer()
    officer.choose()
    officer.mistype(tmp_path / "no-copy.age")
    officer.change_words()
    officer.lock()
    officer.sign_in()
    officer.unlock()
    officer.check_in(20, keep=True)
    # What was kept is still there for its owner: the search below looks for words that do exist.
    page.get_by_text("Your check-ins").click()
    expect(page.get_by_text(BEGINNING).first).to_be_visible()
    page.evaluate("(mark) => localStorage.setItem('left', mark)", LEFT)
    _supporter(agency, context.new_page(), officer)
    officer.check_in(20, keep=False)
    officer.message(len(officer.left) - 1, queue=False)
    assert officer.left == []
    assert officer.typist.typed == in_sources()
    until(lambda: found_in(files(workstation / "profile" / "Default" / "Local Storage"), [LEFT]))
    _kill(workstation)

    # Memory first: it changes by itself. Each compartment and the front are there to be searched.
    serving = processes(agency.home.root)
    assert len(serving) >= len(COMPARTMENTS) + 1
    root = str(agency.home.root)
    crosses = {root, pocket.name}
    seen = [found_in(memory(number), [BEGINNING], [*officer.secrets, *crosses]) for number in serving]
    assert all(root in found for found in seen), "each process holds the path of its own home"
    # Nothing but what does cross is found: the name that was typed at sign-in.
    assert set().union(*seen) == crosses
    assert found_in(files(workstation), [BEGINNING, LEFT], officer.secrets) == {LEFT}

    restored = _restored(agency, tmp_path / "backup")
    stays = {agency.home.settings().agency, pocket.handle}
    for home in (agency.home, restored):
        assert found_in([*_pages(home), *files(home.root)], [BEGINNING], [*officer.secrets, *stays]) == stays
    for folder in (tmp_path / "backup" / "to", Memory(agency.home).folder):
        assert found_in(files(folder), [BEGINNING], officer.secrets) == set()
