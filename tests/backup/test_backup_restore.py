"""Promise: what comes back is what was there, or nothing comes back and it is said why."""

from __future__ import annotations

import shutil
import stat
import textwrap
from pathlib import Path
from typing import Any

import msgspec
import pyrage
import pytest
from sqlalchemy import text

from appliance.backup import proof
from appliance.backup import restore as restoring
from appliance.backup.format import Entry, Index
from appliance.backup.keys import keys_from_root, recipient_of
from appliance.backup.repository import write_list
from appliance.custody.keys import backup_recipient
from appliance.database import revisions
from appliance.errors import Refused, WardwellError
from appliance.ledger.log import Log
from appliance.settings import Home
from appliance.storage import migrate, open_store
from tests.backup.conftest import COMPARTMENTS, Site, people, tree


def _silent(_text: str) -> None:
    """No progress lines."""


def _restore(site: Site, to: Path, **options: Any) -> Home:
    home = Home(to)
    opened = site.open(**options)
    restoring.check_target(home, opened.size)
    restoring.restore(opened, home, _silent)
    return home


def test_everything_comes_back(site: Site, tmp_path: Path) -> None:
    made = site.create()
    numbers = people(site.home)
    home = _restore(site, tmp_path / "second")
    for name in COMPARTMENTS:  # a backup has no keys: custody gives them
        home.key(name).write_text(keys_from_root(site.root).databases[name])
    assert people(home) == numbers
    kept = {
        path: data
        for path, data in tree(site.home.root).items()
        if not path.startswith((".backup", "log/", "drop/", "run/"))
    }
    kept = {path: data for path, data in kept.items() if not path.endswith("/key") and "quarantine" not in path}
    back = {path: data for path, data in tree(home.root).items() if not path.endswith("/key")}
    assert back == {path: data for path, data in kept.items() if path != "root"}
    assert (home.root / "public" / "latest").readlink() == Path("ledger/checkpoint")
    assert stat.S_IMODE((home.root / "public" / "empty").stat().st_mode) == 0o750
    assert stat.S_IMODE((home.root / "ledger" / "checkpoint.key").stat().st_mode) == 0o600
    before, after = (one.root / "public" / "boards" / "1-requests.bin" for one in (site.home, home))
    assert before.stat().st_mtime_ns == after.stat().st_mtime_ns
    store = open_store(home, "ledger")
    assert Log(store).size == made.ledger_size == 300  # replays the database against the published log
    store.close()


def test_the_newest_or_the_named_backup(site: Site) -> None:
    first, second = site.create(), site.create()
    assert restoring.find(site.to)[1] == second.id
    assert restoring.find(site.to / "backups" / first.id)[1] == first.id
    assert restoring.find(site.to / "backups" / first.id / "manifest.json")[1] == first.id
    with pytest.raises(Refused):
        restoring.find(site.home.root)


def test_wrong_cards_and_another_appliances_backup_are_refused(site: Site) -> None:
    site.create()
    with pytest.raises(Refused, match="do not open"):
        site.open(root=bytes(32))
    with pytest.raises(Refused, match="another appliance"):
        restoring.open_backup(site.repository, site.repository.ids()[0], site.root, backup_recipient(bytes(32)))
    restoring.open_backup(site.repository, site.repository.ids()[0], site.root, recipient_of(site.home))  # control


def test_a_forged_backup_is_refused(site: Site) -> None:
    """The recipient is public: anyone can encrypt to it. Only who has the compartments' keys can seal a manifest."""
    made = site.create()
    listed = site.repository.pieces(made)
    index = pyrage.encrypt(b"{}", [pyrage.x25519.Recipient.from_str(made.recipient)])
    forged = msgspec.structs.replace(made, id="000009-20261123T000000Z", index="", mac="0" * 64).sealed(b"guess")
    site.repository.publish(forged, index, listed)
    with pytest.raises(Refused, match="altered"):
        site.open(forged.id)
    site.open(made.id)  # control


def test_a_later_version_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    made = site.create()
    site.open()  # control
    with monkeypatch.context() as patched:
        patched.setattr(restoring, "revisions", lambda _name: ["0000"])
        with pytest.raises(Refused, match="later Wardwell"):
            site.open()
    manifest = site.to / "backups" / made.id / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"v": 1', b'"v": 2'))
    with pytest.raises(Refused, match="later format"):
        site.open()


