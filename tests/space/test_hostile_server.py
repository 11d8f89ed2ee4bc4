"""A hostile server: whatever it serves, nothing opens and the officer reads what happened; with honest controls."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from appliance.crypto import sshsig
from appliance.crypto.canonical import canonical
from tests.space.conftest import Call, NodeTests


def test_the_vault_against_a_hostile_server(run_node_tests: NodeTests) -> None:
    run_node_tests("hostile.test.mjs")


class Signer:
    """A trustee, or somebody who would like to be one."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(sshsig.generate_private_openssh())
        self.key = sshsig.load_private(path)
        self.line = sshsig.public_line(self.key, "trustee")

    def pinned(self) -> dict[str, str]:
        return {"line": self.line, "fingerprint": sshsig.fingerprint(self.line)}

    def files(self, name: str, content: object, namespace: str, ending: str = "sig") -> dict[str, str]:
        signed = canonical(content)
        signature = sshsig.sign(self.key, signed, namespace)
        raw = signature if isinstance(signature, bytes) else signature.encode()
        return {name: base64.b64encode(signed).decode(), f"{name}.{ending}": base64.b64encode(raw).decode()}


SITE = {"version": 1, "agency": "Test Agency", "charter_digest": "ab"}
KINDS: dict[str, tuple[str, str, str, dict[str, Any], str]] = {
    "site": ("site.json", "wardwell-site", "trustee.sig", SITE, "site_not_signed"),
    "keylist": ("keylist.json", "wardwell-keylist", "sig", {"version": 3, "supporters": []}, "keylist_not_signed"),
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_what_another_key_than_the_pinned_one_signed_is_refused(call: Call, tmp_path: Path, kind: str) -> None:
    name, namespace, ending, content, code = KINDS[kind]
    trustee, thief, agency = (Signer(tmp_path / who) for who in ("trustee", "thief", "agency"))
    other_namespace = next(space for _, space, *_ in KINDS.values() if space != namespace)
    by_agency = agency.files(name, content, namespace, "agency.sig") if kind == "site" else {}
    honest = trustee.files(name, content, namespace, ending) | by_agency
    changed = {name: base64.b64encode(canonical({**content, "version": 4})).decode()}

    def read(files: dict[str, str]) -> Any:
        return call("signed", kind=kind, files=files, trustee=trustee.pinned(), agency=agency.pinned())

    assert read(honest)["content"] == content
    for served in (
        {**honest, **thief.files(name, content, namespace, ending)},
        {**honest, **changed},
        {**honest, **trustee.files(name, content, other_namespace, ending)},
        {name: honest[name], **by_agency},
        {**honest, "trustee.pub": base64.b64encode(thief.line.encode()).decode(), **changed},
    ):
        refused = read(served)
        assert refused["code"] == code
        assert "not signed by the officers' trustee" in refused["message"]
        assert refused["fix"]


def test_a_site_file_needs_the_agency_too(call: Call, tmp_path: Path) -> None:
    trustee, thief, agency = (Signer(tmp_path / who) for who in ("trustee", "thief", "agency"))

    def by(signer: Signer, ending: str) -> dict[str, str]:
        return signer.files("site.json", SITE, "wardwell-site", ending)

    def public(signer: Signer) -> dict[str, str]:
        return {"agency.pub": base64.b64encode(signer.line.encode()).decode()}

    def read(files: dict[str, str], pinned: Signer | None = None) -> Any:
        known = pinned.pinned() if pinned else None
        return call(
            "signed", kind="site", files=by(trustee, "trustee.sig") | files, trustee=trustee.pinned(), agency=known
        )

    honest = by(agency, "agency.sig") | public(agency)
    # Controls: the first time the served key is taken, to be pinned; afterwards nothing is asked for but the signature.
    assert read(honest) == {"content": SITE, "agency": agency.pinned()}
    assert read(by(agency, "agency.sig"), agency)["content"] == SITE
    swapped = by(thief, "agency.sig") | public(thief)
    for served, pinned in (
        ({}, agency),
        (public(agency), None),
        (by(agency, "agency.sig"), None),
        (by(thief, "agency.sig") | public(agency), None),
        (swapped, agency),
    ):
        refused = read(served, pinned)
        assert refused["code"] == "site_not_signed_by_agency" and refused["fix"]
        assert "not signed by the agency" in refused["message"]
    both = read(by(trustee, "agency.sig") | public(trustee))
    assert both["code"] == "one_signer" and "with one key" in both["message"]


def test_an_older_site_file_is_refused_by_its_version(call: Call, tmp_path: Path) -> None:
    trustee, agency = (Signer(tmp_path / who) for who in ("trustee", "agency"))

    def read(newest: int, **changed: object) -> Any:
        content = {**SITE, "version": 3, **changed}
        files: dict[str, str] = {}
        for signer, who in ((trustee, "trustee"), (agency, "agency")):
            files |= signer.files("site.json", content, "wardwell-site", f"{who}.sig")
        return call("signed", kind="site", files=files, trustee=trustee.pinned(), agency=agency.pinned(), newest=newest)

    # Controls: the first one, the one of the last visit, a newer one.
    for newest in (0, 3, 2):
        assert read(newest)["content"]["version"] == 3
    older = read(4)
    assert older["code"] == "site_older" and "version 3" in older["message"] and "version 4" in older["message"]
    assert older["fix"]
    assert read(0, version=None)["code"] == read(1, version="many")["code"] == "site_older"


def test_an_older_key_list_is_refused_by_its_number(call: Call, tmp_path: Path) -> None:
    trustee = Signer(tmp_path / "trustee")

    def read(newest: int, *, version: object = 3, there: bool = True) -> Any:
        content: dict[str, object] = {"supporters": []} if version is None else {"version": version, "supporters": []}
        files = trustee.files("keylist.json", content, "wardwell-keylist") if there else {}
        return call("signed", kind="keylist", files=files, trustee=trustee.pinned(), newest=newest)

    # Controls: the first one, the one of the last visit, a newer one; and none where there never was one.
    for newest in (0, 3, 2):
        assert read(newest)["content"]["version"] == 3
    assert read(0, there=False) == {"content": None}
    older = read(4)
    assert older["code"] == "keylist_older" and "number 3" in older["message"] and "number 4" in older["message"]
    assert older["fix"]
    assert read(1, version=None)["code"] == read(1, version="many")["code"] == "keylist_older"
    gone = read(4, there=False)
    assert gone["code"] == "keylist_gone" and "is gone" in gone["message"]
