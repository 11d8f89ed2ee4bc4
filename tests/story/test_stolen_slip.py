"""Promise: who resets a directory password gets in nowhere; with a stolen slip as well, into an empty space only.

In a real browser at the running appliance. The control comes first: the officer's own space has the calls of before.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from appliance import clock
from appliance.crypto.sshsig import fingerprint
from appliance.desk.models.vault import Delivery
from appliance.errors import WardwellError
from appliance.storage import open_store
from tests.demonstration import enrol
from tests.demonstration.pockets import Pocket
from tests.story.newcomers import newcomer
from tests.story.people import Private
from tests.support.system import System
from tests.support.waiting import until

REFUSED = "That name, password or code is not right."
pytestmark = [pytest.mark.browser, pytest.mark.system, pytest.mark.timeout(400)]


def _session(agency: System, person: Pocket) -> dict[str, Any]:
    """One session by the browser's code, with the next code: the present one may have been used."""
    code = pyotp.TOTP(person.totp).at(int(clock.now().timestamp()) + 30)
    known = ["--name", person.name, "--password", person.password, "--code", code, "--words", person.passphrase]
    return enrol.prepare(agency.home, ["session", *known])


def _history_arrived(agency: System, person: Pocket) -> Callable[[], bool]:
    def arrived() -> bool:
        desk = open_store(agency.home, "desk")
        with desk.read() as session:
            kinds = session.scalars(select(Delivery.kind).where(Delivery.handle == person.handle)).all()
        desk.close()
        return "history" in kinds

    return arrived


def _sign_in(page: Page, person: Pocket, code: str) -> None:
    page.get_by_label("Name", exact=True).fill(person.name)
    page.get_by_label("Password", exact=True).fill(person.password)
    page.get_by_label("Code from your authenticator app").fill(code)
    page.get_by_role("button", name="Sign in").click()


def test_a_reset_password_and_a_stolen_slip(agency: System, open_browser: Callable[..., Any], tmp_path: Path) -> None:
    victim, calls = newcomer(agency, tmp_path / "used")
    enrol._prepare(agency.home, victim, again=False)
    until(_history_arrived(agency, victim), seconds=60)
    assert len(_session(agency, victim)["exposure"]) == calls > 0

    # The directory's administrator set a password and so knows it; that it is the old one changes nothing here.
    thief = Private(agency, open_browser, "officer")
    page = thief.page
    page.set_default_timeout(60_000)
    thief.go("/")
    for code in ("", "000000", "AAAAA-AAAAA-AAAAA-AAAAA"):
        _sign_in(page, victim, code)
        expect(page.get_by_role("alert")).to_contain_text(REFUSED)
        page.reload()

    # With a slip that was meant for its owner.
    desk = open_store(agency.home, "desk")
    slip = enrol._slip(agency.home, desk, victim)
    desk.close()
    _sign_in(page, victim, slip)
    thief.heading("Set up sign-in codes")
    page.get_by_label("Code on your slip").fill(slip)
    thief.click("Continue")
    stolen = Pocket(victim.role, victim.display, victim.name, victim.password, handle=victim.handle)
    thief.heading("Add Wardwell to your authenticator app")
    stolen.totp = page.locator(".ww-code").inner_text().replace(" ", "")
    page.get_by_label("Code that the app shows now").fill(pyotp.TOTP(stolen.totp).at(int(clock.now().timestamp())))
    thief.click("Continue")
    thief.heading("Unlock your private space")
    page.get_by_label("Six words, or your recovery code").fill(" ".join(["zebra"] * 6))
    thief.click("Unlock")
    thief.sees("These words do not open your space.")
    page.get_by_text("I have lost the words").click()
    thief.click("Start over with a new slip")
    thief.sees("The space that you have now is destroyed.")
    thief.click("Continue")
    page.get_by_label("Code on your slip").fill(slip)
    own = fingerprint((agency.home.public / "trustee.pub").read_text().strip())
    page.get_by_label("Last eight characters").fill(own[-8:])
    thief.click("Continue")
    thief.click("It is the same")
    stolen.passphrase = " ".join(re.sub(r"^\d+\s*", "", one) for one in page.locator(".ww-words li").all_inner_texts())
    thief.click("I know them")
    page.get_by_label("Six words").fill(stolen.passphrase)
    thief.click("Continue")
    page.get_by_label("Last group").fill(page.locator(".ww-code").inner_text()[-4:])
    thief.click("Create my private space")
    expect(page.get_by_role("button", name="Lock", exact=True)).to_be_visible()
    page.get_by_role("button", name="Lock", exact=True).click()
    thief.heading("Sign in to your private space")

    # What is sealed to the new key is the time from now on: the intake has answered, and nothing of before is in it.
    until(_history_arrived(agency, stolen), seconds=60)
    seen = _session(agency, stolen)
    assert seen["exposure"] == []
    # The owner notices at the next sign-in: the codes of the own phone are refused, and say so.
    with pytest.raises(WardwellError, match=REFUSED):
        _session(agency, victim)
    thief.close()
