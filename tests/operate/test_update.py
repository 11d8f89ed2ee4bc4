"""Updates: what is refused, what goes back by itself, and that a power cut at any step loses nothing."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.errors import Refused, WardwellError
from appliance.operate import update, update_commands, update_machine
from appliance.operate.update_machine import COPIED, Machine
from appliance.settings import Home
from tests.bundle.conftest import *  # noqa: F403  (release_keys, content, packed)


class PowerCut(BaseException):
    """The machine stops here; nothing after this line happens."""


class Fake(Machine):
    """The real files under `tmp_path`; systemd, apt and the two versions are made up.

    A version is in order when its release holds no file `broken` and it knows the schema of every database.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(Home(root / "data"), root / "opt")
        self.running, self.held, self.is_unsealed, self.boots = True, False, True, 1
        self.acts: list[str] = []
        self.cut_at = 10**9
        self.grows = False

    def _act(self, name: str) -> None:
        self.acts.append(name)
        if len(self.acts) == self.cut_at:
            raise PowerCut

    def power_returns(self) -> None:
        """The machine starts: sealed, nothing held, what is in memory gone."""
        self.running, self.held, self.is_unsealed, self.boots = False, False, False, self.boots + 1
        self.cut_at = 10**9

    def unseal(self) -> None:
        self.is_unsealed = True
        update.resume_data(self, lambda _words: None)
        self.start()

    def fingerprint(self) -> str:
        return "SHA256:trusted"

    def debian(self) -> str:
        return "12"

    def boot(self) -> str:
        return str(self.boots)

    def unsealed(self) -> bool:
        return self.is_unsealed

    def backup(self) -> None:
        self._act("backup")

    def hold(self) -> None:
        self._act("hold")
        self.held, self.running = True, False

    def stop(self) -> None:
        self._act("stop")
        self.held, self.running = True, False

    def copy(self) -> None:
        self._act("copy")
        super().copy()
        self._act("copied")

    def put_back(self) -> None:
        self._act("put back")
        data = self.home.root / "before-update" / "data"
        for name in COPIED:  # as the real one, with a cut between any two steps
            if (data / name).is_dir():
                shutil.rmtree(self.home.root / name, ignore_errors=True)
                self._act(f"removed {name}")
                (data / name).rename(self.home.root / name)
                self._act(f"put {name}")

    def drop_copy(self) -> None:
        self._act("drop copy")
        super().drop_copy()

    def switch(self, version: str, previous: str) -> None:
        self._act("switch")
        super().switch(version, previous)
        self._act("switched")

    def configure(self, version: str) -> None:
        self._act("configure")

    def start(self) -> None:
        self._act("start")
        assert self.is_unsealed
        version = self.leads("current")
        for name in ("desk", "intake"):
            database = self.home.database(name)
            content = database.read_text()
            if (self.release(version) / "moves").exists() and "schema 2" not in content:
                database.write_text("schema 2\n" + content)
            self._act(f"migrated {name}")
        if self.grows:
            (self.home.public / "ledger" / "checkpoint").write_text("origin\n8\nroot8\n")
        self.running = True
        self._act("started")

    def wrong(self, version: str) -> set[str]:
        if (self.release(version) / "broken").exists():
            return {"process desk"}
        newest = "schema 2" in self.home.database("desk").read_text()
        return {"database desk"} if newest and not (self.release(version) / "moves").exists() else set()

    def wait_healthy(self, version: str, allowed: set[str], seconds: float = 0.0) -> set[str]:
        self._act("health")
        return self.wrong(version) - allowed

    def open(self) -> None:
        self._act("open")
        self.held = False

    def sound(self) -> str:
        """The version that serves, once all is settled; asserts that it serves whole."""
        assert self.running and not self.held and self.state() is None
        version = self.leads("current")
        assert not self.wrong(version)
        for name in COPIED:
            folder = self.home.root / name
            assert "row of before" in (folder / "database.db" if name != "spool" else folder / "1.json").read_text()
        assert not (self.home.root / "before-update").exists()
        return version


@pytest.fixture
def machine(tmp_path: Path) -> Fake:
    fake = Fake(tmp_path)
    for name in COPIED:
        folder = fake.home.root / name
        folder.mkdir(parents=True)
        (folder / ("1.json" if name == "spool" else "database.db")).write_text("row of before\n")
    log = fake.home.public / "ledger"
    log.mkdir(parents=True)
    (log / "checkpoint").write_text("origin\n7\nroot7\n\nsignature\n")
    for version in ("1.0.0", "1.1.0"):
        (fake.release(version) / "src/appliance/storage/migrations/versions/desk").mkdir(parents=True)
        (fake.release(version) / "complete").touch()
    (fake.base / "current").symlink_to("releases/1.0.0")
    return fake


