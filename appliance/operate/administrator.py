"""The password of this machine's administrator: for the console and for sudo, never over the network.

Owns: making one and giving it to the account. It is shown once and stored nowhere but as the system's own hash. Must
never see: an account of the appliance's own pages.
"""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path

from appliance.errors import WardwellError

ACCOUNT = "wardwell-admin"
# Crockford's base 32: no I, L, O or U. Four groups of five are 100 bits.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUPS, _LENGTH = 4, 5
_SHADOW = Path("/etc/shadow")


def has_password(shadow: Path = _SHADOW) -> bool:
    """Whether the account has one (shadow(5): a field that begins with `*` or `!` is no hash)."""
    for line in shadow.read_text().splitlines():
        name, held, *_ = line.split(":")
        if name == ACCOUNT:
            return held[:1] not in ("", "*", "!")
    raise WardwellError(f"This machine has no account {ACCOUNT}.", "Run `wardwell apply`; it makes the account.")


def generated() -> str:
    """A fresh one: four groups of five letters and digits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)) for _ in range(_GROUPS))


def new_password() -> str:
    """Give the account a fresh one, and return it. Raises WardwellError with what the system said against it."""
    password = generated()
    done = subprocess.run(["chpasswd"], input=f"{ACCOUNT}:{password}\n", capture_output=True, text=True, check=False)
    if done.returncode:
        raise WardwellError(
            f"The administrator's password could not be set: {done.stderr.strip()[-300:]}",
            "Run `wardwell apply` again.",
        )
    return password


def shown(password: str) -> str:
    """What is said about it, once."""
    return (
        f"\nPassword of {ACCOUNT} on this machine, shown this once:\n\n    {password}\n\n"
        "Write it down now and keep it in a sealed envelope. Console and sudo ask for it; ssh takes the key alone.\n"
        "To make another: sudo wardwell admin console-password"
    )
