"""Runs one `wardwell` command as a compartment: its account, its groups, its key, and the files it is to read.

Owns: the folder in memory that lends these for the length of one command. Must never see: what the command does. In a
demonstration there are no accounts; the command then runs as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from appliance.errors import WardwellError
from appliance.layout import GROUPS, ids
from appliance.settings import RUNTIME, Home


def run_as(home: Home, compartment: str, arguments: Sequence[str | Path]) -> str:
    """Run `wardwell ARGUMENTS` as `compartment`; its output.

    Each Path among `arguments` is handed over as a copy, with its signatures (`NAME.*sig`). Raises WardwellError with
    what the command said when it fails.
    """
    if not home.production:
        return _run([str(word) for word in arguments], {"WARDWELL_HOME": str(home.root)})
    if os.geteuid() != 0:
        raise WardwellError("Only root may act for a compartment.", "Run the same command with sudo.")
    user = f"wardwell-{compartment}"
    uid, gid = ids(user, user)
    groups = [ids("root", group)[1] for group, members in GROUPS.items() if user in members]
    if not home.key(compartment).exists():
        raise WardwellError("The appliance is sealed.", "Unseal it: `wardwell custody unseal`.")
    with tempfile.TemporaryDirectory(prefix="lent-", dir=RUNTIME) as name:
        folder = Path(name)
        folder.chmod(0o700)
        _lend(home.key(compartment), folder / "key")
        words = []
        for word in arguments:
            if isinstance(word, Path):
                for file in (word, *word.parent.glob(f"{word.name}.*sig")):
                    _lend(file, folder / file.name)
                word = folder / word.name
            words.append(str(word))
        for path in (*folder.iterdir(), folder):
            os.chown(path, uid, gid)
        environment = {"WARDWELL_HOME": str(home.root), "CREDENTIALS_DIRECTORY": name}
        return _run(words, environment, user=uid, group=gid, extra_groups=groups, umask=0o027, cwd="/")


def _lend(file: Path, copy: Path) -> None:
    shutil.copyfile(file, copy)
    copy.chmod(0o400)


def _run(words: list[str], environment: dict[str, str], **account: object) -> str:
    command = [sys.executable, "-m", "appliance.cli", *words]
    done = subprocess.run(  # type: ignore[call-overload]
        command,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **account,
    )
    if done.returncode:
        first, _, rest = done.stderr.partition("wardwell: ")
        message, _, fix = rest.strip().partition("\n  what to do: ")
        if first or not message:  # no sentence of its own
            message, fix = (
                f"`wardwell {' '.join(words[:2])}` failed.",
                "Run `wardwell doctor`, then the same command again.",
            )
        raise WardwellError(message, fix)
    return str(done.stdout)
