"""Promise: a directory that is down, slow or lying gives a plain error and no sign-in; real OpenLDAP over LDAPS."""

from __future__ import annotations

import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ldap
import msgspec
import pytest

from appliance.desk.sign_in import directory, directory_ask
from appliance.desk.sign_in.directory import Found, Question, Unknown, WrongPassword
from appliance.errors import WardwellError
from tests.support import slapd as support
from tests.support.certificates import Authority
from tests.support.desk_site import Space, add_person

pytestmark = pytest.mark.system
# Four seconds on a quiet machine; a busy one only starts the child later. Without the deadline it is never.
BUSY_SECONDS = 20


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.Slapd]:
    with support.running(tmp_path_factory.mktemp("slapd")) as server:
        yield server


def test_the_right_password_finds_the_person(slapd: support.Slapd) -> None:
    found = directory.check(slapd.settings(), "vcarver", "right horse battery")
    assert found == Found("E1001", f"cn=person0,{support.BASE}", "Person 0")
    assert directory.check(slapd.settings(), " VCarver ", "right horse battery") == found


def test_a_name_with_an_apostrophe_is_a_name(slapd: support.Slapd) -> None:
    assert isinstance(directory.check(slapd.settings(), "o'neil", "apostrophes are names too"), Found)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("vcarver", "wrong"),
        ("nobody", "right horse battery"),
        ("vcarver", ""),
        ("", "right horse battery"),
        ("vcarver\0", "right horse battery"),
        ("v" * 300, "right horse battery"),
        ("vcarver", "x" * 2000),
    ],
)
def test_what_is_wrong_is_wrong(slapd: support.Slapd, name: str, password: str) -> None:
    assert directory.check(slapd.settings(), name, password) == WrongPassword()


def test_an_empty_password_is_refused_before_the_bind_that_would_succeed(slapd: support.Slapd) -> None:
    # The control: this server does grant the unauthenticated bind.
    connection = directory_ask.connect(slapd.settings())
    connection.simple_bind_s(f"cn=person0,{support.BASE}", "")
    assert connection.whoami_s() == ""
    assert directory.check(slapd.settings(), "vcarver", "") == WrongPassword()


@pytest.mark.parametrize("name", ["*", "v*", "vcarver)(uid=*", "*)(objectClass=*", "vcarver\\2a", "(|(uid=vcarver))"])
def test_a_filter_cannot_be_injected(slapd: support.Slapd, name: str) -> None:
    assert directory.check(slapd.settings(), name, "right horse battery") == WrongPassword()


def test_the_injection_would_work_without_escaping(slapd: support.Slapd, monkeypatch: pytest.MonkeyPatch) -> None:
    question = Question(slapd.settings(), "vc*", "right horse battery")
    assert directory_ask.ask(question) == WrongPassword()
    monkeypatch.setattr(directory_ask, "escape_filter_chars", lambda text: text)
    assert isinstance(directory_ask.ask(question), Found)


def test_two_entries_for_one_name_are_nobody(slapd: support.Slapd) -> None:
    for password in ("first of two", "second of two"):
        assert directory.check(slapd.settings(), "twice", password) == Unknown("more than one entry for one name")


def test_two_roster_numbers_are_nobody(slapd: support.Slapd) -> None:
    settings = slapd.settings(roster_id_attribute="employeeType")
    assert isinstance(directory.check(settings, "ambiguous", "two numbers"), Unknown)
    assert isinstance(directory.check(settings, "vcarver", "right horse battery"), Found)


def test_no_roster_number_is_an_empty_one(slapd: support.Slapd) -> None:
    found = directory.check(slapd.settings(), "unnumbered", "no number")
    assert isinstance(found, Found) and found.person_id == ""


def test_a_referral_is_not_followed_and_proves_nothing(slapd: support.Slapd) -> None:
    settings = slapd.settings(base_dn=f"ou=elsewhere,{support.BASE}")
    assert isinstance(directory.check(settings, "vcarver", "right horse battery"), Unknown)
    # A referral beside the entry (as from the root of a domain) does no harm.
    assert isinstance(directory.check(slapd.settings(), "vcarver", "right horse battery"), Found)


def test_a_base_that_does_not_exist_is_no_missing_person(slapd: support.Slapd) -> None:
    assert isinstance(directory.check(slapd.settings(base_dn="dc=other"), "vcarver", "x"), Unknown)


