"""How long an officer waits for the own space: unlocking, ten years of check-ins, 5,000 calls; what is loaded first.

Owns: a demonstration of its own in a scratch home, and Chromium in front of it. Must never see: an agency's appliance.
Times are of a page that was opened anew, from the click until what was asked for can be read. The vault is filled by
the browser's own code under Node; the calls come sealed, as the intake's deliveries do, and are opened while unlocking.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from appliance import clock
from appliance.charter import load_charter
from appliance.crypto.canonical import canonical
from appliance.crypto.sealing import info, seal
from appliance.desk.models.vault import Delivery, Vault
from appliance.rules.exposure_model import load_model
from appliance.settings import Home
from appliance.storage import open_store
from provisioning.packages import MODULES, NODE
from tests.demonstration import pockets
from tests.demonstration.browser import CHROMIUM, flags, trusting_home
from tests.demonstration.pockets import Pocket

SPACE = MODULES.parent
YEARS, CALLS, UNLOCKS = 10, 5_000, 3
# How many calls fit into one delivery of the largest size.
_PER_DELIVERY = 500


def _run(home: Home, *arguments: str) -> None:
    command = [sys.executable, "-m", "tests.demonstration", *arguments]
    environment = {**os.environ, "WARDWELL_HOME": str(home.root)}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, timeout=600)


@contextlib.contextmanager
def _demonstration(root: Path) -> Iterator[Home]:
    home = Home(root)
    _run(home, "up", "--ports-from", "free", "--days", "2")
    try:
        yield home
    finally:
        _run(home, "stop")


def _bundle() -> float:
    """KiB that a first visit loads besides the two fonts, compressed as the front compresses it (`gzip_comp_level`)."""
    files = [path for path in (SPACE / "dist").rglob("*") if path.suffix in (".html", ".js", ".css", ".mjs")]
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) / 1024


@contextlib.contextmanager
def _unlocked(browser: Browser, home: Home, officer: Pocket) -> Iterator[tuple[Page, float]]:
    """A space that was unlocked in a fresh window, and the seconds from the click until it could be read."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"https://{home.settings().hosts.space}/")
    page.get_by_label("Name", exact=True).fill(officer.name)
    page.get_by_label("Password", exact=True).fill(officer.password)
    page.get_by_label("Code from your authenticator app").fill(officer.fresh_code())
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Six words, or your recovery code").fill(officer.passphrase)
    begun = time.perf_counter()
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_role("button", name="Lock", exact=True)).to_be_visible(timeout=60_000)
    yield page, time.perf_counter() - begun
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_text("Your private space is locked.")).to_be_visible()
    context.close()


def _open(page: Page, name: str, text: str) -> float:
    """Seconds from the click on a page's name until `text` stands on it."""
    begun = time.perf_counter()
    page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_text(text).first).to_be_visible()
    return time.perf_counter() - begun


def _check_ins(today: datetime) -> list[dict[str, Any]]:
    """One check-in a week for ten years, each with a sentence that compresses badly."""
    made = []
    for week in range(YEARS * 52):
        at = (today - timedelta(weeks=week)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        values = {name: secrets.randbelow(11) for name in ("sleep", "load", "mood", "connection")}
        body = {"values": values, "words": secrets.token_urlsafe(30)}
        made.append({"id": secrets.token_hex(16), "type": "check-in", "at": at, "body": body})
    return made


def _fill(home: Home, officer: Pocket, enrolled_on: date) -> None:
    """Ten years of check-ins in the stored vault of somebody who enrolled ten years ago."""
    store = open_store(home, "desk")
    with store.write() as session:
        row = session.get_one(Vault, officer.handle)
        stored = {"version": row.version, "blob": base64.b64encode(row.blob).decode(), "wraps": row.wraps}
        given = {
            "handle": officer.handle,
            "words": officer.passphrase,
            "stored": {**stored, "enrolled_on": enrolled_on.isoformat()},
            "records": _check_ins(clock.now()),
        }
        command = [NODE, Path(__file__).with_name("_space_fill.mjs"), SPACE / "dist-node" / "library.mjs"]
        done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True)
        row.blob, row.version, row.enrolled_on = base64.b64decode(done.stdout), row.version + 1, enrolled_on
    store.close()


def _deliver(home: Home, officer: Pocket) -> None:
    """CALLS calls of ten years in sealed deliveries, as the intake leaves them at desk."""
    store, kinds = open_store(home, "desk"), [kind.id for kind in load_model().types if kind.weight > 0]
    size = load_charter(home).constants.history_bytes
    with store.write() as session:
        key = session.get_one(Vault, officer.handle).mailbox_key
        for first in range(0, CALLS, _PER_DELIVERY):
            contributions = []
            for number in range(first, first + _PER_DELIVERY):
                at = clock.now() - timedelta(hours=number * YEARS * 365 * 24 / CALLS)
                contributions.append(
                    {
                        "id": secrets.token_hex(16),
                        "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                        "hour": at.hour,
                        "shift_day": at.date().isoformat(),
                        "type": kinds[number % len(kinds)],
                        "role": "primary",
                        "minutes": 45,
                        "revision": 1,
                        "gone": False,
                    }
                )
            plain = canonical({"v": 1, "cycle": 1, "contributions": contributions, "more": False})
            sealed = seal(key, plain.ljust(size), info=info("exposure", officer.handle))
            session.add(
                Delivery(id=secrets.token_hex(16), handle=officer.handle, kind="history", cycle=1, sealed=sealed)
            )
    store.close()


def run() -> Iterator[dict[str, Any]]:
    """`space.unlock.seconds`, `space.bundle.kib_gz`, `space.ten_years.seconds`, `space.exposure_5000.seconds`."""
    with tempfile.TemporaryDirectory() as scratch, _demonstration(Path(scratch) / "home") as home:
        officer = pockets.load_existing(home).of("officer")
        trusting = trusting_home(Path(scratch) / "browser", home.root / "demo" / "ca.pem")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM,
                args=["--headless=new", *flags()],
                env={**os.environ, "HOME": str(trusting)},
            )
            plain = []
            for _ in range(UNLOCKS):
                with _unlocked(browser, home, officer) as (_, seconds):
                    plain.append(seconds)
            usual = statistics.median(plain)
            _fill(home, officer, clock.now().date().replace(day=1) - timedelta(days=YEARS * 366))
            with _unlocked(browser, home, officer) as (page, seconds):
                ten_years = max(0.0, seconds - usual) + _open(page, "Check in", "The last 90 days")
            _deliver(home, officer)
            with _unlocked(browser, home, officer) as (page, seconds):
                exposure = max(0.0, seconds - usual) + _open(page, "Exposure", "Weight 10 of 10")
            browser.close()
    beyond = f"beyond an unlock with little in it, and drawing; that unlock: {usual:.2f} s"
    for name, value, unit, against in (
        ("unlock.seconds", round(usual, 2), "s", f"median of {UNLOCKS}, from {min(plain):.2f} to {max(plain):.2f}"),
        ("bundle.kib_gz", round(_bundle(), 1), "KiB", ""),
        ("ten_years.seconds", round(ten_years, 2), "s", beyond),
        ("exposure_5000.seconds", round(exposure, 2), "s", beyond),
    ):
        yield {"name": f"space.{name}", "value": value, "unit": unit, "against": against, "control": ""}
