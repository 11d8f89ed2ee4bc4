"""A copy of the vault to take away: Debian's `age` opens it with its own key only, and no key of the vault is in it.

It can be read (HTML), handed to a clinician (FHIR) and put back into an empty vault.
"""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from provisioning.packages import SPACE
from tests.space.conftest import Call
from tests.space.live_site import LiveSite
from tests.space.walk import check, create, heading, opened, sign_in

NOW = "2026-11-23T12:00:00.000Z"
# What every open space sends, whatever was done in it.
EVERY_MINUTE = {"/api/vault", "/api/deliveries/taken"}
WORDS = "the bridge, again, marker-5120"
# A record is put under a type in quotes: `vault.put<CheckIn>("check-in", …)`.
PUT = re.compile(r'\.put(?:<[^(]*>)?\(\s*"([a-z-]+)"')


def _age(identity: str, file: bytes, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """What Debian's `age` makes of `file`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "key.txt").write_text(identity + "\n")
    (folder / "copy.age").write_bytes(file)
    command = ["age", "--decrypt", "-i", str(folder / "key.txt"), str(folder / "copy.age")]
    return subprocess.run(command, capture_output=True, timeout=60, check=False)


def _files(archive: bytes) -> dict[str, str]:
    """What a decrypted copy holds, by name; Python's own reader checks the archive."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened_archive:
        assert opened_archive.testzip() is None
        return {name: opened_archive.read(name).decode() for name in opened_archive.namelist()}


def _records(archive: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_files(archive)["my-copy.json"])
    return found


def _export(call: Call, *put: tuple[str, Any]) -> tuple[str, bytes]:
    made = call("export", put=put, now=NOW)
    return made["identity"], base64.b64decode(made["file"])


def test_stock_age_opens_it_and_no_other_key_does(call: Call, tmp_path: Path) -> None:
    body = {"values": {"sleep": 2, "load": None, "mood": 5, "connection": 5}, "words": WORDS}
    identity, file = _export(call, ("check-in", body))
    other, _ = _export(call)
    done = _age(identity, file, tmp_path / "own")
    assert done.returncode == 0, done.stderr
    copy = _records(done.stdout)
    assert (copy["format"], copy["version"], copy["exported_at"]) == ("wardwell-export", 1, NOW)
    assert [(record["type"], record["at"], record["body"]) for record in copy["records"]] == [("check-in", NOW, body)]
    assert WORDS.encode() not in file
    wrong = _age(other, file, tmp_path / "other")
    assert wrong.returncode != 0
    assert wrong.stdout == b""
    altered = _age(identity, file[:-1] + bytes([file[-1] ^ 1]), tmp_path / "altered")
    assert altered.returncode != 0
    assert WORDS.encode() not in altered.stdout


def test_no_key_leaves_nor_what_others_wrote_to_a_supporter(call: Call, tmp_path: Path) -> None:
    keys = {"xwing": "key-of-replies", "x25519": "key-of-replies"}
    identity, file = _export(
        call,
        ("mailbox-key", {"seed": "key-of-mailbox", "public": "x"}),
        ("provisional-key", {"seed": "key-provisional"}),
        ("supporter-key", {"secret": "key-of-supporter"}),
        ("post-thread", {"thread": "mine", "side": "officer", "secret": keys, "name": "Pat"}),
        ("post-message", {"thread": "mine", "text": "my own words"}),
        ("post-thread", {"thread": "theirs", "side": "supporter", "secret": None, "name": "Somebody"}),
        ("post-message", {"thread": "theirs", "text": "words of another person"}),
    )
    plaintext = "".join(_files(_age(identity, file, tmp_path).stdout).values())
    # The control: a conversation that is one's own is there.
    assert "my own words" in plaintext
    assert "Pat" in plaintext
    assert not re.search("key-|another person|Somebody", plaintext)


def test_every_type_of_record_is_either_taken_or_left(call: Call) -> None:
    lists = call("export_types")
    known = [name for names in lists.values() for name in names]
    assert len(known) == len(set(known))
    put = {name for path in (SPACE / "src").rglob("*.ts*") for name in PUT.findall(path.read_text())}
    assert put == set(known)


@pytest.mark.browser
@pytest.mark.system
def test_a_copy_saved_from_the_browser(site: LiveSite, tmp_path: Path) -> None:
    with opened(site, tmp_path / "browser") as page:
        member, slip = site.member("rey", "officer")
        sign_in(page, member, member.fresh_code())
        create(page, site, slip)
        page.get_by_role("link", name="Check in", exact=True).first.click()
        page.get_by_label("Anything you want to remember").fill(WORDS)
        page.get_by_role("button", name="Keep it").click()
        sent: list[Request] = []
        page.on("request", lambda request: sent.append(request))
        identity, file = _saved(page, tmp_path)
        # Nothing is sent but what every open space sends; the address of the file is the page's own memory.
        assert {urlsplit(request.url).path for request in sent if request.method != "GET"} <= EVERY_MINUTE
        assert not [r.url for r in sent if identity in r.url + (r.post_data or "") or WORDS in (r.post_data or "")]
        done = _age(identity, file, tmp_path / "age")
        assert done.returncode == 0, done.stderr
        words = [r["body"]["words"] for r in _records(done.stdout)["records"] if r["type"] == "check-in"]
        assert words == [WORDS]
        # Shown once: who comes back sees no key, and another copy has another one.
        page.get_by_role("link", name="Home", exact=True).first.click()
        again, _ = _saved(page, tmp_path)
        assert again != identity


def _saved(page: Page, folder: Path) -> tuple[str, bytes]:
    page.get_by_role("link", name="Take a copy", exact=True).first.click()
    heading(page, "Take a copy with you")
    expect(page.locator(".ww-code")).to_have_count(0)
    page.get_by_role("button", name="Make a copy").click()
    identity = page.locator(".ww-code").inner_text().strip()
    assert re.fullmatch("AGE-SECRET-KEY-1[A-Z0-9]{58}", identity)
    check(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save the file").click()
    assert re.fullmatch(r"my-copy-\d{4}-\d\d-\d\d\.zip\.age", download.value.suggested_filename)
    download.value.save_as(folder / "saved.age")
    return identity, (folder / "saved.age").read_bytes()
