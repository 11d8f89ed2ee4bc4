"""Two builds of one commit from one pool are the same file; what differs between two times is the time."""

from __future__ import annotations

import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning.bundle import build, keys, pool

pytestmark = [pytest.mark.appliance, pytest.mark.timeout(600)]

STORED = pool.ROOT / ".cache" / "bundle-pool"
LARGEST_BYTES = 600 << 20


def _contents(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        files = {member.name.partition("/")[2]: tar.extractfile(member) for member in tar.getmembers()}
        return {name: file.read() for name, file in files.items() if file is not None}


def test_two_builds_differ_in_the_declared_time_alone(tmp_path: Path) -> None:
    pool.fill(STORED, lambda _words: None)
    keys.make(tmp_path / "keys")
    march, april = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    outs = [tmp_path / name for name in ("first", "second", "later")]
    for out, moment in zip(outs, (march, march, april), strict=True):
        build.build(STORED, tmp_path / "keys", out, moment, lambda _words: None)
    first, second, later = (out.read_bytes() for out in outs)
    assert first == second
    assert first != later
    before, after = _contents(outs[0]), _contents(outs[2])
    different = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert different == {"manifest.json", "SHA256SUMS", "SHA256SUMS.sig", "SHA256SUMS.minisig"}
    assert len(first) <= LARGEST_BYTES


def test_it_brings_no_public_certificate_authority() -> None:
    """Whom an appliance trusts its answers name, and nobody else."""
    pool.fill(STORED, lambda _words: None)
    names = {path.name.partition("_")[0] for path in (STORED / "debs").glob("*.deb")}
    assert "nginx-light" in names
    assert "ca-certificates" not in names


def _python_ldap(lock: Path) -> Path:
    """A lock of the one package that comes as source."""
    lines = pool.LOCK.read_text().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("python-ldap=="))
    end = next(number for number in range(begin + 1, len(lines)) if not lines[number].startswith(" "))
    lock.write_text("\n".join(lines[begin:end]) + "\n")
    return lock


def _compiled_twice(folder: Path, lock: Path) -> list[bytes]:
    for name in ("first", "second"):
        pool.wheels(folder / name, lock)
    return [path.read_bytes() for path in sorted(folder.rglob("*.whl"))]


def test_what_is_compiled_has_the_same_bytes_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = _python_ldap(tmp_path / "lock.txt")
    first, second = _compiled_twice(tmp_path / "pinned", lock)
    assert first == second
    # The control: with a debugger's notes in it, the folder it was compiled in shows.
    monkeypatch.setattr(pool, "_COMPILER", "-g")
    first, second = _compiled_twice(tmp_path / "loose", lock)
    assert first != second
