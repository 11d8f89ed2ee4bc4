"""A copy is put back into an empty vault as it was; what was not made here brings nothing, and says so."""

from __future__ import annotations

import base64
import json
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from playwright.sync_api import expect

from tests.space.conftest import Call
from tests.space.live_site import LiveSite
from tests.space.test_export import _age, _export, _files, _saved
from tests.space.walk import create, heading, keep_words, lock, opened, sign_in

NOW = "2026-11-23T12:00:00.000Z"
NASTY = "<script>alert('marker-77')</script> & \"more\""
CALL = {
    "id": "ab" * 16,
    "at": "2026-11-20T03:00:00Z",
    "type": "suicide",
    "role": "primary",
    "minutes": 50,
    "revision": 2,
    "gone": False,
    "hour": 20,
    "shift_day": "2026-11-19",
}
CHECK_IN = {"values": {"sleep": 2, "load": None, "mood": 5, "connection": 5}, "words": NASTY}
PHQ_2 = {"screener": "phq-2", "version": 1, "answers": {"gate": None, "items": [3, None]}}
GATED = {"screener": "pc-ptsd-5", "version": 1, "answers": {"gate": False, "items": [None] * 5}}
WHO_5 = {"screener": "who-5", "version": 1, "answers": {"gate": None, "items": [5, 4, 3, 2, 1]}}
OF_ANOTHER_VERSION = {"screener": "who-5", "version": 2, "answers": {"gate": None, "items": [9]}}
BROUGHT = [
    ("check-in", CHECK_IN),
    ("screener", PHQ_2),
    ("screener", GATED),
    ("screener", WHO_5),
    ("exposure", CALL),
    ("exposure-month", {"month": "2019-03", "counts": {"suicide": 2}}),
    ("not-there", {"contribution": CALL["id"]}),
]
LEFT = [
    ("choice-reach-out", {"until": "2027-01-01T00:00:00.000Z", "number": 1, "alias": "A", "text": "x"}),
    ("post-thread", {"thread": "t", "side": "officer", "secret": None, "name": "Pat", "alias": "A"}),
    ("post-message", {"thread": "t", "mine": True, "text": "said to Pat"}),
]


def _bodies(found: dict[str, Any]) -> list[str]:
    return sorted(json.dumps([r["type"], r["body"]], sort_keys=True) for r in found["records"])