def test_an_older_schema_is_brought_forward(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.create()
    versions = tmp_path / "versions"
    shutil.copytree(Path(migrate.__file__).parent / "migrations" / "versions" / "desk", versions)
    newest = revisions("desk")[-1]
    (versions / "9999_later.py").write_text(
        textwrap.dedent(
            f"""
            import sqlalchemy as sa
            from alembic import op
            revision, down_revision = "9999", "{newest}"
            def upgrade():
                op.create_table("later", sa.Column("id", sa.Integer(), primary_key=True))
            """
        )
    )
    given = migrate._config

    def config(compartment: str) -> Any:
        made = given(compartment)
        if compartment == "desk":
            made.set_main_option("version_locations", str(versions))
        return made

    monkeypatch.setattr(migrate, "_config", config)
    home = _restore(site, tmp_path / "second")
    home.key("desk").write_text(keys_from_root(site.root).databases["desk"])
    store = open_store(home, "desk")
    with store.read() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
        assert session.scalar(text("SELECT count(*) FROM later")) == 0
    store.close()
    assert len(people(home)) == 20


@pytest.mark.parametrize("harm", ["flip", "cut", "remove", "swap"])
@pytest.mark.parametrize("part", ["piece", "index.age", "pieces.txt", "manifest.json"])
def test_what_was_altered_never_arrives(site: Site, tmp_path: Path, part: str, harm: str) -> None:
    made = site.create()
    pieces = sorted(site.to.glob("pieces/*/*.age"), key=lambda path: path.stat().st_size)
    path = pieces[-1] if part == "piece" else site.to / "backups" / made.id / part
    data = path.read_bytes()
    if harm == "flip":
        path.write_bytes(data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :])
    elif harm == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif harm == "swap":
        path.write_bytes(pieces[0].read_bytes())
    else:
        path.unlink()
    target = tmp_path / "second"
    with pytest.raises(WardwellError):
        _restore(site, target)
    assert not list(target.iterdir()) if target.exists() else True
    path.write_bytes(data)  # control: put right, it comes back
    assert (_restore(site, target).root / "public").is_dir()


def test_a_list_that_was_changed_with_its_digest_is_refused(site: Site) -> None:
    made = site.create()
    listed = site.repository.pieces(made)
    folder = site.to / "backups" / made.id
    changed = dict(list(listed.items())[:-1])
    (folder / "pieces.txt").write_bytes(write_list(changed))
    import hashlib

    manifest = msgspec.structs.replace(made, total=hashlib.sha256(write_list(changed)).hexdigest())
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    with pytest.raises(Refused, match="altered"):
        site.open()


def test_a_target_with_anything_in_it_is_left_alone(site: Site, tmp_path: Path) -> None:
    site.create()
    target = tmp_path / "second"
    (target / "desk" / "spare").mkdir(parents=True)
    (target / "lost+found").mkdir()
    _restore(site, target)  # control: folders without files are an empty appliance
    before = tree(target)
    with pytest.raises(Refused, match="not empty"):
        _restore(site, target)
    assert tree(target) == before


def test_what_was_there_is_set_aside_when_asked(site: Site) -> None:
    site.create()
    before = tree(site.home.root)
    aside = restoring.set_aside(site.home, "first")
    assert aside is not None
    home = _restore(site, site.home.root, root=(aside / "root").read_bytes())
    assert tree(home.root)["wardwell.toml"] == before["wardwell.toml"]
    assert (aside / "desk" / "database.db").exists()
    # and the next backup holds neither the folder set aside nor its keys
    shutil.copy(aside / "root", site.home.root / "root")
    for name in COMPARTMENTS:
        shutil.copy(aside / name / "key", site.home.key(name))
    site.create()
    assert not [entry.path for entry in site.open().index.entries if entry.path.startswith("set-aside")]


def test_an_interrupted_restore_leaves_an_empty_target(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.create()
    target = tmp_path / "second"
    with monkeypatch.context() as patched:
        patched.setattr(proof, "examine", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            _restore(site, target)
    assert not list(target.iterdir())
    (target / ".restoring").mkdir()  # as a power cut leaves it
    (target / ".restoring" / "half").write_text("")
    assert not (_restore(site, target).root / ".restoring").exists()


@pytest.mark.parametrize("path", ["../outside", "/outside", "desk/../../outside", ""])
def test_no_path_leads_outside_of_the_target(site: Site, tmp_path: Path, path: str) -> None:
    made = site.create()
    opened = site.open()
    entry = msgspec.structs.replace(opened.index.entries[-1], path=path)
    assert isinstance(entry, Entry)
    harmful = Index(made.id, [entry], opened.index.counts)
    target = tmp_path / "second"
    target.mkdir()
    from dataclasses import replace

    with pytest.raises(WardwellError, match="outside"):
        restoring.into(replace(opened, index=harmful), target, _silent)
    assert not list(target.iterdir())
    assert not (tmp_path / "outside").exists()


def test_too_little_room_is_said_first(site: Site, tmp_path: Path) -> None:
    site.create()
    with pytest.raises(Refused, match="needs"):
        restoring.check_target(Home(tmp_path / "second"), 1 << 60)
    assert not (tmp_path / "second").exists()
