"""Answers that are right, with the files that they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioning.install.answers import toml


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """The folder that the administrator brought."""
    folder = tmp_path / "stick"
    folder.mkdir()
    (folder / "password").write_text("bind-secret\n")
    (folder / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")
    (folder / "admin.pub").write_text("ssh-ed25519 AAAA admin\n")
    return folder


@pytest.fixture
def tables(stick: Path) -> dict[str, Any]:
    """Right answers as tables."""
    return {
        "agency": "Harborview Police",
        "domain": "wellness.harborview.example",
        "address": "192.0.2.7",
        "time_server": "192.0.2.9",
        "admin_networks": ["192.0.2.0/24"],
        "admin_key_file": str(stick / "admin.pub"),
        "time_zone": "America/Chicago",
        "directory": {
            "url": "ldaps://192.0.2.8",
            "base_dn": "dc=harborview,dc=example",
            "bind_dn": "cn=reader,dc=harborview,dc=example",
            "bind_password_file": str(stick / "password"),
            "ca_file": str(stick / "ca.pem"),
        },
    }


@pytest.fixture
def file(tables: dict[str, Any], tmp_path: Path) -> Path:
    path = tmp_path / "answers.toml"
    path.write_text(toml(tables))
    return path
