"""The real tools: a LUKS2 header on a file, its keys added and taken away, and no key on a command line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from appliance.custody.machine import Machine
from appliance.errors import WardwellError

KEY, NEW = "ab" * 32, "cd" * 32


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("luks") / "volume"
    with open(path, "wb") as file:
        file.truncate(64 << 20)
    Machine().format(str(path), KEY)
    return path


def test_the_volume_is_luks2_with_the_pinned_cost(volume: Path) -> None:
    machine = Machine()
    assert machine.contents(str(volume)) == "crypto_LUKS"
    assert machine.fits(str(volume), KEY)
    assert not machine.fits(str(volume), NEW)
    dumped = subprocess.run(
        ["/usr/sbin/cryptsetup", "luksDump", "--dump-json-metadata", str(volume)], capture_output=True, check=True
    )
    [slot] = json.loads(dumped.stdout)["keyslots"].values()
    kdf = slot["kdf"]
    assert (kdf["type"], kdf["memory"], kdf["time"], kdf["cpus"]) == ("argon2id", 65536, 4, 1)


def test_a_key_is_added_and_the_old_one_taken_away(volume: Path) -> None:
    machine = Machine()
    machine.add_key(str(volume), KEY, NEW)
    assert machine.fits(str(volume), KEY)
    assert machine.fits(str(volume), NEW)
    machine.remove_key(str(volume), NEW)
    assert machine.fits(str(volume), KEY)
    assert not machine.fits(str(volume), NEW)
    with pytest.raises(WardwellError, match="cryptsetup"):
        machine.add_key(str(volume), NEW, KEY)


def test_blank_and_other_contents_are_told_apart(tmp_path: Path) -> None:
    machine = Machine()
    path = tmp_path / "device"
    path.write_bytes(bytes(8 << 20))
    assert machine.contents(str(path)) == ""
    subprocess.run(["/usr/sbin/mkfs.ext4", "-q", str(path)], check=True)
    assert machine.contents(str(path)) == "ext4"
    with pytest.raises(WardwellError, match="cannot be read"):
        machine.contents(str(tmp_path / "missing"))


def test_no_key_is_ever_an_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[list[str], bytes]] = []

    def record(
        _: Machine, command: Sequence[str], key: bytes = b"", pass_fds: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[bytes]:
        seen.append((list(command), key))
        return subprocess.CompletedProcess(command, 0, b"", b"")

    monkeypatch.setattr(Machine, "_try", record)
    machine = Machine()
    machine.format("/dev/x", KEY)
    machine.fits("/dev/x", KEY)
    machine.add_key("/dev/x", KEY, NEW)
    machine.remove_key("/dev/x", KEY)
    machine.open("/dev/x", KEY)
    assert len(seen) == 5
    assert all(key == KEY.encode() for _, key in seen), "the positive control: each was given the key"
    assert not [command for command, _ in seen if KEY in " ".join(command) or NEW in " ".join(command)]


def test_a_tool_that_is_not_there_has_a_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WardwellError, match="not installed"):
        Machine()._run(["no-such-tool-here"])


def test_stopping_waits_for_every_part_of_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def record(_: Machine, command: Sequence[str], *__: object) -> subprocess.CompletedProcess[bytes]:
        seen.append(list(command))
        return subprocess.CompletedProcess(command, 0, b"wardwell@post.service wardwell@desk.service\n", b"")

    monkeypatch.setattr(Machine, "_try", record)
    Machine().stop()
    assert seen[-1] == ["systemctl", "stop", "wardwell.target", "wardwell@desk.service", "wardwell@post.service"]
