"""Updates: what is refused, what goes back by itself, and that a power cut at any step loses nothing."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.errors import Refused, WardwellError
from appliance.operate import update, update_commands, update_machine
from appliance.operate.update_machine import COPIED, Machine
from tests.operate.update_support import Fake, PowerCut, breaking, moving, quiet, two_versions


@pytest.mark.parametrize("change", [quiet, moving])
def test_a_version_in_order_stays(machine: Fake, change: Callable[[Fake], None]) -> None:
    change(machine)
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
    fake = two_versions(root)
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
        with pytest.raises(Refused, match="in progress"):
            update.apply(machine, "1.1.0", quiet)
        state = update_machine.State("trial", "1.0.0", "1.1.0", True, machine.boot(), machine.head())
        machine.keep(state)
        update.resume_data(machine, quiet)  # the unit that runs before each compartment
        assert machine.state() == state


def test_a_version_must_stay_in_order(machine: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that dies and is started again is in order between two deaths."""
    moments = iter(range(0, 10_000, 2))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(moments)))
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
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


@pytest.fixture
def comparison(machine: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for AIDE: differs while the file `differs` is there; says in `asked` what it was asked."""
    program = tmp_path / "aide_check"
    program.write_text(f'#!/bin/sh\necho "${{1:-check}}" >> {tmp_path}/asked\n[ ! -e {tmp_path}/differs ]\n')
    program.chmod(0o755)
    monkeypatch.setattr(update_machine, "COMPARISON", program)
    monkeypatch.setattr(update_machine, "READING", program)
    return tmp_path


def test_what_an_update_changed_is_accepted_once_it_stays(machine: Fake, comparison: Path) -> None:
    said: list[str] = []
    update.apply(machine, "1.1.0", said.append)
    assert (comparison / "asked").read_text().split() == ["check", "accept"]
    assert said[-1] == "the system's files are accepted as the update left them"
    assert not (machine.base / "files-are-accepted").exists()


def test_what_a_stranger_changed_before_an_update_is_not_accepted_with_it(machine: Fake, comparison: Path) -> None:
    (comparison / "differs").touch()
    said: list[str] = []
    update.apply(machine, "1.1.0", said.append)
    assert (comparison / "asked").read_text().split() == ["check"]
    assert any("already differ" in words for words in said)


def test_nothing_is_accepted_when_an_update_goes_back(machine: Fake, comparison: Path) -> None:
    breaking(machine)
    with pytest.raises(WardwellError):
        update.apply(machine, "1.1.0", quiet)
    assert (comparison / "asked").read_text().split() == ["check"]


def test_a_reading_that_fails_undoes_no_update(machine: Fake, comparison: Path) -> None:
    (comparison / "aide_check").write_text('#!/bin/sh\n[ -z "$1" ]\n')
    said: list[str] = []
    update.apply(machine, "1.1.0", said.append)
    assert machine.sound() == "1.1.0"
    assert "The next comparison will name what the update changed" in said[-1]