def test_a_wrong_service_password_is_no_missing_person(slapd: support.Slapd, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("wrong")
    settings = slapd.settings(bind_password_file=str(tmp_path / "password"))
    assert isinstance(directory.check(settings, "vcarver", "right horse battery"), Unknown)
    settings = slapd.settings(bind_password_file=str(tmp_path / "missing"))
    assert isinstance(directory.check(settings, "vcarver", "right horse battery"), Unknown)


def test_a_certificate_of_another_authority_is_refused(slapd: support.Slapd, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    assert isinstance(directory.check(slapd.settings(ca_file=str(other.ca_file)), "vcarver", "x"), Unknown)
    assert directory.check(slapd.settings(), "vcarver", "x") == WrongPassword()


def test_a_certificate_for_another_host_is_refused(slapd: support.Slapd, tmp_path: Path) -> None:
    certificate, key = slapd.authority.server("192.0.2.1", "other.example")
    with _tls_listener(certificate, key) as port:
        settings = slapd.settings(url=f"ldaps://127.0.0.1:{port}")
        assert isinstance(directory.check(settings, "vcarver", "right horse battery"), Unknown)


def test_without_the_last_option_the_certificate_is_not_checked_as_asked(
    slapd: support.Slapd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above it: the order of options matters, so the order is tested."""
    asked: list[int] = []
    original = ldap.ldapobject.SimpleLDAPObject.set_option

    def noted(self: Any, option: int, value: Any) -> Any:
        asked.append(option)
        return original(self, option, value)

    monkeypatch.setattr(ldap.ldapobject.SimpleLDAPObject, "set_option", noted)
    directory_ask.connect(slapd.settings())
    assert asked[-1] == ldap.OPT_X_TLS_NEWCTX
    assert {ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_CACERTFILE, ldap.OPT_REFERRALS} <= set(asked)


def test_down_is_unknown(slapd: support.Slapd) -> None:
    settings = slapd.settings(url=f"ldaps://127.0.0.1:{support.free_port()}")
    assert isinstance(directory.check(settings, "vcarver", "right horse battery"), Unknown)


def test_one_that_accepts_and_says_nothing_is_unknown_soon(slapd: support.Slapd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = slapd.settings(url=f"ldaps://127.0.0.1:{silent.getsockname()[1]}")
        begun = time.monotonic()
        assert isinstance(directory.check(settings, "vcarver", "right horse battery"), Unknown)
        assert time.monotonic() - begun < BUSY_SECONDS


def test_one_that_stops_answering_after_the_handshake_is_unknown_soon(slapd: support.Slapd) -> None:
    certificate, key = slapd.authority.server("127.0.0.1", "mute.example")
    with _tls_listener(certificate, key) as port:
        settings = slapd.settings(url=f"ldaps://127.0.0.1:{port}")
        begun = time.monotonic()
        assert directory.check(settings, "vcarver", "right horse battery") == Unknown("slow")
        assert time.monotonic() - begun < BUSY_SECONDS


def test_a_paused_server_is_unknown_and_comes_back(slapd: support.Slapd) -> None:
    slapd.process.send_signal(signal.SIGSTOP)
    try:
        assert isinstance(directory.check(slapd.settings(), "vcarver", "right horse battery"), Unknown)
    finally:
        slapd.process.send_signal(signal.SIGCONT)
    assert isinstance(directory.check(slapd.settings(), "vcarver", "right horse battery"), Found)


@pytest.mark.parametrize("changes", [{"url": "ldap://127.0.0.1:389"}, {"ca_file": ""}, {"user_filter": "(uid=x)"}])
def test_unsafe_settings_are_refused(slapd: support.Slapd, changes: dict[str, str]) -> None:
    with pytest.raises(WardwellError):
        directory.check(slapd.settings(**changes), "vcarver", "right horse battery")


def test_the_whole_sign_in_says_directory_and_never_person_gone(
    slapd: support.Slapd, app: Any, space: Callable[[], Space], desk: Any
) -> None:
    site = app.extensions["wardwell"]
    site.settings = msgspec.structs.replace(site.settings, directory=slapd.settings())
    add_person(desk, "E1001", "Carver, V")
    asked = {"name": "vcarver", "password": "right horse battery", "code": ""}
    assert space().call("POST", "/api/sign-in", asked).get_json()["state"] == "needs_slip"
    # Right password, but nobody of the roster: the same answer as a wrong password.
    stranger = space().call("POST", "/api/sign-in", {"name": "o'neil", "password": "apostrophes are names too"})
    wrong = space().call("POST", "/api/sign-in", {**asked, "password": "wrong"})
    assert (stranger.status_code, stranger.get_data()) == (401, wrong.get_data())
    broken = slapd.settings(url=f"ldaps://127.0.0.1:{support.free_port()}")
    site.settings = msgspec.structs.replace(site.settings, directory=broken)
    answers = [space().call("POST", "/api/sign-in", asked) for _ in range(7)]
    assert [a.status_code for a in answers] == [503] * 7, "an error of the directory is nobody's failure"
    assert answers[0].get_json()["error"]["code"] == "directory_unknown"


class _tls_listener:
    """Completes TLS handshakes and then says nothing."""

    def __init__(self, certificate: Path, key: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._context, self._held = context, []  # type: tuple[ssl.SSLContext, list[ssl.SSLSocket]]

    def __enter__(self) -> int:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        port: int = self._socket.getsockname()[1]
        return port

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self._socket.accept()
                self._held.append(self._context.wrap_socket(raw, server_side=True))
            except ssl.SSLError:
                raw.close()
            except OSError:
                return

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=5)
        for one in self._held:
            one.close()
