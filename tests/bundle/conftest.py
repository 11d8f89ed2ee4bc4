"""Small bundles: whole in form and signature, with little in them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from appliance.operate.bundle import Manifest
from provisioning.bundle import build, keys

MADE = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def release_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "keys"
    keys.make(folder)
    return folder


@pytest.fixture
def content(tmp_path: Path, release_keys: Path) -> Path:
    """The unpacked content of a bundle, unsigned."""
    folder = tmp_path / "content"
    (folder / "apt").mkdir(parents=True)
    (folder / "install.sh").write_text("#!/bin/sh\n")
    (folder / "source.tar").write_bytes(b"source")
    (folder / "apt" / "one_1.0+deb12u1_amd64.deb").write_bytes(b"package")
    for name in ("release.pub", "release.minisign.pub"):
        (folder / name).write_bytes((release_keys / name).read_bytes())
    manifest = Manifest("wardwell", "0.1.0", "c" * 40, "12", "3.11", "amd64", "2026-03-01T00:00:00Z")
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    return folder


@pytest.fixture
def packed(content: Path, release_keys: Path, tmp_path: Path) -> Callable[..., Path]:
    """Sign `content` and pack it; `after` changes it between the two."""

    def pack(after: Callable[[Path], None] = lambda _folder: None, prefix: str = "wardwell-0.1.0") -> Path:
        build.sign(content, release_keys, "0.1.0")
        after(content)
        out = tmp_path / "w.bundle"
        build.pack(content, out, prefix, int(MADE.timestamp()))
        return out

    return pack
