"""Promise: a backup that is cut off at any moment, or finds no room, harms nothing that was there before."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from appliance import durable
from appliance.backup import proof
from appliance.backup.keys import keys_of
from appliance.backup.repository import Repository
from appliance.backup.verify import verify
from appliance.errors import Refused
from tests.backup.conftest import Site
from tests.support.desk_site import add_person

KILLS = 20
_fork = multiprocessing.get_context("fork")


def _change(site: Site, number: int) -> None:
    """Something to write each time: a board and a person."""
    from appliance.storage import open_store

    (site.home.public / "boards" / f"{number}-replies.bin").write_bytes(os.urandom(2_000_000))
    store = open_store(site.home, "desk")
    add_person(store, f"later {number}")
    store.close()


def _run(site: Site, seconds: float | None) -> bool:
    """A backup in a process of its own, killed after `seconds`; whether the kill came before its end."""
    process = _fork.Process(target=site.create)
    process.start()
    process.join(seconds)
    if process.is_alive() and process.pid is not None:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return process.exitcode == -signal.SIGKILL


def _in_order(site: Site) -> bool:
    return not any(one.problems for one in verify(site.repository, seal=keys_of(site.home).seal))


def test_twenty_kills_at_random_moments(site: Site) -> None:
    site.create()
    _change(site, 0)
    begun = time.monotonic()
    assert not _run(site, None)
    whole = time.monotonic() - begun
    seed = random.randrange(1 << 32)
    moments, killed, before = random.Random(seed), 0, site.repository.ids()
    for number in range(1, KILLS + 1):
        _change(site, number)
        killed += _run(site, moments.uniform(0, whole))
        assert site.repository.ids()[: len(before)] == before, seed
        before = site.repository.ids()
        assert _in_order(site), seed
    assert killed >= KILLS // 2  # control: most of them did cut a run off
    made = site.create()
    assert site.repository.ids() == [*before, made.id]
    assert _in_order(site)
    assert not list(site.to.rglob("*.part"))
    assert not (site.home.root / ".backup" / "cut").exists()
    pieces = {path.name.removesuffix(".age") for path in site.to.glob("pieces/*/*")}
    assert pieces == site.repository.referenced()
    found = proof.examine(site.home.root, keys_of(site.home))
    assert found.counts["desk"]["person"] == 20 + 1 + KILLS


def test_a_piece_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, str]] = []
    rename = Path.rename

    def renamed(self: Path, target: Path) -> Path:
        done.append(("rename", self.name))
        return rename(self, target)

    def synced(descriptor: int) -> None:
        done.append(("sync", Path(os.readlink(f"/proc/self/fd/{descriptor}")).name))

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    repository = Repository(tmp_path)
    (tmp_path / "pieces").mkdir()
    repository.write("a" * 64, b"x")
    (sync, synced_name), (named, renamed_name) = done
    assert (sync, named) == ("sync", "rename") and synced_name == renamed_name
    assert synced_name.startswith(f".{'a' * 64}.age.") and synced_name.endswith(".part")


def test_the_backup_appears_after_everything_in_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    sync, rename = durable.sync, Path.rename

    def synced(folder: Path) -> None:
        done.append(f"sync {folder.relative_to(site.to)}")
        sync(folder)

    def renamed(self: Path, target: Path) -> Path:
        done.append("piece" if "pieces" in target.parts else f"name {target.name}")
        return rename(self, target)

    monkeypatch.setattr(durable, "sync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    made = site.create()
    last_piece = len(done) - 1 - done[::-1].index("piece")
    named = done.index(f"name {made.id}")
    assert last_piece < done.index("sync pieces") < named
    assert done.index(f"sync backups/.{made.id}.part") < named < done.index("sync backups")


# --- no room ---------------------------------------------------------------------------------------------------------


def _room(monkeypatch: pytest.MonkeyPatch, folder: Path, free: int) -> None:
    usage = shutil.disk_usage

    def told(path: Any) -> Any:
        real = usage(path)
        return real._replace(free=free) if Path(path) == folder else real

    monkeypatch.setattr(shutil, "disk_usage", told)


@pytest.mark.parametrize("where", ["destination", "data volume"])
def test_too_little_room_is_said_before_anything_is_written(
    site: Site, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    first = site.create()
    _change(site, 1)
    before = set(site.to.rglob("*"))
    with monkeypatch.context() as patched:
        _room(patched, site.to if where == "destination" else site.home.root, 1_000_000)
        with pytest.raises(Refused, match="needs"):
            site.create()
    assert set(site.to.rglob("*")) == before
    assert not (site.home.root / ".backup" / "cut").exists()
    assert site.create().id > first.id  # control: with room it goes on


def test_a_disk_that_fills_up_meanwhile_harms_nothing(site: Site) -> None:
    """The kernel refuses the write itself: files may not grow beyond 512 KiB, as on a disk that is full."""
    good = site.create()
    _change(site, 1)

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (512 << 10, 512 << 10))
        try:
            site.create()
        except Exception as error:
            (site.home.root.parent / "said").write_text(str(error))
            sys.exit(1)

    process = _fork.Process(target=small)
    process.start()
    process.join()
    assert process.exitcode == 1
    assert "no room left" in (site.home.root.parent / "said").read_text()
    assert site.repository.ids() == [good.id]
    assert _in_order(site)
    assert not list(site.to.rglob("*.part"))
    site.create()
    assert _in_order(site)
