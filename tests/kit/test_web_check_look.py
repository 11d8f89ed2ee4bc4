"""What `wardwell kit web-check` says when it cannot look, and how one answer is compared; no server, no browser."""

from __future__ import annotations

import hashlib
import shutil
import sys

import pytest

from appliance.errors import WardwellError
from appliance.kit import web_check, web_look, web_manifest
from appliance.kit.web_look import Answer, Visit

FILE = web_manifest.File("0" * 64, 1, {"Content-Type": "text/html"})


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://my.example.gov", "https://my.example.gov"),
        ("https://my.example.gov:443/", "https://my.example.gov"),
        ("https://my.example.gov:8445/", "https://my.example.gov:8445"),
    ],
)
def test_the_address_of_a_start_page_is_taken(url: str, origin: str) -> None:
    assert web_look.origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "http://my.example.gov/",
        "my.example.gov",
        "https://",
        "https://a.gov:x/",
        "https://a.gov/crisis/",
        "https://u@a.gov/",
    ],
)
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(WardwellError, match="not the address"):
        web_look.origin_of(url)


def test_without_playwright_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(WardwellError, match="pip install playwright"), web_look._browser(None):
        pass


def test_without_chromium_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(WardwellError, match="apt install chromium"), web_look._browser(None):
        pass


def test_a_header_sent_twice_is_a_difference() -> None:
    once = Answer(200, (("content-type", "text/html"), ("date", "now")), b"", True)
    twice = Answer(200, (*once.headers, ("content-type", "text/plain")), b"", True)
    assert web_check._headers("/", FILE.headers, once, frozenset()) == []
    said = [each.said for each in web_check._headers("/", FILE.headers, twice, frozenset())]
    assert said == ["Content-Type is 'text/html and text/plain', not 'text/html'"]


def test_a_redirect_is_a_missing_file() -> None:
    said = web_check._file("/worker.js", FILE, Answer(302, (), None, False))
    assert [(each.kind, each.said) for each in said] == [("missing", "answered with 302")]


def test_a_byte_order_mark_counts_where_the_bytes_are_exact() -> None:
    marked = "\ufeffp{}".encode()
    file = web_manifest.File(hashlib.sha256(marked).hexdigest(), len(marked), {})
    assert web_check._file("/a.css", file, Answer(200, (), marked, True)) == []
    assert web_check._file("/a.css", file, Answer(200, (), b"p{}", False)) == []
    assert [each.kind for each in web_check._file("/a.css", file, Answer(200, (), b"p{}", True))] == ["altered"]


def test_a_site_without_its_values_is_named_and_its_policy_not_guessed() -> None:
    stated = {"Content-Security-Policy": "connect-src https://{desk}", "X-Frame-Options": "DENY"}
    manifest = web_manifest.Manifest("wardwell-space", "1", {}, {"/site.json": stated}, [])
    sent = (("content-security-policy", "connect-src *"), ("x-frame-options", "DENY"))
    visit = Visit(web_look.VISITORS[0], {"/site.json": [Answer(404, sent, b"", True)]})
    result = web_check.compare("https://a.gov", web_manifest.Read(manifest, b"", ""), [visit], {})
    assert [(each.kind, each.path) for each in result.differences] == [("missing", "/site.json")]
    assert result.hosts is None
