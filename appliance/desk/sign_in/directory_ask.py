"""The child that asks the directory: one question on standard input, one answer on standard output, then it is gone.

Owns: python-ldap and every option that makes its TLS strict. It writes no log: its parent does, without names.
Must never see: the appliance's database or keys; it gets settings, a name and a password.
"""

from __future__ import annotations

import math
import resource
import sys
import time
from pathlib import Path

import ldap
import msgspec
from ldap.filter import escape_filter_chars
from ldap.ldapobject import SimpleLDAPObject

from appliance.desk.sign_in.directory import Answer, Found, Question, Unknown, WrongPassword
from appliance.settings import Directory

# libldap with GnuTLS spins while a server stays silent in the handshake; the kernel ends that. What starting took is
# not counted, and is the measure on a slow machine: a handshake and three answers never take four times as long.
CPU_SECONDS = 2

# What a server answers to a bind that it will not grant to this account, whatever the reason.
_NOT_GRANTED = (
    ldap.INVALID_CREDENTIALS,
    ldap.INAPPROPRIATE_AUTH,
    ldap.UNWILLING_TO_PERFORM,
    ldap.CONSTRAINT_VIOLATION,
    ldap.NO_SUCH_OBJECT,
)


class _Doubt(Exception):
    """The directory contradicts itself; the text is in our own words."""


def ask(question: Question) -> Answer:
    """The directory's answer; whatever else happens on the way is Unknown."""
    settings = question.settings
    try:
        connection = connect(settings)
        try:
            return _ask(connection, settings, question.name, question.password)
        finally:
            connection.unbind_s()
    except _Doubt as doubt:
        return Unknown(str(doubt))
    except (ldap.TIMEOUT, ldap.TIMELIMIT_EXCEEDED):
        return Unknown("slow")
    except (ldap.REFERRAL, ldap.PARTIAL_RESULTS):
        return Unknown("referral")
    except (ldap.SERVER_DOWN, ldap.CONNECT_ERROR, ldap.UNAVAILABLE, ldap.BUSY):
        return Unknown("down or wrong certificate")
    except (ldap.LDAPError, OSError, UnicodeError) as error:
        return Unknown(type(error).__name__)


def connect(settings: Directory) -> SimpleLDAPObject:
    """A connection object with strict TLS and time-outs; it connects at its first operation."""
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
    results = connection.search_ext_s(
        settings.base_dn, ldap.SCOPE_SUBTREE, wanted, attributes, timeout=settings.timeout_seconds, sizelimit=10
    )
    # Active Directory adds continuation references (no name) to every search from the domain's root; never followed.
    # A referral instead of an answer is another thing: it raises, and ends as Unknown.
    entries = [(dn, values) for dn, values in results if dn is not None]
    if not entries:
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
    matching = [v for key, v in values.items() if key.lower() == attribute.lower()]
    if not matching or not matching[0]:
        return ""
    if len(matching[0]) > 1:
        raise _Doubt("more than one value where one was expected")
    return matching[0][0].decode("utf-8").strip()


def main() -> None:
    """Answer the question on standard input."""
    started = time.process_time()
    seconds = math.ceil(started + max(CPU_SECONDS, 4 * started))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    sys.stdout.buffer.write(msgspec.json.encode(ask(question)))


if __name__ == "__main__":
    main()
