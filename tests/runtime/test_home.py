"""Two worlds, one layout: a demonstration under one folder, production where the contract says."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance import settings
from appliance.settings import PRODUCTION, Home


def test_find_takes_what_is_given_then_the_installed_appliance_then_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "CONFIGURATION", tmp_path)
    monkeypatch.delenv("WARDWELL_HOME", raising=False)
    assert Home.find() == Home(tmp_path / ".wardwell")
    (tmp_path / "wardwell.toml").write_text("")
    assert Home.find() == Home(PRODUCTION)
    monkeypatch.setenv("WARDWELL_HOME", str(tmp_path / "other"))
    assert Home.find() == Home(tmp_path / "other")


def test_production_keeps_settings_off_the_data_volume_and_the_charter_on_it() -> None:
    home = Home(PRODUCTION)
    assert home.production
    assert str(home.settings_file) == "/etc/wardwell/wardwell.toml"
    assert str(home.charter_file) == "/var/lib/wardwell/public/charter.toml"
    assert str(home.socket("desk")) == "/run/wardwell/sockets/desk/desk.sock"
    assert str(home.logs("post")) == "/var/lib/wardwell/log/post"
    assert str(home.site) == "/srv/wardwell/site"


def test_a_demonstration_lies_under_one_folder(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert not home.production
    places = [
        home.settings_file,
        home.charter_file,
        home.socket("post"),
        home.logs("post"),
        home.site,
        home.key("desk"),
    ]
    assert all(tmp_path in place.parents for place in [*places, home.front, home.tls])


def test_a_unit_reads_the_key_that_it_was_handed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert str(Home(PRODUCTION).key("desk")) == "/run/wardwell/keys/desk"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert Home(PRODUCTION).key("desk") == tmp_path / "key"
    # A demonstration that happens to run inside a unit keeps its own.
    assert Home(tmp_path / "demo").key("desk") == tmp_path / "demo" / "desk" / "key"
