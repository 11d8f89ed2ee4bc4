"""The agency's LDAP directory: is this password right, and whose is it?

Owns: one question per sign-in, put to a fresh child process (`directory_ask`) that speaks LDAPS and is ended when it
takes too long. No state of one sign-in reaches another. Must never see: a role; directory groups prove nothing here.

Three answers and no fourth: `Found`, `WrongPassword`, `Unknown`. A directory that is down, slow, has the wrong
certificate, refers elsewhere or contradicts itself is `Unknown`, never "no such person". A disabled, expired or
locked account is `WrongPassword`: which of them it is concerns nobody at a sign-in page.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import msgspec
import structlog

from appliance.errors import WardwellError
from appliance.settings import Directory

LONGEST_NAME = 256
LONGEST_PASSWORD = 1024
# Connect, search and bind each have the settings' time-out; all together, with starting the child, get this many more.
_STARTING_SECONDS = 8.0

COMMAND = (sys.executable, "-m", "appliance.desk.sign_in.directory_ask")

_log = structlog.get_logger("directory")


class Found(msgspec.Struct, frozen=True, tag=True):
    """The password is right. `person_id` is the roster's employee number as the directory has it, "" for none."""

    person_id: str
    dn: str
    name: str


class WrongPassword(msgspec.Struct, frozen=True, tag=True):
    """The directory answered: there is no such account with this password that may sign in."""


class Unknown(msgspec.Struct, frozen=True, tag=True):
    """No answer that can be trusted. `reason` is one of our own words, never the server's."""

    reason: str


Answer = Found | WrongPassword | Unknown
_decoder: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)


class Question(msgspec.Struct, frozen=True):
    """What the child is asked, on its standard input: never in an argument, where every process could read it."""

    settings: Directory
    name: str
    password: str


def check(settings: Directory, name: str, password: str) -> Answer:
    """Ask the directory whether `password` is the one of `name`. Never raises for what the directory does.

    Raises WardwellError when the settings themselves are unsafe (not LDAPS, no CA file).
    """
    check_settings(settings)
    # RFC 4513, 5.1.2: a bind with a name and no password is "unauthenticated" and many servers grant it.
    if not name.strip() or not password or len(name) > LONGEST_NAME or len(password) > LONGEST_PASSWORD:
        return WrongPassword()
    if "\0" in name or "\0" in password:
        return WrongPassword()
    begun = time.monotonic()
    result = _put(Question(settings, name.strip(), password))
    _log.debug("directory_answered", answer=type(result).__name__, seconds=round(time.monotonic() - begun, 3))
    if isinstance(result, Unknown):
        _log.warning("directory_unknown", reason=result.reason)
    return result


def _put(question: Question) -> Answer:
    # A child, because libldap's TLS handshake has no time-out with GnuTLS: a server that accepts and says nothing would
    # hold a worker for ever. A process can be ended.
    try:
        done = subprocess.run(
            COMMAND,
            input=msgspec.json.encode(question),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=2 * question.settings.timeout_seconds + _STARTING_SECONDS,
            check=False,
        )
        return _decoder.decode(done.stdout)
    except subprocess.TimeoutExpired:
        return Unknown("slow")
    except (OSError, UnicodeError, msgspec.DecodeError, msgspec.ValidationError):
        return Unknown("no answer")


def check_settings(settings: Directory) -> None:
    """Raise WardwellError when the settings would ask a directory without proof of who it is."""
    if not settings.url.startswith("ldaps://"):
        raise WardwellError("The directory's address is not LDAPS.", "Set `directory.url` to an ldaps:// address.")
    if not settings.ca_file or not Path(settings.ca_file).is_file():
        raise WardwellError(
            "The directory's certificate authority is not pinned.", "Set `directory.ca_file` to its PEM file."
        )
    if settings.user_filter.count("{name}") < 1:
        raise WardwellError("The directory's filter names nobody.", "Put {name} into `directory.user_filter`.")
