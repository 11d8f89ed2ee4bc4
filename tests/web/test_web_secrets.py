"""Promise: no secret that anybody sends, and no name, is ever logged."""

from __future__ import annotations

import io
import logging
import secrets
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from flask import Flask

from appliance.desk import inbox, vault
from appliance.desk.sign_in import directory
from appliance.storage import Store
from tests.support.desk_site import Browser, Space, add_member

_log = structlog.get_logger("control")


class Ear(io.StringIO):
    """Everything that reaches a log, from the root logger at DEBUG and from structlog's printed lines."""


@pytest.fixture
def ear(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    heard = Ear()
    handler = logging.StreamHandler(heard)
    root = logging.getLogger()
    level, raised = root.level, logging.raiseExceptions
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    try:
        yield lambda: heard.getvalue() + "".join(capfd.readouterr())
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        logging.raiseExceptions = raised


def test_a_secret_in_each_request_never_reaches_a_log(
    app: Flask,
    space: Callable[[], Space],
    browser: Callable[[], Browser],
    desk: Store,
    ear: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(directory, "check", lambda *_: directory.Unknown("down"))
    member = add_member(desk, "marked-name", "officer", "coordinator")
    sent: list[str] = [member.password, member.secret, "marked-name", "The marked-name"]

    def fresh() -> str:
        sent.append(f"SECRET{secrets.token_hex(8)}")
        return sent[-1]

    one = space()
    one.sign_in(member)
    sent.append(one.token)
    for path, keys in (
        ("/api/sign-in", ("name", "password", "code")),
        ("/api/totp/begin", ("slip",)),
        ("/api/totp/confirm", ("code",)),
        ("/api/enrol", ("slip", "mailbox_key", "blob")),
        ("/api/deliveries/taken", ("ids",)),
        ("/api/tickets", ("purpose", "period")),
    ):
        one.call("POST", path, {key: fresh() for key in keys})
        one.call("POST", path, {key: fresh() for key in keys}, Authorization=f"Bearer {fresh()}")
        one.call("POST", f"{path}?note={fresh()}", fresh())
    staff = browser()
    staff.fill("/sign-in", {"name": fresh(), "password": fresh()})
    staff.fill("/sign-in", {"name": "marked-name", "password": member.password})
    staff.fill("/sign-in/code", {"code": fresh()})
    staff.use(desk, member.handle)
    sent.append(staff.token)
    for path in ("/coordinator/open", "/coordinator/incidents/x/people", "/trustee/slips/one", "/no/such/page"):
        staff.post(path, {"person": fresh(), "handle": fresh(), "kind": fresh(), "day": fresh()})

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError(f"a failure that carries {sent[-1]}")

    fresh()
    monkeypatch.setattr(inbox, "deliveries", broken)
    monkeypatch.setattr(vault, "load", broken)
    assert one.call("GET", "/api/deliveries").status_code == 500
    assert one.call("GET", "/api/vault").status_code == 500

    heard = ear()
    assert "request_failed" in heard and "RuntimeError" in heard, "failures are logged, by their kind"
    assert [secret for secret in sent if secret in heard] == []


def test_the_ear_hears_what_is_logged(ear: Callable[[], str]) -> None:
    """The control: each way by which a secret could be logged is listened to."""
    logging.getLogger("anything").debug("CONTROL-ONE")
    _log.info("CONTROL-TWO")
    print("CONTROL-THREE", file=sys.stderr)
    heard = ear()
    assert all(f"CONTROL-{word}" in heard for word in ("ONE", "TWO", "THREE"))
