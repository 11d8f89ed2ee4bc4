"""Promise: whatever cuts a write off, there is the old file or the new one, whole, and nothing beside it."""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance import durable
from appliance.errors import Refused, WardwellError

_fork = multiprocessing.get_context("fork")
OLD, NEW = b"old" * 1000, b"new" * 50_000
# Where a process can be cut off: before any of these. An update by one writer takes no more than some dozens.
STEPS = frozenset({"open", "fchmod", "fsync", "rename", "link", "unlink", "mkdir"})
MOST = 60

Write = Callable[[Path], None]


def _replace(folder: Path) -> None:
    durable.replace(folder / "file", NEW, mode=0o600)


def _create(folder: Path) -> None:
    durable.create(folder / "fresh", NEW, mode=0o600)


def _group(folder: Path) -> None:
    durable.write_group(folder, [(f"{number}.json", NEW) for number in range(3)])


def _below(folder: Path) -> None:
    durable.replace(folder / "one" / "two" / "deep", NEW)


def _append(folder: Path) -> None:
    durable.append(folder / "file", NEW)


def _naive(folder: Path) -> None:
    """The control: in place, in two pieces."""
    descriptor = os.open(folder / "file", os.O_WRONLY | os.O_TRUNC)
    os.write(descriptor, NEW[:1000])
    os.fsync(descriptor)
    os.write(descriptor, NEW[1000:])
    os.close(descriptor)


WRITES = [_replace, _create, _group, _below, _append]


@contextlib.contextmanager
def _cut_off(number: int, how: Callable[[], None], steps: frozenset[str] = STEPS) -> Iterator[None]:
    """`how` instead of the step `number` among the calls of `steps`."""
    real, calls = {name: getattr(os, name) for name in steps}, iter(range(MOST))

    def step(name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            if next(calls) == number:
                how()
            return real[name](*given, **named)

        return call

    try:
        for name in steps:
            setattr(os, name, step(name))
        yield
    finally:
        for name in steps:
            setattr(os, name, real[name])


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _fail() -> None:
    raise OSError(errno.EIO, "worn out")


def _ends(work: Callable[[], None]) -> int:
    """The exit code of `work` in a process of its own; negative for a signal."""
    process = _fork.Process(target=work)
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def _start(tmp_path: Path, label: object) -> Path:
    folder = tmp_path / str(label)
    folder.mkdir()
    (folder / "file").write_bytes(OLD)
    return folder


def _torn(folder: Path) -> list[str]:
    """Names under which there is neither what was nor what should be; temporary ones do not count."""
    whole = {"file": (OLD, NEW, OLD + NEW, OLD + NEW + NEW)}
    files = (path for path in folder.rglob("*") if path.is_file() and path.name in _named(folder))
    return [path.name for path in files if path.read_bytes() not in whole.get(path.name, (NEW,))]


def _named(folder: Path) -> set[str]:
    """The names of files, temporary ones left out."""
    return {path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".part"}


def _kills(tmp_path: Path, write: Write) -> tuple[int, list[str]]:
    """Kill `write` before each of its steps in turn: how many there were, and what was torn."""
    torn: list[str] = []
    for number in range(MOST):
        folder = _start(tmp_path, number)

        def work(folder: Path = folder, number: int = number) -> None:
            with _cut_off(number, _kill):
                write(folder)

        ended = _ends(work)
        torn += _torn(folder)
        if write is _group:
            names = sorted(path.name for path in folder.glob("*.json"))
            assert names == [f"{at}.json" for at in range(len(names))]  # named in order, with no gap
        if ended == 0:
            return number, torn
        assert ended == -signal.SIGKILL
        if not (folder / "fresh").exists():
            write(folder)  # what a kill leaves is in nobody's way
        torn += _torn(folder)
    raise AssertionError("it never ended")


@pytest.mark.parametrize("write", WRITES)
def test_a_kill_before_any_step_leaves_the_old_or_the_new(tmp_path: Path, write: Write) -> None:
    steps, torn = _kills(tmp_path, write)
    assert steps >= 2 and torn == []


def test_a_naive_writer_fails_the_same_test(tmp_path: Path) -> None:
    assert "file" in _kills(tmp_path, _naive)[1]


@pytest.mark.parametrize("write", [_replace, _create, _group, _below])
def test_a_kill_in_the_middle_of_writing_leaves_the_old(tmp_path: Path, write: Write) -> None:
    """The kernel itself kills the process at its write beyond 64 KiB (SIGXFSZ)."""
    folder = _start(tmp_path, "here")
    assert _ends(_beyond_the_limit(lambda: write(folder))) == -signal.SIGXFSZ
    assert _named(folder) == {"file"} and (folder / "file").read_bytes() == OLD
    write(folder)
    assert not _torn(folder)
    # The control: a write in place is torn by the same.
    assert _ends(_beyond_the_limit(lambda: (folder / "naive").write_bytes(NEW))) == -signal.SIGXFSZ
    assert _torn(folder) == ["naive"]


def test_an_append_that_does_not_fit_leaves_the_old_length(tmp_path: Path) -> None:
    folder = _start(tmp_path, "here")
    assert _ends(_beyond_the_limit(lambda: _append(folder))) == 1
    assert (folder / "file").read_bytes() == OLD
    _append(folder)
    assert (folder / "file").read_bytes() == OLD + NEW


def _beyond_the_limit(write: Callable[[], object]) -> Callable[[], None]:
    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, 64 << 10))
        write()

    return work


