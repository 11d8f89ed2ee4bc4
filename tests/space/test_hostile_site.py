"""A hostile administrator with desk's database, against real servers: substituted key, swapped vaults and wraps."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from appliance.charter.schema import load_charter
from appliance.crypto import sshsig
from appliance.crypto.canonical import canonical
from appliance.desk import versions
from appliance.desk.models.vault import Vault, VaultVersion
from tests.space.live_site import LiveSite
from tests.space.test_session import prepare

pytestmark = pytest.mark.system


def test_swapped_in_the_database(site: LiveSite, library: Path, tmp_path: Path) -> None:
    trustee = ["--trustee-fingerprint", site.trustee_fingerprint]
    made = {}
    for name in ("alex", "sam"):
        member, slip = site.member(name, "officer")
        enrolled = prepare(site, library, tmp_path, "enrol", member, "--slip", slip, *trustee)
        made[name] = (member, enrolled)
    member, enrolled = made["alex"]
    words = ["--words", enrolled["words"]]

    # Control: untouched, the space opens and the ledgered key is the vault's.
    honest = prepare(site, library, tmp_path, "session", member, *words)
    assert honest["findings"]["keySwapped"] is False, honest

    with site.desk.write() as session:
        alex, sam = session.get_one(Vault, member.handle), session.get_one(Vault, made["sam"][0].handle)
        alex.mailbox_leaf_index, kept = sam.mailbox_leaf_index, alex.mailbox_leaf_index
    swapped = prepare(site, library, tmp_path, "session", member, *words)
    assert swapped["findings"]["keySwapped"] is True

    member_of_sam, enrolled_sam = made["sam"]
    words_of_sam = ["--words", enrolled_sam["words"]]
    with site.desk.write() as session:
        alex, sam = session.get_one(Vault, member.handle), session.get_one(Vault, member_of_sam.handle)
        alex.mailbox_leaf_index = kept
        # Sam's words open Sam's key file, and not what stands under it now.
        sam.blob, sam.version = alex.blob, alex.version
    told = prepare(site, library, tmp_path, "session", member_of_sam, *words_of_sam)
    assert "altered or is not the newest copy" in told
    with site.desk.write() as session:
        alex, sam = session.get_one(Vault, member.handle), session.get_one(Vault, member_of_sam.handle)
        sam.wraps = alex.wraps
    told = prepare(site, library, tmp_path, "session", member_of_sam, *words_of_sam)
    assert "do not open" in told


def _batch(site: LiveSite) -> None:
    """The next batch of versions, whether or not half a day has passed."""
    with site.desk.write() as session:
        for row in session.scalars(select(VaultVersion)):
            row.made_at -= timedelta(days=1)
    assert versions.commit_due(site.desk, load_charter(site.home))
    site.await_checkpoint()


def test_an_old_vault_put_back_is_told(site: LiveSite, library: Path, tmp_path: Path) -> None:
    member, slip = site.member("robin", "officer")
    trustee = ["--trustee-fingerprint", site.trustee_fingerprint]
    enrolled = prepare(site, library, tmp_path, "enrol", member, "--slip", slip, *trustee)
    words = ["--words", enrolled["words"]]
    with site.desk.read() as session:
        vault = session.get_one(Vault, member.handle)
        old = (vault.version, vault.blob)

    # Control: the newest copy opens without a word of it, before and after a batch.
    honest = prepare(site, library, tmp_path, "session", member, *words)
    assert honest["findings"]["versionProblem"] is None, honest
    _batch(site)

    with site.desk.write() as session:
        vault = session.get_one(Vault, member.handle)
        newest = (vault.version, vault.blob)
        vault.version, vault.blob = old
    told = prepare(site, library, tmp_path, "session", member, *words)
    assert told["findings"]["versionProblem"]["code"] == "old_vault"
    with site.desk.write() as session:
        vault = session.get_one(Vault, member.handle)
        vault.version, vault.blob = newest


def _served_again(
    site: LiveSite, library: Path, tmp_path: Path, name: str, publish: Callable[[int], None]
) -> tuple[Any, Any]:
    """What a session says when version 1 is served after a visit that saw version 2; and then, as the control, 3."""
    member, slip = site.member(name, "officer")
    trustee = ["--trustee-fingerprint", site.trustee_fingerprint]
    publish(2)
    enrolled = prepare(site, library, tmp_path, "enrol", member, "--slip", slip, *trustee)
    words = ["--words", enrolled["words"]]
    publish(1)
    older = prepare(site, library, tmp_path, "session", member, *words)
    publish(3)
    newer = prepare(site, library, tmp_path, "session", member, *words)
    return older, newer


def test_an_older_key_list_served_again_is_told(site: LiveSite, library: Path, tmp_path: Path) -> None:
    key = sshsig.load_private(site.home.root / "trustee-key")

    def publish(version: int) -> None:
        raw = canonical({"version": version, "supporters": []})
        (site.home.public / "keylist.json").write_bytes(raw)
        (site.home.public / "keylist.json.sig").write_bytes(sshsig.sign(key, raw, "wardwell-keylist"))

    try:
        older, newer = _served_again(site, library, tmp_path, "kim", publish)
    finally:
        for name in ("keylist.json", "keylist.json.sig"):
            (site.home.public / name).unlink()
    assert older["keylist"] is None
    assert "number 1" in older["keylist_problem"] and "number 2" in older["keylist_problem"]
    assert (newer["keylist"], newer["keylist_problem"]) == (3, None)


def test_older_settings_of_the_site_served_again_open_nothing(site: LiveSite, library: Path, tmp_path: Path) -> None:
    keys = {who: sshsig.load_private(site.home.root / f"{who}-key") for who in ("trustee", "agency")}
    path = site.home.public / "site.json"
    first = json.loads(path.read_bytes())

    def publish(version: int) -> None:
        path.write_bytes(canonical({**first, "version": version}))
        for who, key in keys.items():
            path.with_name(f"site.json.{who}.sig").write_bytes(sshsig.sign(key, path.read_bytes(), "wardwell-site"))

    try:
        older, newer = _served_again(site, library, tmp_path, "lou", publish)
    finally:
        publish(first["version"])
    assert "version 1" in older and "version 2" in older and "Tell the officers' trustee" in older
    assert newer["findings"]["versionProblem"] is None
