"""One whole session through real servers without a browser: enrol, history, entries, lock, unlock, wrong secrets."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioning import packages
from tests.space.live_site import LiveSite, contribution, live_site
from tests.support.desk_site import Member

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Iterator[LiveSite]:
    with live_site(tmp_path_factory.mktemp("live") / "home") as running:
        running.history = [contribution(n, n * 9.5 + 0.1, "suicide") for n in range(8)]
        yield running


def prepare(site: LiveSite, library: Path, tmp_path: Path, command: str, member: Member, *more: str) -> Any:
    """Run `prepare.mjs`; its result, or its sentence when it failed."""
    out = tmp_path / f"{command}-{time.monotonic_ns()}.json"
    arguments = [
        *("--desk", site.address("desk"), "--space", site.address("space"), "--ca", str(site.ca)),
        *("--connect", "127.0.0.1", "--name", member.name, "--password", member.password),
        *("--code", member.fresh_code(), "--out", str(out), *more),
    ]
    done = subprocess.run(
        [str(packages.NODE), str(library.with_name("prepare.mjs")), command, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == ""
    return json.loads(out.read_text()) if done.returncode == 0 else done.stderr


def test_a_private_space_from_slip_to_second_visit(site: LiveSite, library: Path, tmp_path: Path) -> None:
    member, slip = site.member("alex", "officer")
    site.look(member.handle)
    trustee = ["--trustee-fingerprint", site.trustee_fingerprint]
    made = prepare(site, library, tmp_path, "enrol", member, "--slip", slip, *trustee)
    assert made["handle"] == member.handle, made
    assert len(made["words"].split()) == 6
    site.look(member.handle)
    site.look(member.handle, "refused")
    site.turn_epoch(1)
    site.await_entries(member.handle, 3)

    visit = prepare(site, library, tmp_path, "session", member, "--words", made["words"])
    assert sorted(c["id"] for c in visit["exposure"]) == [c["id"] for c in site.history]
    # The vault is a set: records have no order of their own.
    outcomes = sorted((e["sequence"], e["body"]["outcome"], e["proved"]) for e in visit["entries"])
    assert outcomes == [(1, "allowed", True), (2, "allowed", True), (3, "refused", True)]
    findings = visit["findings"]
    assert {k: findings[k] for k in ("missing", "broken", "unopened", "rewritten", "keySwapped", "witnessLate")} == {
        "missing": [],
        "broken": [],
        "unopened": [],
        "rewritten": False,
        "keySwapped": False,
        "witnessLate": False,
    }


def test_words_recovery_code_and_neither(site: LiveSite, library: Path, tmp_path: Path) -> None:
    member, slip = site.member("sam", "officer")
    trustee = ["--trustee-fingerprint", site.trustee_fingerprint]
    made = prepare(site, library, tmp_path, "enrol", member, "--slip", slip, *trustee)
    assert "recovery" in made, made
    by_code = prepare(site, library, tmp_path, "session", member, "--words", made["recovery"])
    assert by_code["handle"] == member.handle
    wrong = " ".join(["zebra"] * 6)
    refused = prepare(site, library, tmp_path, "session", member, "--words", wrong)
    assert "do not open" in refused


def test_another_trustees_fingerprint_stops_the_enrolment(site: LiveSite, library: Path, tmp_path: Path) -> None:
    member, slip = site.member("robin", "officer")
    other = ["--trustee-fingerprint", "SHA256:" + "A" * 43]
    refused = prepare(site, library, tmp_path, "enrol", member, "--slip", slip, *other)
    assert "not the one on the slip" in refused
    trustee = ["--trustee-fingerprint", site.trustee_fingerprint]
    wrong = prepare(site, library, tmp_path, "enrol", member, "--slip", "AAAAA" * 4, *trustee)
    assert "slip is not valid" in wrong
    made = prepare(site, library, tmp_path, "enrol", member, "--slip", slip, *trustee)
    assert made["handle"] == member.handle


def test_a_site_file_of_another_signer_is_refused(site: LiveSite, library: Path, tmp_path: Path) -> None:
    member, slip = site.member("kim", "officer")
    trustee = ["--trustee-fingerprint", site.trustee_fingerprint]
    made = prepare(site, library, tmp_path, "enrol", member, "--slip", slip, *trustee)
    assert "words" in made, made
    file = site.home.public / "site.json"
    kept = file.read_bytes()
    try:
        file.write_bytes(kept.replace(b"Test Agency", b"Best Agency"))
        refused = prepare(site, library, tmp_path, "session", member, "--words", made["words"])
        assert "not signed by the officers' trustee" in refused
    finally:
        file.write_bytes(kept)


def test_nothing_of_the_vault_stands_on_desk_in_clear(site: LiveSite, library: Path, tmp_path: Path) -> None:
    member, slip = site.member("lee", "officer")
    trustee = ["--trustee-fingerprint", site.trustee_fingerprint]
    made = prepare(site, library, tmp_path, "enrol", member, "--slip", slip, *trustee)
    assert "words" in made, made
    secrets = [made["words"], made["words"].replace(" ", "-"), made["recovery"]]
    with site.desk.read() as session:
        rows = session.connection().exec_driver_sql("select blob, wraps, mailbox_key from vault").all()
    stored = b"".join(value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row)
    assert not any(secret.encode() in stored for secret in secrets)
    # Control: the search finds what is there in clear.
    assert b"passphrase" in stored