def moving(machine: Fake) -> None:
    """Version 1.1.0 brings another schema."""
    release = machine.release("1.1.0")
    (release / "src/appliance/storage/migrations/versions/desk/0002_more.py").touch()
    (release / "moves").touch()


def breaking(machine: Fake) -> None:
    (machine.release("1.1.0") / "broken").touch()


def quiet(_words: str) -> None:
    pass


@pytest.mark.parametrize("change", [quiet, moving])
def test_a_version_in_order_stays(machine: Fake, change: Callable[[Fake], None]) -> None:
    change(machine)  # type: ignore[arg-type]
    update.apply(machine, "1.1.0", quiet)
    assert machine.sound() == "1.1.0"
    assert machine.leads("previous") == "1.0.0"
    assert machine.acts.index("backup") < machine.acts.index("hold")


@pytest.mark.parametrize("moves", [False, True])
def test_a_version_that_is_not_in_order_goes_by_itself(machine: Fake, moves: bool) -> None:
    if moves:
        moving(machine)
    breaking(machine)
    with pytest.raises(WardwellError, match=r"so version 1\.0\.0 runs again: not in order: process desk"):
        update.apply(machine, "1.1.0", quiet)
    assert machine.sound() == "1.0.0"
    assert "schema 2" not in machine.home.database("desk").read_text()


def test_a_published_head_is_never_taken_back(machine: Fake) -> None:
    moving(machine)
    breaking(machine)
    machine.grows = True
    with pytest.raises(WardwellError, match="the access log grew") as caught:
        update.apply(machine, "1.1.0", quiet)
    assert "backup restore" in caught.value.fix
    assert machine.held and machine.leads("current") == "1.0.0" and "put back" not in machine.acts


