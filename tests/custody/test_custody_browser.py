"""The sealed page in a real browser, without JavaScript's help: no violation of axe or of its own policy."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from appliance.custody import opening, public_record
from appliance.settings import Home
from tests.custody.support import Files, hold, make_shares_home, serving
from tests.story.people import WATCH, accessible
from webapp.custody import create_app


class Silent(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """No line about a request."""


@pytest.mark.browser
def test_each_state_of_the_page_is_accessible(home: Home, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    places, machine = make_shares_home(home), Files(tmp_path)
    home.settings_file.write_text(home.settings_file.read_text() + f'[hosts]\ndesk = "127.0.0.1:{port}"\n')
    cards = hold(places, machine)
    opening.seal(places, machine, public_record.load(places), lambda _: None)
    server = make_server("127.0.0.1", port, create_app(home), threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with serving(places, machine), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            page = browser.new_page()
            page.add_init_script(WATCH)
            page.goto(f"http://127.0.0.1:{port}/")
            accessible(page)
            page.get_by_label("The words of one card").fill("academic acid hello")
            page.get_by_role("button", name="Hand in this card").click()
            assert page.get_by_role("alert").inner_text().count("Word 3") == 1
            assert page.get_by_label("The words of one card").input_value() == ""
            accessible(page)
            page.get_by_label("The words of one card").fill(cards["agency"][0].words)
            page.get_by_role("button", name="Hand in this card").click()
            page.wait_for_load_state("networkidle")
            assert page.get_by_role("status").inner_text().startswith("The card was taken")
            accessible(page)
            browser.close()
    finally:
        server.shutdown()
        thread.join()
