"""What the private space's headers and its worker promise, tried in a browser; each with the promise taken away."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

from tests.demonstration.browser import CHROMIUM, flags, trusting_home
from tests.support.release_site import Site, running
from tests.support.waiting import until

pytestmark = [pytest.mark.system, pytest.mark.browser]
ELSEWHERE = "https://elsewhere.localhost/"
TRY_MARKUP = "() => { try { document.body.innerHTML = '<b>x</b>'; return 'done'; } catch (e) { return e.name; } }"
TRY_POLICY = "() => { try { trustedTypes.createPolicy('other', {}); return 'done'; } catch (e) { return e.name; } }"
TRY_FETCH = "(url) => fetch(url, { mode: 'no-cors' }).then(() => 'done', (e) => e.name)"


@contextlib.contextmanager
def chromium(site: Site, folder: Path) -> Iterator[Browser]:
    """Chromium that trusts the site's authority through its own store, never by a flag."""
    home = trusting_home(folder, site.home.root / "demo" / "ca.pem")
    with sync_playwright() as playwright:
        options: dict[str, Any] = {"executable_path": CHROMIUM, "env": {**os.environ, "HOME": str(home)}}
        # Another site may ask for an address of this machine here; so it is the header alone that refuses it.
        open_to_all = "--disable-features=LocalNetworkAccessChecks"
        browser = playwright.chromium.launch(args=["--headless=new", open_to_all, *flags()], **options)
        yield browser
        browser.close()


@pytest.fixture
def page(site: Site, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    """The start page; a test's parameter names a line of the front's configuration that is taken away first."""
    taken = getattr(request, "param", "")
    if taken:
        site.served(lambda text: re.sub(taken, "", text))
    with running(site), chromium(site, tmp_path / "browser") as browser:
        page = browser.new_page(base_url=f"https://{site.hosts.space}")
        page.goto("/")
        yield page


@pytest.mark.parametrize(
    ("page", "markup", "policy"),
    [("", "TypeError", "TypeError"), ("require-trusted-types-for 'script'; trusted-types wardwell", "done", "done")],
    indirect=["page"],
    ids=["sent", "control"],
)
def test_a_string_never_becomes_markup(page: Page, markup: str, policy: str) -> None:
    assert page.evaluate(TRY_MARKUP) == markup
    assert page.evaluate(TRY_POLICY) == policy


@pytest.mark.parametrize(
    ("page", "alone"),
    [("", True), (r" +add_header Cross-Origin-Embedder-Policy [^\n]+\n", False)],
    indirect=["page"],
    ids=["sent", "control"],
)
def test_the_space_shares_no_process_with_another_site(page: Page, alone: bool) -> None:
    assert page.evaluate("crossOriginIsolated") is alone


@pytest.mark.parametrize(
    ("page", "reached"),
    [("", False), (r" +add_header Cross-Origin-(Opener|Resource)-Policy [^\n]+\n", True)],
    indirect=["page"],
    ids=["sent", "control"],
)
def test_another_site_neither_keeps_hold_of_the_space_nor_embeds_it(page: Page, reached: bool) -> None:
    origin = page.evaluate("location.origin")
    page.context.route(f"{ELSEWHERE}**", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    page.goto(ELSEWHERE)
    assert (page.evaluate(TRY_FETCH, f"{origin}/worker.js") == "done") is reached
    with page.context.expect_page() as opened:
        page.evaluate("(url) => { window.held = open(url); }", f"{origin}/")
    opened.value.wait_for_load_state()
    assert opened.value.evaluate("window.opener !== null") is reached
    assert page.evaluate("!window.held.closed") is reached


@pytest.mark.parametrize(
    ("page", "reached"),
    [("", []), (r" +add_header Content-Security-Policy [^\n]+\n", [ELSEWHERE])],
    indirect=["page"],
    ids=["sent", "control"],
)
def test_no_third_party_is_reached(page: Page, reached: list[str]) -> None:
    hosts, out = set(), []
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))

    def answer(route: Any) -> None:
        out.append(route.request.url)
        route.fulfill(body="x")

    page.reload(wait_until="networkidle")
    assert hosts == {page.evaluate("location.host")}
    page.context.route(f"{ELSEWHERE}**", answer)
    # What the policy refuses never leaves the browser.
    page.evaluate(TRY_FETCH, ELSEWHERE)
    assert out == reached


def test_the_worker_keeps_the_crisis_pages_and_nothing_else(site: Site, tmp_path: Path) -> None:
    (site.home.site / "site-assets").mkdir()
    (site.home.site / "site-assets" / "site.css").write_text("p{color:navy}")
    crisis = site.home.site / "crisis" / "index.html"
    crisis.write_text("<!doctype html><link rel=stylesheet href=/site-assets/site.css><p>Call 988.</p>")
    kept = "caches.keys().then((names) => Promise.all(names.map((n) => caches.open(n).then((c) => c.keys())))) \
        .then((all) => all.flat().map((request) => new URL(request.url).pathname).sort())"
    ready = "navigator.serviceWorker.getRegistration('/crisis/').then((r) => Boolean(r && r.active))"
    with chromium(site, tmp_path / "browser") as browser:
        page = browser.new_page(base_url=f"https://{site.hosts.space}")
        with running(site):
            page.goto("/", wait_until="networkidle")
            until(lambda: page.evaluate(ready))
            # The space itself does not pass through the worker.
            assert page.evaluate("navigator.serviceWorker.controller") is None
            assert page.evaluate(kept) == ["/crisis/"]
            page.goto("/crisis/", wait_until="networkidle")
            page.goto("/", wait_until="networkidle")
            assert page.evaluate(kept) == ["/crisis/", "/site-assets/site.css"]
        # The control: with the appliance gone the crisis page is there, dressed, and the space is not.
        page.goto("/crisis/")
        assert page.inner_text("p") == "Call 988."
        assert page.evaluate("getComputedStyle(document.querySelector('p')).color") == "rgb(0, 0, 128)"
        with pytest.raises(Error, match="ERR_CONNECTION_REFUSED"):
            page.goto("/")
