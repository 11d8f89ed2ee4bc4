"""Signing in: name and password, then a code. The same rules for staff pages and for the private space.

Owns: the order of the checks and the few answers there are. Every wrong combination has one sentence, known
name or not. Must never see: what the account may look at; the charter decides that later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from appliance.charter import Charter
from appliance.desk import slips
from appliance.desk.sign_in import accounts, directory, lockout, totp
from appliance.errors import WardwellError
from appliance.settings import Settings
from appliance.storage import Store


@dataclass(frozen=True)
class Gate:
    """What a sign-in needs to know of the appliance."""

    store: Store
    charter: Charter
    settings: Settings


class SignInRefused(WardwellError):
    """No sign-in. `status` is the HTTP status and `code` the API's word for it."""

    status = 401
    code = "wrong"

    def __init__(self) -> None:
        super().__init__(
            "That name, password or code is not right.", "Try again; after five failures there is a wait of 15 minutes."
        )


class Locked(SignInRefused):
    """Too many failures for this name."""

    status, code = 423, "locked"

    def __init__(self, minutes: int) -> None:
        WardwellError.__init__(
            self, "There were too many failed attempts with this name.", f"Wait {minutes} minutes and try again."
        )


class DirectoryUnknown(SignInRefused):
    """The directory gave no answer that can be trusted: nobody is let in, nobody is told that a person is gone."""

    status, code = 503, "directory_unknown"

    def __init__(self) -> None:
        WardwellError.__init__(
            self,
            "The agency's directory is not answering as it should, so this sign-in is not possible now.",
            "Try again in a few minutes. Crisis help and the support directory work without signing in.",
        )


class ClockOutOfStep(SignInRefused):
    """The code is real, of another moment: the phone's clock or ours is wrong."""

    code = "clock"

    def __init__(self) -> None:
        WardwellError.__init__(
            self,
            "That code belongs to another time: a clock is out of step.",
            "Set the phone's time to automatic, wait for the next code and try again.",
        )


def check_password(gate: Gate, name: str, password: str) -> str:
    """The handle behind a right name and password. Raises SignInRefused or one of its kinds. Counts nothing."""
    local = accounts.find_local(gate.store, name)
    if local is not None:
        handle, line = local
        if password and len(password) <= directory.LONGEST_PASSWORD and accounts.password_fits(line, password):
            return handle
        raise SignInRefused
    result = directory.check(gate.settings.directory, name, password)
    if isinstance(result, directory.Unknown):
        raise DirectoryUnknown
    handle_of = accounts.of_person(gate.store, result.person_id) if isinstance(result, directory.Found) else None
    if handle_of is None:
        raise SignInRefused
    return handle_of


def _counted(gate: Gate, keys: list[str]) -> None:
    try:
        lockout.start(gate.store, gate.charter, keys)
    except lockout.LockedOut:
        raise Locked(gate.charter.constants.lockout_minutes) from None


def _counted_password(gate: Gate, name: str, password: str) -> tuple[str, list[str]]:
    """The handle once the password was right, and the counters that have counted this attempt."""
    keys = [lockout.key_of("name", accounts.normal_name(name))]
    _counted(gate, keys)
    try:
        return check_password(gate, name, password), keys
    except DirectoryUnknown:
        lockout.give_back(gate.store, keys)
        raise


def first_step(gate: Gate, name: str, password: str) -> tuple[str, Literal["code", "needs_slip"]]:
    """Name and password, for the staff pages: the handle, and what comes next. Raises SignInRefused."""
    handle, keys = _counted_password(gate, name, password)
    # Given back, not cleared: a right password alone must not buy new tries.
    lockout.give_back(gate.store, keys)
    return handle, "code" if totp.enrolled(gate.store, handle) else "needs_slip"


def second_step(gate: Gate, handle: str, code: str) -> Literal["ready", "needs_slip"]:
    """The code, or instead of it a slip when the phone is gone. Raises SignInRefused."""
    keys = [lockout.key_of("code", handle)]
    _counted(gate, keys)
    if slips.looks_like_slip(code):
        try:
            slips.find(gate.store, handle, code, "totp")
        except slips.WrongSlip:
            raise SignInRefused from None
        lockout.give_back(gate.store, keys)
        return "needs_slip"
    outcome = totp.accept(gate.store, handle, code)
    if outcome == "clock":
        raise ClockOutOfStep
    if outcome == "wrong":
        raise SignInRefused
    lockout.clear(gate.store, keys)
    return "ready"


def both_steps(gate: Gate, name: str, password: str, code: str) -> tuple[str, Literal["ready", "needs_slip"]]:
    """Name, password and code at once, for the private space: the handle and the session's state.

    A wrong code counts against the name too: otherwise the count would tell that the password was right.
    Raises SignInRefused.
    """
    handle, keys = _counted_password(gate, name, password)
    if not totp.enrolled(gate.store, handle):
        lockout.give_back(gate.store, keys)
        return handle, "needs_slip"
    try:
        state = second_step(gate, handle, code)
    except Locked:
        # The name's own counter says when to wait; this one would tell that the password was right.
        raise SignInRefused from None
    if state == "ready":
        lockout.clear(gate.store, keys)
    else:
        lockout.give_back(gate.store, keys)
    return handle, state
