"""The pages before sign-in: plain, complete, without a script, without anything fetched from elsewhere."""

from __future__ import annotations

import itertools
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance import clock
from appliance.charter import load_charter
from appliance.crypto import sshsig
from appliance.errors import WardwellError
from appliance.kit.take_home import take_home
from appliance.press import pages
from appliance.press.commands import press
from appliance.press.resources import SHIPPED, load_resources
from appliance.settings import Home

VOID = {"meta", "link", "br", "img", "input", "hr"}
PERSON = {
    "number": 1,
    "name": "Dana <Fields>",
    "role": "clinician",
    "languages": ["English", "Spanish"],
    "phone": "(555) 555-0142",
    "about": "Trauma & sleep.",
    "xwing": "AAAA",
    "x25519": "BBBB",
}


class Structure(HTMLParser):
    """A page's elements in order, its headings, links, ids and texts; unbalanced elements raise."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.headings: list[tuple[int, str]] = []
        self.words = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data
        if self.open and re.fullmatch("h[1-6]", self.open[-1]):
            level, words = self.headings[-1]
            self.headings[-1] = (level, words + data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def publish_keylist(home: Home, tmp_path: Path) -> None:
    key = tmp_path / "trustee-key"
    key.write_bytes(sshsig.generate_private_openssh())
    private = sshsig.load_private(key)
    raw = json.dumps({"version": 3, "supporters": [PERSON, PERSON | {"number": 2, "role": "peer", "name": "Lee"}]})
    (home.public / "trustee.pub").write_text(sshsig.public_line(private, "trustee") + "\n")
    (home.public / "keylist.json").write_text(raw)
    (home.public / "keylist.json.sig").write_bytes(sshsig.sign(private, raw.encode(), "wardwell-keylist"))


def html_of(home: Home) -> dict[str, str]:
    return {name: data.decode() for name, data in pages.render(home).items() if name.endswith(".html")}


def check_structure(text: str) -> Structure:
    page = Structure(text)
    levels = [level for level, _ in page.headings]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels)), page.headings
    assert all(words.strip() for _, words in page.headings)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert page.all("html")[0]["lang"]
    assert len(page.all("main")) == 1 and len(page.all("title")) == 1
    assert ("a", {"class": "skip", "href": "#main"}) in page.elements
    assert not page.all("script") and not page.all("img")
    assert not [a for _, a in page.elements if "style" in a or any(name.startswith("on") for name in a)]
    for link in page.all("a"):
        if link["href"].startswith("#"):
            assert link["href"][1:] in ids
    return page


def test_every_page_is_well_formed_and_usable_without_a_script(home: Home, tmp_path: Path) -> None:
    publish_keylist(home, tmp_path)
    found = html_of(home)
    assert len(found) == len(pages.PAGES)
    addresses = {page.path for page in pages.PAGES} | {"/crisis/site.css"}
    for text in found.values():
        page = check_structure(text)
        for link in [*page.all("a"), *page.all("link")]:
            kind = re.match(r"(tel:\d+|sms:\d+|#|/charter\.toml)", link["href"])
            assert kind or link["href"] in addresses, link
        assert "default-src 'none'" in page.all("meta")[1]["content"]


def test_all_pages_lie_under_the_addresses_that_the_front_serves(home: Home) -> None:
    served = ("crisis/", "family/", "resources/", "directory/", "charter/")
    assert all(name.startswith(served) for name in pages.render(home))


@pytest.mark.parametrize("number", ["tel:988", "sms:988", "sms:741741", "tel:18002675463", "tel:2064593020", "tel:911"])
def test_the_crisis_pages_carry_every_line_in_both_languages(home: Home, number: str) -> None:
    found = html_of(home)
    for name in ("crisis/index.html", "crisis/es/index.html"):
        assert f'href="{number}"' in found[name]


def test_the_crisis_page_in_spanish_is_spanish(home: Home) -> None:
    text = html_of(home)["crisis/es/index.html"]
    page = check_structure(text)
    assert page.all("html")[0]["lang"] == "es"
    assert "Envíe HOLA al 741741" in text and "Llame al 988" in text
    assert not re.search(r"\b(Call \d|Text \d|Text HOME|Every hour)", page.words)


def test_the_review_date_is_shown_missing_given_or_overdue(home: Home) -> None:
    own, shipped = home.root / "resources.toml", SHIPPED.read_text()
    assert "has not reviewed this list yet" in html_of(home)["crisis/index.html"]
    own.write_text(shipped.replace('last_reviewed = ""', 'last_reviewed = "2026-11-02"'))
    with clock.held(datetime(2026, 11, 23, tzinfo=UTC)):
        assert "Last reviewed by this agency on November 2, 2026." in html_of(home)["crisis/index.html"]
    with clock.held(datetime(2027, 3, 1, tzinfo=UTC)):
        assert "overdue" in html_of(home)["family/index.html"]


def test_the_agencys_own_lines_stand_on_the_crisis_and_resource_pages(home: Home) -> None:
    own = '[[agency]]\nname = "Peer team on call"\ncall = "555-0100"\nabout = "At any hour."\n'
    (home.root / "resources.toml").write_text(SHIPPED.read_text() + own)
    found = html_of(home)
    for name in ("crisis/index.html", "crisis/es/index.html", "resources/index.html"):
        assert "Peer team on call" in found[name] and 'href="tel:5550100"' in found[name]


@pytest.mark.parametrize("wrong", ["nonsense = 1\n", 'last_reviewed = "soon"\n', "[[crisis]]\nname = 1\n", ""])
def test_a_wrong_list_of_lines_is_refused(home: Home, wrong: str) -> None:
    """The last one is valid but leaves the 988 Lifeline out."""
    (home.root / "resources.toml").write_text(wrong)
    with pytest.raises(WardwellError):
        load_resources(home)


def test_the_charter_page_says_what_the_charter_object_says(home: Home) -> None:
    charter, page = load_charter(home), Structure(html_of(home)["charter/index.html"])
    words = " ".join(page.words.split())
    for name, category in charter.categories.items():
        roles = ", ".join(charter.roles[role] for role in charter.roles_that_see(name))
        assert f"{category.title} {charter.label(name)} Seen by: {roles}." in words
    assert charter.digest in words and f"fewer than {charter.constants.floor} people" in words


def test_the_directory_shows_people_escaped_without_keys_and_alike_for_everyone(home: Home, tmp_path: Path) -> None:
    assert "has not been published yet" in html_of(home)["directory/index.html"]
    publish_keylist(home, tmp_path)
    text = html_of(home)["directory/index.html"]
    assert "Dana &lt;Fields&gt;" in text and "English, Spanish" in text and 'href="tel:5555550142"' in text
    assert "Trauma &amp; sleep." in text and "Peer supporters" in text and "Clinicians" in text
    assert "AAAA" not in text and "BBBB" not in text
    assert html_of(home)["directory/index.html"] == text


def test_a_key_list_that_was_altered_or_is_unsigned_is_not_shown(home: Home, tmp_path: Path) -> None:
    publish_keylist(home, tmp_path)
    pages.render(home)  # positive control
    path = home.public / "keylist.json"
    good = path.read_text()
    path.write_text(good.replace("555-0142", "555-0199"))
    with pytest.raises(WardwellError, match="altered"):
        pages.render(home)
    path.write_text(good)
    (home.public / "keylist.json.sig").unlink()
    with pytest.raises(WardwellError, match="not signed"):
        pages.render(home)


def test_the_command_writes_only_what_changed(home: Home) -> None:
    environment = {"WARDWELL_HOME": str(home.root)}
    first = CliRunner().invoke(press, ["pages"], env=environment)
    assert first.exit_code == 0 and "crisis/index.html" in first.output
    assert "0 changed" in CliRunner().invoke(press, ["pages"], env=environment).output
    page = home.public / "site" / "crisis" / "index.html"
    assert page.stat().st_mode & 0o777 == 0o644


def test_fonts_are_only_asked_for_where_they_are(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / pages.FONT_NAMES[0]).write_bytes(b"font")
    monkeypatch.setattr(pages, "FONTS", tmp_path)
    assert [name for name in pages.render(home) if "fonts" in name] == [f"crisis/fonts/{pages.FONT_NAMES[0]}"]


def external(text: str) -> list[str]:
    """Everything in a page that a browser would fetch: addresses, imports, and elements that load."""
    page = Structure(text)
    found = [a["src"] for _, a in page.elements if "src" in a] + [a["href"] for a in page.all("link")]
    found += [a["href"] for a in page.all("a") if not re.match(r"(#|tel:|sms:)", a["href"])]
    return found + re.findall(r"url\(|@import|https?://|//[a-z]", text)


def test_the_take_home_file_fetches_nothing_and_has_every_part(home: Home, tmp_path: Path) -> None:
    publish_keylist(home, tmp_path)
    out = tmp_path / "help.html"
    result = CliRunner().invoke(take_home, [str(out)], env={"WARDWELL_HOME": str(home.root)})
    assert result.exit_code == 0, result.output
    text = out.read_text()
    assert external(text) == []
    # Positive control: the same look at a page of the site finds its style sheet and its addresses.
    assert "/crisis/site.css" in external(html_of(home)["crisis/index.html"])
    page = check_structure(text)
    sections = [section["aria-labelledby"] for section in page.all("section")]
    assert sections == ["crisis", "crisis-es", "family", "resources", "directory"]
    assert "Dana &lt;Fields&gt;" in text and 'href="tel:988"' in text
    assert len(out.read_bytes()) < 100_000