def _back(call: Call, identity: str, file: bytes, *put: tuple[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = call(
        "bring_back", file=base64.b64encode(file).decode(), identity=identity, put=put, now=NOW
    )
    return found


def test_into_an_empty_vault_everything_comes_back_but_conversations_and_choices(call: Call) -> None:
    identity, file = _export(call, *BROUGHT, *LEFT)
    found = _back(call, identity.lower() + "\n", file)
    assert found["added"] == len(BROUGHT)
    assert _bodies(found) == sorted(json.dumps([t, body], sort_keys=True) for t, body in BROUGHT)


def test_twice_is_once_and_what_is_there_stays(call: Call) -> None:
    identity, file = _export(call, *BROUGHT)
    newer = {**CALL, "revision": 3, "minutes": 55}
    months = {"month": "2019-03", "counts": {"suicide": 2}}
    # It folded calls into months itself: those of the copy would count twice, as would calls from before that.
    found = _back(call, identity, file, ("exposure", newer), ("exposure-month", months))
    assert [r["body"] for r in found["records"] if r["type"] == "exposure"] == [newer]
    assert [r["body"] for r in found["records"] if r["type"] == "exposure-month"] == [months]


def _sealed(call: Call, tmp_path: Path, content: str, name: str = "my-copy.json") -> tuple[str, bytes]:
    """A file that Debian's `age` made, with this content."""
    identity = subprocess.run(["age-keygen"], capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    (tmp_path / "key").write_text(identity)
    public = subprocess.run(["age-keygen", "-y", tmp_path / "key"], capture_output=True, text=True, check=True).stdout
    archive = base64.b64decode(call("zip", files=[[name, content]]))
    done = subprocess.run(["age", "-r", public.strip()], input=archive, capture_output=True, check=True)
    return identity, done.stdout


def _content(*records: object, **changes: object) -> str:
    return json.dumps({"format": "wardwell-export", "version": 1, "exported_at": NOW, "records": records, **changes})


def _record(kind: str, body: object, **changes: object) -> dict[str, object]:
    return {"id": "cd" * 16, "type": kind, "at": NOW, "body": body, **changes}


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (_content(version=2), "my-copy.json", "copy_newer"),
        (_content(format="something-else"), "my-copy.json", "not_a_copy"),
        (_content(records={}), "my-copy.json", "not_a_copy"),
        ("{", "my-copy.json", "not_a_copy"),
        ("[]", "my-copy.json", "not_a_copy"),
        (_content(), "other.json", "not_a_copy"),
    ],
)
def test_what_is_no_copy_says_so(call: Call, tmp_path: Path, content: str, name: str, code: str) -> None:
    identity, file = _sealed(call, tmp_path, content, name)
    assert _back(call, identity, file) == {"code": code}
    # The control: made the same way, a copy is taken.
    identity, file = _sealed(call, tmp_path, _content(_record("check-in", CHECK_IN)))
    assert _back(call, identity, file)["added"] == 1


@pytest.mark.parametrize(
    "record",
    [
        _record("mailbox-key", {"seed": "x", "public": "y"}),
        _record("trustee", {"line": "ssh-ed25519 AAAA", "fingerprint": "x"}),
        _record("post-part", {"thread": "t", "text": "sent in somebody's name"}),
        _record("choice-reach-out", {"until": "2027-01-01T00:00:00.000Z"}),
        _record("entry", {"sequence": 1, "proved": True}),
        _record("toString", {}),
        _record("check-in", {**CHECK_IN, "words": "x" * 601}),
        _record("check-in", {**CHECK_IN, "values": {**CHECK_IN["values"], "sleep": 11}}),  # type: ignore[dict-item]
        _record("check-in", CHECK_IN, id="../x"),
        _record("check-in", CHECK_IN, at="yesterday"),
        _record("screener", {**PHQ_2, "answers": {"gate": None, "items": [3]}}),
        _record("exposure", {**CALL, "id": "<b>"}),
        _record("exposure-month", {"month": "2019-03", "counts": {"suicide": -1}}),
        "nothing",
        None,
    ],
)
def test_a_made_up_record_comes_not_in(call: Call, tmp_path: Path, record: object) -> None:
    identity, file = _sealed(call, tmp_path, _content(record, _record("check-in", CHECK_IN, id="ef" * 16)))
    found = _back(call, identity, file)
    assert [r["id"] for r in found["records"]] == ["ef" * 16]


def test_another_key_or_an_altered_file_opens_nothing(call: Call) -> None:
    identity, file = _export(call, ("check-in", CHECK_IN))
    other, _ = _export(call)
    altered = file[:-1] + bytes([file[-1] ^ 1])
    for key, given in (
        (other, file),
        (identity, altered),
        ("no key", file),
        (identity, b""),
        (identity, b"no age file"),
    ):
        assert _back(call, key, given) == {"code": "copy_closed"}


def test_the_pages_hold_everything_and_nothing_that_runs(call: Call, tmp_path: Path) -> None:
    identity, file = _export(call, *BROUGHT, *LEFT, ("screener", OF_ANOTHER_VERSION))
    html = _files(_age(identity, file, tmp_path).stdout)["my-copy.html"]
    assert "&lt;script&gt;alert(&#39;marker-77&#39;)&lt;/script&gt; &amp; &quot;more&quot;" in html
    assert "<script" not in html
    assert "default-src 'none'" in unescape(html)
    for words in (
        "Nearly every day",
        "Skipped",
        "Score: 60 of 100",
        "November 19, 2026",
        "said to Pat",
        "2019-03",
    ):
        assert words in html, words


def test_the_questionnaires_are_valid_fhir_and_name_nobody(call: Call, tmp_path: Path) -> None:
    identity, file = _export(call, *BROUGHT, ("screener", OF_ANOTHER_VERSION))
    text = _files(_age(identity, file, tmp_path).stdout)["questionnaires.fhir.json"]
    bundle: Any = Bundle.model_validate_json(text)  # its entries are typed as any kind of resource
    responses = {entry.resource.questionnaire: entry.resource for entry in bundle.entry}
    assert sorted(responses) == [f"urn:wardwell:screener:{name}|1" for name in ("pc-ptsd-5", "phq-2", "who-5")]
    phq_2, who_5 = (responses[f"urn:wardwell:screener:{name}|1"] for name in ("phq-2", "who-5"))
    assert [item.answer and item.answer[0].valueCoding.code for item in phq_2.item] == ["3", None]
    assert who_5.item[-1].linkId == "score"
    assert who_5.item[-1].answer[0].valueInteger == 60
    assert all(response.subject is None and response.author is None for response in responses.values())
    # The control: the validator refuses what is none.
    broken = json.loads(text)
    broken["entry"][0]["resource"]["status"] = None
    with pytest.raises(ValueError, match="status"):
        Bundle.model_validate(broken)


def test_without_questionnaires_it_is_an_empty_bundle(call: Call, tmp_path: Path) -> None:
    identity, file = _export(call)
    text = _files(_age(identity, file, tmp_path).stdout)["questionnaires.fhir.json"]
    assert Bundle.model_validate_json(text).entry is None


@pytest.mark.browser
@pytest.mark.system
def test_started_over_and_brought_back_in_a_browser(site: LiveSite, tmp_path: Path) -> None:
    with opened(site, tmp_path / "browser") as page:
        member, slip = site.member("uma", "officer")
        sign_in(page, member, member.fresh_code())
        create(page, site, slip)
        keep_words(page, NASTY)
        identity, _ = _saved(page, tmp_path)
        # Another person's space is as empty as one that was started over.
        lock(page)
        member, slip = site.member("vic", "officer")
        sign_in(page, member, member.fresh_code())
        create(page, site, slip)
        page.get_by_role("link", name="Take a copy", exact=True).first.click()
        page.get_by_role("link", name="Bring it back").click()
        heading(page, "Bring a copy back")
        page.get_by_role("button", name="Bring it back").click()
        expect(page.get_by_text("Choose the file first.")).to_be_visible()
        page.get_by_label("The file").set_input_files(tmp_path / "saved.age")
        page.get_by_label("Its key").fill(identity[:-1])
        page.get_by_role("button", name="Bring it back").click()
        expect(page.get_by_text("The key does not open this file.")).to_be_visible()
        page.get_by_label("Its key").fill(identity)
        page.get_by_role("button", name="Bring it back").click()
        expect(page.get_by_text("came back. What was here already stays as it is.")).to_be_visible()
        page.get_by_role("link", name="Check in", exact=True).first.click()
        page.get_by_text("Your check-ins").click()
        expect(page.get_by_text(NASTY)).to_be_visible()
