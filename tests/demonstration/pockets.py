"""What the people of the demonstration carry: passwords in heads, code generators in phones, slips, printed words.

Owns: `demo/pockets.json` under the home, readable by the current user only. None of it belongs to the appliance: in an
agency these things are in heads, phones and wallets. Must never see: a message that somebody typed.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
import pyotp

from appliance import clock
from appliance.errors import WardwellError
from appliance.settings import Home

STEP_SECONDS = 30


class Pocket(msgspec.Struct, forbid_unknown_fields=True):
    """One person's: `totp` the secret in the phone, `slip` the paper, `passphrase` and `recovery` the vault's words.

    `used_file` notes which codes the demonstration has used itself.
    """

    role: str
    display: str
    name: str
    password: str
    handle: str = ""
    number: str = ""
    totp: str = ""
    slip: str = ""
    passphrase: str = ""
    recovery: str = ""
    used_file: str = ""

    def code(self) -> tuple[str, int]:
        """The present code and the seconds it is still shown. Raises WardwellError without a phone."""
        if not self.totp:
            raise WardwellError(f"{self.name} has no sign-in codes yet.", "Run `make demo` to the end.")
        now = int(clock.now().timestamp())
        return pyotp.TOTP(self.totp).at(now), STEP_SECONDS - now % STEP_SECONDS

    def fresh_code(self) -> str:
        """A code that the demonstration has not used yet; it counts as used now.

        Desk takes the next step's code already (RFC 6238, 5.2). This waits only when that one was used too.
        """
        step = max(_step(), self._steps().get(self.name, -1) + 1)
        while step > _step() + 1:
            time.sleep(0.5)
        self.mark_used(step)
        return pyotp.TOTP(self.totp).generate_otp(step)

    def is_used(self) -> bool:
        """Whether the demonstration itself has used the present code."""
        return self._steps().get(self.name, -1) >= _step()

    def mark_used(self, step: int | None = None) -> None:
        """Say that the present code, or the code of `step`, was used: each works once."""
        steps = {**self._steps(), self.name: _step() if step is None else step}
        Path(self.used_file).write_bytes(msgspec.json.encode(steps))

    def _steps(self) -> dict[str, int]:
        try:
            steps: dict[str, int] = msgspec.json.decode(Path(self.used_file).read_bytes())
        except FileNotFoundError:
            return {}
        return steps


def _step() -> int:
    return int(clock.now().timestamp()) // STEP_SECONDS


class Pockets(msgspec.Struct, forbid_unknown_fields=True):
    """Everybody's. `save` after each change; a second `make demo` goes on where the first one stopped."""

    people: list[Pocket] = []

    def of(self, name: str) -> Pocket:
        """By role, sign-in name or shown name, whatever the case. Raises WardwellError for nobody."""
        wanted = name.casefold()
        for pocket in self.people:
            if wanted in (pocket.role.casefold(), pocket.name.casefold(), pocket.display.casefold()):
                return pocket
        known = ", ".join(f"{pocket.name} ({pocket.role})" for pocket in self.people)
        raise WardwellError(f"Nobody in the demonstration is called {name!r}.", f"One of: {known}.")

    def save(self, home: Home) -> None:
        path = _path(home)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(self)))
        part.rename(path)


def _path(home: Home) -> Path:
    return home.root / "demo" / "pockets.json"


def load(home: Home) -> Pockets:
    """The pockets of `home`; empty when there are none yet."""
    try:
        return msgspec.json.decode(_path(home).read_bytes(), type=Pockets)
    except FileNotFoundError:
        return Pockets()


def load_existing(home: Home) -> Pockets:
    """As `load`. Raises WardwellError when no demonstration was made here."""
    pockets = load(home)
    if not pockets.people:
        raise WardwellError(f"There is no demonstration at {home.root}.", "Run `make demo` first.")
    return pockets
