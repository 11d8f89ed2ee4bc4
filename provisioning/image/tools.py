"""Runs the tools that make a disk. Owns: how failures are reported. Must never see: a secret on a command line."""

from __future__ import annotations

import subprocess
from pathlib import Path

from appliance.errors import WardwellError


def run(*command: str | Path, stdin: str = "") -> str:
    """Run a command with `stdin` as its standard input; returns its output.

    Raises WardwellError when the command is not installed or fails.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, input=stdin, check=False)
    except FileNotFoundError:
        raise WardwellError(f"{words[0]} is not installed.", "Install provisioning/apt-appliance.txt.") from None
    if done.returncode:
        output = (done.stderr.strip() or done.stdout.strip())[-600:]
        fix = "Fix what it names; run this as root, with Debian's package source reachable."
        raise WardwellError(f"{words[0]} failed: {output}", fix)
    return done.stdout
