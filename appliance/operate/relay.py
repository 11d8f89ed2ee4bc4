"""Health events to the agency's own syslog and mail hosts: off unless `relay.toml` names one.

Owns: which events may leave (`EVENTS`), their wording, and what was sent last. Must never see: a database, a log, a
detail of a check. It reads one file of yes and no, which root's check wrote, and runs as a user that can reach the
named hosts and nothing else. An event says which heading of `wardwell status` changed and to what; never more.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterable
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import msgspec

from appliance import clock, durable
from appliance.errors import WardwellError
from appliance.health import checks
from appliance.settings import Home

# Every heading of `wardwell status` that says something about the machine alone.
EVENTS = frozenset(checks.CHECKS)
_TIMEOUT = 10.0
# RFC 5424: facility 13 (log audit) times 8, plus severity 4 (warning) or 6 (informational).
_WRONG, _OK = 13 * 8 + 4, 13 * 8 + 6


class Syslog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A syslog host that takes RFC 5425 (TLS). `host` is the name in its certificate, `address` where it is reached."""

    host: str
    ca_file: str
    address: str = ""
    port: int = 6514


class Smtp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mail relay that offers STARTTLS. `host` is the name in its certificate, `address` where it is reached."""

    host: str
    ca_file: str
    sender: str
    recipients: list[str]
    address: str = ""
    port: int = 587
    user: str = ""
    password_file: str = ""


class Relay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The typed `relay.toml`. `events` names what to send; empty means every one of `EVENTS`."""

    events: list[str] = []
    syslog: Syslog | None = None
    smtp: Smtp | None = None


class Health(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the check saw: when, and for each heading whether it was in order."""

    at: datetime
    ok: dict[str, bool]


def read(path: Path) -> Relay:
    """The relay's settings. Raises WardwellError when the file is not valid or names an event that does not exist."""
    try:
        relay = msgspec.toml.decode(path.read_bytes(), type=Relay)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise WardwellError(f"{path} is not valid: {error}.", "Correct that line.") from None
    unknown = sorted(set(relay.events) - EVENTS)
    if unknown:
        raise WardwellError(f"There is no event {unknown[0]!r}.", f"Choose among: {', '.join(sorted(EVENTS))}.")
    return relay


def observe(home: Home) -> Health:
    """Make every check of `wardwell status` and keep yes or no for each."""
    return Health(
        clock.now(), {name: all(result.ok for result in checks.run_one(home, name)) for name in checks.CHECKS}
    )


def changes(before: dict[str, bool], health: Health, wanted: Iterable[str]) -> dict[str, bool]:
    """Headings that changed since `before`; a heading never sent is news only when it is not in order."""
    return {
        name: ok
        for name, ok in health.ok.items()
        if name in EVENTS and (name in wanted or not wanted) and ok != before.get(name, True)
    }


def run(relay: Relay, health: Health, sent: Path) -> int:
    """Send what changed since the last time, which `sent` remembers; how many events went.

    Raises OSError, ssl.SSLError or smtplib.SMTPException when a host does not take them; then nothing is remembered and
    the next turn tries again, so an event may arrive twice and is never lost.
    """
    before = msgspec.json.decode(sent.read_bytes(), type=dict[str, bool]) if sent.exists() else {}
    news = changes(before, health, relay.events)
    if not news:
        return 0
    if relay.syslog:
        _send_syslog(relay.syslog, health.at, news)
    if relay.smtp:
        _send_mail(relay.smtp, health.at, news)
    durable.replace(sent, msgspec.json.encode({**before, **news}))
    return len(news)


def line(name: str, ok: bool) -> str:
    """An event in words."""
    return f"{name}: {'in order again' if ok else 'not in order, `wardwell doctor` says what to do'}"


def record(at: datetime, name: str, ok: bool) -> bytes:
    """One syslog message (RFC 5424) in its frame (RFC 5425, section 4.3): its length, a space, itself."""
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    message = f"<{_OK if ok else _WRONG}>1 {stamp} wardwell wardwell - health - {line(name, ok)}".encode()
    return b"%d %s" % (len(message), message)


def _send_syslog(to: Syslog, at: datetime, news: dict[str, bool]) -> None:
    context = ssl.create_default_context(cafile=to.ca_file)
    with (
        socket.create_connection((to.address or to.host, to.port), timeout=_TIMEOUT) as plain,
        context.wrap_socket(plain, server_hostname=to.host) as secured,
    ):
        secured.sendall(b"".join(record(at, name, ok) for name, ok in news.items()))
        # Ends the session in both directions: a host that refused our records says so here.
        secured.unwrap()


class _Client(smtplib.SMTP):
    """smtplib checks the certificate against the name that it connected to; here the address may be another."""

    def __init__(self, to: Smtp) -> None:
        super().__init__(to.address or to.host, to.port, local_hostname="wardwell", timeout=_TIMEOUT)
        self._host = to.host


def _send_mail(to: Smtp, at: datetime, news: dict[str, bool]) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Date"] = to.sender, ", ".join(to.recipients), format_datetime(at)
    mail["Subject"] = "Wardwell: " + ("something is not in order" if not all(news.values()) else "in order again")
    mail.set_content("\n".join(line(name, ok) for name, ok in news.items()) + "\n")
    context = ssl.create_default_context(cafile=to.ca_file)
    with _Client(to) as client:
        client.starttls(context=context)
        if to.user:
            client.login(to.user, Path(to.password_file).read_text().strip())
        client.send_message(mail)
