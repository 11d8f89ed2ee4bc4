"""The agency's LDAP directory: is this password right, and whose is it?

Owns: one question per sign-in, over LDAPS, with the pinned CA. A fresh connection each time: no state of one person's
sign-in reaches another's. Must never see: a role; directory groups prove nothing here.

Three answers and no fourth: `Found`, `WrongPassword`, `Unknown`. A directory that is down, slow, has the wrong
certificate, refers elsewhere or contradicts itself is `Unknown`, never "no such person". A disabled, expired or
locked account is `WrongPassword`: which of them it is concerns nobody at a sign-in page.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import ldap
import structlog
from ldap.filter import escape_filter_chars
from ldap.ldapobject import SimpleLDAPObject

from appliance.errors import WardwellError
from appliance.settings import Directory

LONGEST_NAME = 256
LONGEST_PASSWORD = 1024

# What a server answers to a bind that it will not grant to this account, whatever the reason.
_NOT_GRANTED = (
    ldap.INVALID_CREDENTIALS,
    ldap.INAPPROPRIATE_AUTH,
    ldap.UNWILLING_TO_PERFORM,
    ldap.CONSTRAINT_VIOLATION,
    ldap.NO_SUCH_OBJECT,
)

_log = structlog.get_logger("directory")


@dataclass(frozen=True)
class Found:
    """The password is right. `person_id` is the roster's employee number as the directory has it, "" for none."""

    person_id: str
    dn: str
    name: str


@dataclass(frozen=True)
class WrongPassword:
    """The directory answered: there is no such account with this password that may sign in."""


@dataclass(frozen=True)
class Unknown:
    """No answer that can be trusted. `reason` is one of our own words, never the server's."""

    reason: str


Answer = Found | WrongPassword | Unknown


class _Doubt(Exception):
    """The directory contradicts itself; `reason` in our own words."""


def check(settings: Directory, name: str, password: str) -> Answer:
    """Ask the directory whether `password` is the one of `name`. Never raises for what the directory does.

    Raises WardwellError when the settings themselves are unsafe (not LDAPS, no CA file).
    """
    _check_settings(settings)
    # RFC 4513, 5.1.2: a bind with a name and no password is "unauthenticated" and many servers grant it.
    if not name.strip() or not password or len(name) > LONGEST_NAME or len(password) > LONGEST_PASSWORD:
        return WrongPassword()
    if "\0" in name or "\0" in password:
        return WrongPassword()
    try:
        connection = _connect(settings)
        try:
            return _ask(connection, settings, name.strip(), password)
        finally:
            connection.unbind_s()
    except _Doubt as doubt:
        return _unknown(str(doubt))
    except (ldap.TIMEOUT, ldap.TIMELIMIT_EXCEEDED):
        return _unknown("slow")
    except ldap.REFERRAL:
        return _unknown("referral")
    except (ldap.SERVER_DOWN, ldap.CONNECT_ERROR, ldap.UNAVAILABLE, ldap.BUSY):
        return _unknown("down or wrong certificate")
    except (ldap.LDAPError, OSError, UnicodeError) as error:
        return _unknown(type(error).__name__)


def _unknown(reason: str) -> Unknown:
    _log.warning("directory_unknown", reason=reason)
    return Unknown(reason)


def _check_settings(settings: Directory) -> None:
    if not settings.url.startswith("ldaps://"):
        raise WardwellError("The directory's address is not LDAPS.", "Set `directory.url` to an ldaps:// address.")
    if not settings.ca_file or not Path(settings.ca_file).is_file():
        raise WardwellError(
            "The directory's certificate authority is not pinned.", "Set `directory.ca_file` to its PEM file."
        )
    if settings.user_filter.count("{name}") < 1:
        raise WardwellError("The directory's filter names nobody.", "Put {name} into `directory.user_filter`.")


def _connect(settings: Directory) -> SimpleLDAPObject:
    connection = ldap.initialize(settings.url)
    connection.protocol_version = ldap.VERSION3
    connection.timeout = settings.timeout_seconds
    connection.set_option(ldap.OPT_REFERRALS, ldap.OPT_OFF)
    connection.set_option(ldap.OPT_NETWORK_TIMEOUT, settings.timeout_seconds)
    connection.set_option(ldap.OPT_TIMEOUT, settings.timeout_seconds)
    connection.set_option(ldap.OPT_X_TLS_CACERTFILE, settings.ca_file)
    connection.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
    connection.set_option(ldap.OPT_X_TLS_PROTOCOL_MIN, ldap.OPT_X_TLS_PROTOCOL_TLS1_2)
    # Must come last: the options above only count in a TLS context that is made after them.
    connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
    return connection


def _ask(connection: SimpleLDAPObject, settings: Directory, name: str, password: str) -> Answer:
    if settings.bind_dn:
        connection.simple_bind_s(settings.bind_dn, Path(settings.bind_password_file).read_text().strip())
    wanted = settings.user_filter.replace("{name}", escape_filter_chars(name))
    attributes = [settings.roster_id_attribute, settings.name_attribute]
    found = connection.search_ext_s(
        settings.base_dn, ldap.SCOPE_SUBTREE, wanted, attributes, timeout=settings.timeout_seconds, sizelimit=10
    )
    # Active Directory adds continuation references (no name) to every search from the domain's root; never followed.
    entries = [(dn, values) for dn, values in found if dn is not None]
    if not entries:
        if found:
            raise _Doubt("referral instead of an entry")
        return WrongPassword()
    if len(entries) > 1:
        raise _Doubt("more than one entry for one name")
    dn, values = entries[0]
    try:
        connection.simple_bind_s(dn, password)
    except _NOT_GRANTED:
        return WrongPassword()
    return Found(_one(values, settings.roster_id_attribute), dn, _one(values, settings.name_attribute))


def _one(values: dict[str, list[bytes]], attribute: str) -> str:
    # Attribute names are matched without case; servers answer in the schema's spelling.
    found = [v for key, v in values.items() if key.lower() == attribute.lower()]
    if not found or not found[0]:
        return ""
    if len(found[0]) > 1:
        raise _Doubt("more than one value where one was expected")
    return found[0][0].decode("utf-8").strip()
