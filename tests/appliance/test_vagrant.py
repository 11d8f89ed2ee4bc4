"""The Vagrantfile is one that Vagrant takes, with a bundle and without, and its provisioning is install.sh."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.appliance.rootfs import ROOT

pytestmark = pytest.mark.appliance


def _validate(folder: Path, *words: str, **given: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "VAGRANT_HOME": str(folder / "home"), "HOME": str(folder), **given}
    return subprocess.run(
        ["vagrant", "validate", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_vagrant_takes_it(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Vagrantfile", tmp_path)
    for name in ("w.bundle", "answers"):
        (tmp_path / name).mkdir()
    bundle = {
        "WARDWELL_BUNDLE": str(tmp_path / "w.bundle"),
        "WARDWELL_ANSWERS": str(tmp_path / "answers"),
        "WARDWELL_FINGERPRINT": "SHA256:x",
    }
    for given in ({}, bundle):
        for provider in ("libvirt", "virtualbox"):
            done = _validate(tmp_path, "--ignore-provider", **given, VAGRANT_DEFAULT_PROVIDER=provider)
            assert done.returncode == 0, done.stderr
    del bundle["WARDWELL_FINGERPRINT"]
    assert _validate(tmp_path, "--ignore-provider", **bundle).returncode != 0
    (tmp_path / "Vagrantfile").write_text('Vagrant.configure("2") { |config| config.vm.nonsense = 1 }\n')
    assert _validate(tmp_path, "--ignore-provider").returncode != 0
