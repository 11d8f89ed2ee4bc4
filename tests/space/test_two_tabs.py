"""Promise: one space open in two tabs at once: nothing of either is lost, and no key and nonce seal twice."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect

from tests.space.live_site import LiveSite
from tests.space.walk import create, heading, keep_words, lock, opened, sign_in, unlock

pytestmark = [pytest.mark.browser, pytest.mark.system, pytest.mark.timeout(300)]

SALT = slice(1, 33)


def test_two_tabs_lose_nothing_and_share_no_key(site: LiveSite, tmp_path: Path) -> None:
    with opened(site, tmp_path / "browser") as first:
        sent: list[Request] = []
        first.context.on("request", lambda request: sent.append(request))
        member, slip = site.member("alex", "officer")
        sign_in(first, member, member.fresh_code())
        words = create(first, site, slip)
        with first.expect_popup() as opening:
            first.evaluate("void open('/')")
        second: Page = opening.value
        second.set_default_timeout(60_000)
        sign_in(second, member, member.fresh_code())
        unlock(second, words)
        heading(second, re.compile("^Good"))
        keep_words(first, "typed in the first tab")
        keep_words(second, "typed in the second tab")
        # Both save in the same minute: one of them is told that the other was first.
        first.clock.run_for(60_000)
        for page in (second, first):
            lock(page)
        saves = [request for request in sent if request.method == "PUT" and request.url.endswith("/api/vault")]
        statuses = [answer.status for request in saves if (answer := request.response())]
        assert 409 in statuses, statuses
        blobs = [json.loads(data)["blob"] for request in sent if "blob" in (data := request.post_data or "")]
        salts = [base64.b64decode(blob)[SALT] for blob in blobs]
        assert len(salts) >= 6
        assert len(set(salts)) == len(salts)

        sign_in(first, member, member.fresh_code())
        unlock(first, words)
        first.get_by_role("link", name="Check in", exact=True).first.click()
        first.get_by_text("Your check-ins").click()
        for tab in ("first", "second"):
            expect(first.get_by_text(f"typed in the {tab} tab")).to_be_visible()
