"""The administrator's password: made once, shown once, kept as the system's hash alone."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from appliance.errors import WardwellError
from appliance.operate import administrator


@pytest.mark.parametrize(
    ("held", "expected"), [("*", False), ("!", False), ("!*", False), ("", False), ("$y$j9T$x", True)]
)
def test_only_a_hash_is_a_password(tmp_path: Path, held: str, expected: bool) -> None:
    shadow = tmp_path / "shadow"
    shadow.write_text(f"root:*:20000:0:99999:7:::\nwardwell-admin:{held}:20000:0:99999:7:::\n")
    assert administrator.has_password(shadow) is expected


def test_a_machine_without_the_account_says_what_to_do(tmp_path: Path) -> None:
    shadow = tmp_path / "shadow"
    shadow.write_text("root:*:20000:0:99999:7:::\n")
    with pytest.raises(WardwellError, match="no account"):
        administrator.has_password(shadow)


def test_each_is_fresh_and_can_be_read_from_paper() -> None:
    made = {administrator.generated() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{5}-){3}[0-9A-HJKMNP-TV-Z]{5}", one) for one in made)


def test_it_reaches_the_system_by_standard_input_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[list[str], str]] = []

    def chpasswd(command: list[str], *, input: str, **_: object) -> subprocess.CompletedProcess[str]:
        seen.append((command, input))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", chpasswd)
    password = administrator.new_password()
    assert seen == [(["chpasswd"], f"wardwell-admin:{password}\n")]
    assert administrator.shown(password).count(password) == 1


def test_what_the_system_says_against_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = subprocess.CompletedProcess(["chpasswd"], 1, "", "BAD PASSWORD: too short")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: refused)
    with pytest.raises(WardwellError, match="too short"):
        administrator.new_password()
