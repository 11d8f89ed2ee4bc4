"""The one exception that people see: what went wrong, and what to do about it.

Owns: `WardwellError`. Must never see: anything about a person; a message here may be shown or logged.
"""

from __future__ import annotations


class WardwellError(Exception):
    """Something the person at the keyboard can act on.

    `message` says what is wrong in one sentence; `fix` says what to do, in one sentence.
    Neither may carry a name, a narrative, an address or a secret.
    `exit_code` is what the command ends with.
    """

    exit_code = 1

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()


class Refused(WardwellError):
    """Refused before anything was changed."""

    exit_code = 3
