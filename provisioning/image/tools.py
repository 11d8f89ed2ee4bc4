"""Running the tools that make a disk. Owns: how their failure is told. Must never see: a secret on a command line."""

from __future__ import annotations

import subprocess
from pathlib import Path

from appliance.errors import WardwellError


def run(*command: str | Path, typed: str = "") -> str:
    """A command that has to succeed, given `typed` on its input; its output.

    Raises WardwellError when it is missing or fails.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, input=typed, check=False)
    except FileNotFoundError:
        raise WardwellError(f"{words[0]} is not installed.", "Install provisioning/apt-appliance.txt.") from None
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-600:]
        raise WardwellError(f"{words[0]} failed: {said}", "Mend what it names; run it as root, the source in reach.")
    return done.stdout