def test_a_failed_backup_changes_nothing(machine: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise WardwellError("The backup failed.", "Look at the disk.")

    monkeypatch.setattr(machine, "backup", fails)
    with pytest.raises(WardwellError, match="backup failed"):
        update.apply(machine, "1.1.0", quiet)
    assert machine.acts == [] and machine.state() is None and machine.leads("current") == "1.0.0"


@pytest.mark.parametrize("version", ["1.0.0", "1.2.0"])
def test_only_a_staged_other_version_is_applied(machine: Fake, version: str) -> None:
    with pytest.raises(Refused):
        update.apply(machine, version, quiet)
    assert machine.acts == []


def test_a_sealed_appliance_is_not_updated(machine: Fake) -> None:
    machine.is_unsealed = False
    with pytest.raises(Refused, match="sealed"):
        update.apply(machine, "1.1.0", quiet)
    assert machine.acts == []


def test_without_room_for_copies_nothing_is_changed(machine: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "room", lambda: False)
    moving(machine)
    with pytest.raises(Refused, match="no room"):
        update.apply(machine, "1.1.0", quiet)
    assert machine.acts == []


def test_back_to_the_version_before(machine: Fake) -> None:
    update.apply(machine, "1.1.0", quiet)
    assert update.rollback(machine, quiet) == "1.0.0"
    assert machine.sound() == "1.0.0"


def test_not_back_over_a_schema(machine: Fake) -> None:
    moving(machine)
    update.apply(machine, "1.1.0", quiet)
    machine.acts.clear()
    with pytest.raises(Refused, match="cannot read the databases"):
        update.rollback(machine, quiet)
    assert machine.acts == [] and machine.sound() == "1.1.0"


def _steps(root: Path, *, moves: bool, broken: bool) -> int:
    """How many acts an update has."""
    fake = _fresh(root, moves=moves, broken=broken)
    with suppress(WardwellError):
        update.apply(fake, "1.1.0", quiet)
    return len(fake.acts)


def _fresh(root: Path, *, moves: bool, broken: bool) -> Fake:
    fake: Fake = machine.__wrapped__(root)  # type: ignore[attr-defined]
    if moves:
        moving(fake)
    if broken:
        breaking(fake)
    return fake


@pytest.mark.parametrize("moves", [False, True])
@pytest.mark.parametrize("broken", [False, True])
def test_the_power_may_go_at_any_step(tmp_path: Path, moves: bool, broken: bool) -> None:
    steps = _steps(tmp_path / "count", moves=moves, broken=broken)
    assert steps >= 9
    versions = set()
    for cut in range(1, steps + 1):
        fake = _fresh(tmp_path / str(cut), moves=moves, broken=broken)
        fake.cut_at = cut
        with pytest.raises(PowerCut):
            update.apply(fake, "1.1.0", quiet)
        fake.power_returns()
        update.resume_at_boot(fake, quiet)
        fake.unseal()
        versions.add(fake.sound())
    # Before it was accepted, back; once it was, on.
    assert versions == ({"1.0.0"} if broken else {"1.0.0", "1.1.0"})


def test_the_power_may_go_again_while_it_is_settled(tmp_path: Path) -> None:
    begun = _fresh(tmp_path / "count", moves=True, broken=True)
    begun.cut_at = 15
    with pytest.raises(PowerCut):
        update.apply(begun, "1.1.0", quiet)
    state = begun.state()
    assert state is not None and state.step == "trial" and "schema 2" in begun.home.database("desk").read_text()
    for cut in range(1, 20):
        fake = _fresh(tmp_path / str(cut), moves=True, broken=True)
        fake.cut_at = 15
        with pytest.raises(PowerCut):
            update.apply(fake, "1.1.0", quiet)
        fake.power_returns()
        fake.cut_at = len(fake.acts) + cut
        with suppress(PowerCut):
            update.resume_at_boot(fake, quiet)
            fake.unseal()
        fake.power_returns()
        update.resume_at_boot(fake, quiet)
        fake.unseal()
        assert fake.sound() == "1.0.0"


@pytest.mark.parametrize("cut", range(2, 17))
def test_a_killed_command_is_settled_by_hand(tmp_path: Path, cut: int) -> None:
    fake = _fresh(tmp_path, moves=True, broken=False)
    fake.cut_at = cut
    with pytest.raises(PowerCut):
        update.apply(fake, "1.1.0", quiet)
    fake.cut_at = 10**9
    interrupted = fake.state() is not None
    if interrupted:
        with pytest.raises(Refused, match="interrupted"):
            update.apply(fake, "1.1.0", quiet)
    assert update.resume(fake, quiet) is interrupted
    assert fake.sound() in ("1.0.0", "1.1.0")


def test_an_update_that_goes_on_is_left_alone(machine: Fake) -> None:
    moving(machine)
    with machine.alone():
        with pytest.raises(Refused, match="going on"):
            update.apply(machine, "1.1.0", quiet)
        state = update.State("trial", "1.0.0", "1.1.0", True, machine.boot(), machine.head())
        machine.keep(state)
        update.resume_data(machine, quiet)  # the unit that runs before each compartment
        assert machine.state() == state


def test_a_version_must_stay_in_order(machine: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that dies and is started again is in order between two deaths."""
    moments = iter(range(0, 10_000, 2))
    monkeypatch.setattr(update_machine.time, "monotonic", lambda: float(next(moments)))
    monkeypatch.setattr(update_machine.time, "sleep", lambda _seconds: None)
    dying = itertools.cycle([set(), set(), set(), {"process desk"}])
    monkeypatch.setattr(machine, "wrong", lambda _version: next(dying))
    assert Machine.wait_healthy(machine, "1.0.0", set()) == {"process desk"}
    late = itertools.chain([{"process desk"}] * 5, itertools.repeat(set()))
    monkeypatch.setattr(machine, "wrong", lambda _version: next(late))
    assert Machine.wait_healthy(machine, "1.0.0", set()) == set()
    monkeypatch.setattr(machine, "wrong", lambda _version: {"health intake"})
    assert Machine.wait_healthy(machine, "1.0.0", {"health intake"}) == set()
    assert Machine.wait_healthy(machine, "1.0.0", set()) == {"health intake"}


def test_copies_come_back_whole_and_once(machine: Fake) -> None:
    for name in COPIED:
        (machine.home.root / name / "more").write_text("only before")
    Machine.copy(machine)
    for name in COPIED:
        shutil.rmtree(machine.home.root / name)
        (machine.home.root / name).mkdir()
        (machine.home.root / name / "database.db-wal").write_text("of the version that was tried")
    for _ in range(2):
        Machine.put_back(machine)
        for name in COPIED:
            assert (machine.home.root / name / "more").read_text() == "only before"
            assert not (machine.home.root / name / "database.db-wal").exists()


def test_outside_of_an_installed_appliance_nothing_is_updated(machine: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDWELL_HOME", str(machine.home.root))
    for words in (["status"], ["apply", "1.1.0"], ["rollback"], ["resume"], ["stage", "x"], ["check", "x"]):
        assert isinstance(CliRunner().invoke(update_commands.update, words).exception, Refused)


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