@pytest.mark.parametrize("write", WRITES)
def test_an_error_at_any_step_leaves_nothing_half_written(tmp_path: Path, write: Write) -> None:
    failed = 0
    for number in range(MOST):
        folder = _start(tmp_path, number)
        try:
            with _cut_off(number, _fail, STEPS - {"unlink"}):
                write(folder)
        except OSError:
            failed += 1
            assert not _torn(folder) and not list(folder.rglob("*.part"))
        else:
            break
    assert failed >= 2


def test_what_a_killed_process_left_is_removed_by_a_later_one(tmp_path: Path) -> None:
    old, young, foreign = (tmp_path / name for name in (".a.0123abcd.part", ".b.0123abcd.part", "export.csv.part"))
    for path in (old, young, foreign):
        path.touch()
    for path in (old, foreign):
        os.utime(path, (0, 0))
    durable.replace(tmp_path / "file", NEW)
    assert {path.name for path in tmp_path.iterdir()} == {"file", young.name, foreign.name}


def test_two_that_create_the_same_file_get_one_and_a_refusal(tmp_path: Path) -> None:
    durable.create(tmp_path / "key", OLD)
    with pytest.raises(FileExistsError):
        durable.create(tmp_path / "key", NEW)
    assert (tmp_path / "key").read_bytes() == OLD and os.listdir(tmp_path) == ["key"]


def test_content_is_on_disk_before_the_name_and_the_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, rename = os.fsync, os.rename

    def synced(descriptor: int) -> None:
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        done.append(f"sync {'part' if name.endswith('.part') else Path(name).relative_to(tmp_path)}")
        fsync(descriptor)

    def renamed(old: Any, new: Any) -> None:
        done.append("rename")
        rename(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "rename", renamed)
    _below(tmp_path)
    assert done == ["sync .", "sync one", "sync part", "rename", "sync one/two"]
    done.clear()
    durable.replace(tmp_path / "file", NEW, folder_synced=False)
    assert done == ["sync part", "rename"]
    with durable.new_file(tmp_path / "in memory", synced=False) as file:
        file.write(NEW)
    assert done == ["sync part", "rename"]


# --- modes and owners ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("umask", "mode", "expected"), [(0o027, None, 0o640), (0o077, 0o644, 0o644), (0, 0o600, 0o600), (0, 0o400, 0o400)]
)
def test_a_mode_is_exact_and_without_one_the_umask_counts(
    tmp_path: Path, umask: int, mode: int | None, expected: int
) -> None:
    before = os.umask(umask)
    try:
        durable.replace(tmp_path / "replaced", NEW, mode=mode)
        durable.create(tmp_path / "created", NEW, mode=mode)
        durable.append(tmp_path / "appended", NEW, mode=mode)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {expected}


