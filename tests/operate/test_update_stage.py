"""What may be put beside the running version: a newer, whole bundle, signed by the key of the installation."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import Refused
from appliance.operate import update
from tests.bundle.conftest import *  # noqa: F403  (release_keys, content, packed)
from tests.operate.update_support import Fake, quiet


class Staging(Fake):
    """Trusts the key of the test's bundles; takes note of what it was asked to put in its place."""

    trusted = ""
    unpacked: list[str] = []

    def fingerprint(self) -> str:
        return self.trusted

    def stage(self, unpacked: Path) -> None:
        assert (unpacked / "install.sh").exists()
        self.unpacked = [*self.unpacked, unpacked.name]


@pytest.fixture
def staging(machine: Fake, tmp_path: Path, release_keys: Path) -> Staging:
    from appliance.crypto import sshsig

    fake = Staging(tmp_path)
    fake.trusted = sshsig.fingerprint((release_keys / "release.pub").read_text().strip())
    return fake


def _running(machine: Fake, version: str) -> None:
    shutil.copytree(machine.release("1.0.0"), machine.release(version))
    (machine.base / "current").unlink()
    (machine.base / "current").symlink_to(f"releases/{version}")


def test_a_newer_signed_bundle_is_staged(staging: Staging, packed: Callable[..., Path]) -> None:
    _running(staging, "0.0.9")
    (staging.base / ".unpacking-1").mkdir()
    assert update.stage(staging, packed(), quiet) == "0.1.0"
    assert list(staging.base.glob(".unpacking-*")) == []
    assert staging.unpacked == ["wardwell-0.1.0"]
    assert [path.name for path in (staging.base / "releases").iterdir()] == ["0.0.9"]  # what nothing leads to is gone


def test_an_older_or_equal_bundle_is_refused(staging: Staging, packed: Callable[..., Path]) -> None:
    bundle = packed()
    for version in ("0.1.0", "0.1.1"):
        _running(staging, version)
        with pytest.raises(Refused, match="not newer"):
            update.stage(staging, bundle, quiet)
    assert staging.unpacked == []


def test_an_altered_cut_or_foreign_bundle_is_refused(
    staging: Staging, packed: Callable[..., Path], tmp_path: Path
) -> None:
    _running(staging, "0.0.9")
    whole = packed().read_bytes()
    file = tmp_path / "one.bundle"
    altered = whole.replace(b"package", b"pAckage")
    assert altered != whole
    for content in (altered, whole[: len(whole) // 2], b"", b"#!/bin/sh\n"):
        file.write_bytes(content)
        with pytest.raises(Refused):
            update.stage(staging, file, quiet)
    file.write_bytes(whole)
    staging.trusted = "SHA256:another"
    with pytest.raises(Refused, match="trusted key"):
        update.stage(staging, file, quiet)
    assert staging.unpacked == []
