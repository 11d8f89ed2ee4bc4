"""Promise: `install.sh` refuses a machine that is too small, and unknown answers, before anything else."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest

from provisioning.install.answers import Answers

SCRIPT = Path(__file__).parents[2] / "provisioning/install/install.sh"
# A machine that fits, whatever this one is; each case then takes something away. Without a bundle beside the script,
# being told so is the control: everything before it was in order.
_FITS = (
    "printf 'ID=debian\\nVERSION_ID=12\\n' > os; mount --bind os /etc/os-release;"
    " printf 'MemTotal: 4000000 kB\\n' > memory; mount --bind memory /proc/meminfo;"
    " mount -t tmpfs -o size=4g none /opt; "
)
_GOOD = 'agency = "A"\n[directory]\nurl = "ldaps://x"\n[[feeds]]\nname = "cad"\nnetworks = [\n  "10.1.4.7/32",\n]\n'


def _said(folder: Path, change: str = "", answers: str = _GOOD) -> str:
    """What it refused with, as root of a mount namespace of its own."""
    shutil.copy(SCRIPT, folder)
    (folder / "answers.toml").write_text(answers)
    script = f"{_FITS}{change} exec sh install.sh --answers answers.toml"
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-ec", script],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3 and "what to do:" in done.stderr, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("", "SHA256SUMS is missing"),
        ("printf 'MemTotal: 1000000 kB\\n' > memory;", "976 MiB of memory"),
        ("mount -t tmpfs -o size=100m none /opt;", "/opt has 100 MiB free"),
        ("printf 'ID=ubuntu\\nVERSION_ID=24.04\\n' > os;", "not Debian 12"),
    ],
    ids=["control", "memory", "disk", "system"],
)
def test_a_machine_that_does_not_fit_is_refused(tmp_path: Path, change: str, words: str) -> None:
    assert words in _said(tmp_path, change)


@pytest.mark.parametrize("wrong", ['direktory = "x"', "[directorie]", "[[feed]]", '  publickey="ssh-ed25519 A"'])
def test_a_word_that_is_no_answer_is_named(tmp_path: Path, wrong: str) -> None:
    word = re.sub(r"[\[\] ]|=.*", "", wrong)
    assert f"unknown answer: {word}" in _said(tmp_path, answers=f"{_GOOD}{wrong}\n")


def _names(form: type) -> Iterator[str]:
    for name, kind in get_type_hints(form).items():
        yield name
        for part in (kind, *get_args(kind)):
            if isinstance(part, type) and issubclass(part, msgspec.Struct):
                yield from _names(part)


def test_it_knows_every_answer_and_no_other() -> None:
    known = re.search(r"known='([^']+)'", SCRIPT.read_text())
    assert known and set(known.group(1).split()) == set(_names(Answers))