def test_a_secret_is_never_readable_by_others_not_even_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(os, "fchmod", lambda descriptor, _mode: seen.append(os.fstat(descriptor).st_mode & 0o777))
    durable.replace(tmp_path / "secret", NEW, mode=0o600)
    durable.replace(tmp_path / "public", NEW, mode=0o644)
    assert [mode & 0o077 for mode in seen] == [0, 0o044 & ~_umask()]


def _umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


def test_the_owner_that_is_given_and_the_owner_that_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root gives a file away; anybody may give it to themselves.
    owner = (65534, 65534) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    path = tmp_path / "list.json"
    durable.replace(path, OLD, owner=owner)
    durable.replace(path, NEW, owner=durable.owner_of(path))
    assert (path.stat().st_uid, path.stat().st_gid) == owner
    durable.replace(path, NEW)
    assert path.stat().st_uid == os.geteuid()  # the control
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert durable.owner_of(path) == (path.stat().st_uid, path.stat().st_gid)
    assert durable.owner_of(tmp_path / "missing") is None
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert durable.owner_of(path) is None


def test_a_link_is_replaced_in_one_step_and_what_it_led_to_stays(tmp_path: Path) -> None:
    for name in ("1.0", "1.1"):
        durable.replace_link(tmp_path / "current", name)
    assert (tmp_path / "current").readlink() == Path("1.1") and os.listdir(tmp_path) == ["current"]
    (tmp_path / "1.1").write_bytes(OLD)
    durable.replace(tmp_path / "current", NEW)
    assert (tmp_path / "1.1").read_bytes() == OLD and not (tmp_path / "current").is_symlink()


# --- a full disk -----------------------------------------------------------------------------------------------------

# Runs in a mount namespace of its own, on a file system of 1 MiB.
FULL = """
import errno, pathlib, sys
from appliance import durable
from appliance.errors import WardwellError
folder = pathlib.Path(sys.argv[1])
old, new = b"o" * 1000, b"n" * 400_000
for name in ("file", "naive", "log"):
    (folder / name).write_bytes(old)
fill = folder / "fill"
fill.write_bytes(b"x" * 800_000)
before = sorted(path.name for path in folder.iterdir())
for write in (
    lambda: durable.replace(folder / "file", new),
    lambda: durable.create(folder / "fresh", new),
    lambda: durable.append(folder / "log", new),
    lambda: durable.write_group(folder, [("1", b"small"), ("2", new)]),
):
    try:
        write()
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
    else:
        raise AssertionError("there was room")
assert sorted(path.name for path in folder.iterdir()) == before
assert (folder / "file").read_bytes() == (folder / "log").read_bytes() == old
try:
    with durable.naming_full_disk(folder, "what was there is unharmed", "Free space."):
        durable.replace(folder / "file", new)
except WardwellError as error:
    assert "no room left" in str(error) and "unharmed" in str(error) and error.fix == "Free space."
else:
    raise AssertionError("there was room")
try:
    (folder / "naive").write_bytes(new)
except OSError:
    pass
assert (folder / "naive").read_bytes() != old  # the control
(folder / "naive").unlink()
fill.unlink()
durable.replace(folder / "file", new)
assert (folder / "file").read_bytes() == new
"""


def test_a_full_disk_is_named_and_harms_nothing(tmp_path: Path) -> None:
    mounted, script, root = tmp_path / "small", tmp_path / "full.py", Path(__file__).parents[2]
    mounted.mkdir()
    script.write_text(FULL)
    inside = f"mount -t tmpfs -o size=1m none {mounted} && exec {sys.executable} {script} {mounted}"
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", inside],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(root), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_another_error_of_the_disk_is_named_too(tmp_path: Path) -> None:
    with (
        pytest.raises(WardwellError, match="cannot be written to: worn out"),
        durable.naming_full_disk(tmp_path, "nothing was changed", "Free space."),
        _cut_off(0, _fail),
    ):
        durable.replace(tmp_path / "file", NEW)


def test_too_little_room_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(Refused, match=r"A backup needs .* GB in .* are free"):
        durable.require_free(tmp_path, 2 * free + (1 << 30), "A backup", "Free space.")
    durable.require_free(tmp_path, free // 2, "A backup", "Free space.")
