"""People, accounts and browsers for tests of desk."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

import pyotp
from flask import Flask

from appliance import clock
from appliance.desk.models.people import DeskAccount, Grant, Person
from appliance.desk.sign_in import accounts, sessions
from appliance.settings import Home
from appliance.storage import Store
from tests.support.waiting import until
from webapp.common.csrf import token_for
from webapp.desk.who import COOKIE


def quick_line(password: str) -> str:
    """A scrypt line with a small work factor: tests sign in often."""
    salt = b"0123456789abcdef"
    key = hashlib.scrypt(password.encode(), salt=salt, n=2**4, r=8, p=1, dklen=32)
    return "$".join(("scrypt", "4", base64.b64encode(salt).decode(), base64.b64encode(key).decode()))


def add_person(store: Store, number: str, name: str = "", **values: Any) -> str:
    """A person on the roster; returns the handle."""
    handle = secrets.token_hex(16)
    row: dict[str, Any] = {"call_sign": "", "unit": "Watch A", "division": "Patrol", "duties": "", "active": True}
    with store.write() as session:
        session.add(Person(handle=handle, person_id=number, name=name or f"Person {number}", **{**row, **values}))
    return handle


def add_grant(store: Store, handle: str, role: str) -> None:
    """An active grant."""
    with store.write() as session:
        session.add(
            Grant(
                handle=handle,
                role=role,
                salt=secrets.token_hex(32),
                proposed_by="founding: agency",
                proposed_at=clock.now(),
                countersigned_by="founding: trustee",
                countersigned_at=clock.now(),
                leaf_index=0,
                revoke_proposed_by="",
                revoked_by="",
                revoked_at=None,
            )
        )


@dataclass
class Member:
    """Somebody with a local account, a code generator and roles."""

    handle: str
    name: str
    password: str
    secret: str = field(default_factory=pyotp.random_base32)
    used_step: int = 0

    def code(self, steps: int = 0) -> str:
        """The code of the present step, or of one `steps` after it."""
        return pyotp.TOTP(self.secret).generate_otp(_present_step() + steps)

    def fresh_code(self) -> str:
        """A code that desk accepts and that nobody used: three in a row with no wait in most cases, else two.

        Desk takes the step before and after the present one too, and nothing as old as the last. The step before is
        given with time left to be typed: a loaded machine once took more than ten seconds to the end of a sign-in.
        """
        left = 30 - clock.now().timestamp() % 30
        step = max(self.used_step + 1, _present_step() - (left >= 20))
        until(lambda: step <= _present_step() + 1, seconds=40, every=0.2)
        self.used_step = step
        return pyotp.TOTP(self.secret).generate_otp(step)


def _present_step() -> int:
    return int(clock.now().timestamp()) // 30


def add_member(store: Store, sign_in_name: str, *roles: str, enrolled: bool = True) -> Member:
    """A local account with roles; "officer" makes the person one of the roster too. Its code generator is set up."""
    password = f"password of {sign_in_name}"
    if "officer" in roles:
        handle = add_person(store, f"N-{sign_in_name}", f"The {sign_in_name}")
        accounts.add_local(store, sign_in_name, f"The {sign_in_name}", quick_line(password), handle=handle)
    else:
        handle = accounts.add_local(store, sign_in_name, f"The {sign_in_name}", quick_line(password))
    for role in roles:
        if role != "officer":
            add_grant(store, handle, role)
    member = Member(handle, sign_in_name, password)
    if enrolled:
        with store.write() as session:
            session.get_one(DeskAccount, handle).totp_secret = member.secret
    return member


class Browser:
    """A browser at the staff pages: keeps cookies, sends host and form token as pages do."""

    def __init__(self, app: Flask, home: Home) -> None:
        self.client = app.test_client()
        self.host = home.settings().hosts.desk
        self.base = f"https://{self.host}"

    def use(self, store: Store, handle: str) -> Browser:
        """Be signed in as `handle`."""
        self.set_token(sessions.start(store, handle, sessions.STAFF, "ready"))
        return self

    def set_token(self, token: str) -> None:
        self.client.set_cookie(COOKIE, token, domain=self.host.split(":")[0], secure=True, path="/")

    @property
    def token(self) -> str:
        cookie = self.client.get_cookie(COOKIE, domain=self.host.split(":")[0])
        return cookie.value if cookie is not None else ""

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, base_url=self.base, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> Any:
        """Post as our own form does: with the token that belongs to the session."""
        form = {"csrf_token": token_for(self.token), **(data or {})}
        return self.client.post(path, base_url=self.base, data=form, **options)

    def fill(self, path: str, data: dict[str, Any]) -> Any:
        """Open the page at `path`, take the form token that it shows, and send the form."""
        page = self.get(path).get_data(as_text=True)
        found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page)
        assert found, f"{path} shows no form of ours"
        return self.client.post(path, base_url=self.base, data={"csrf_token": found[1], **data})


class Space:
    """The private space as the API sees it: an origin, a bearer token, JSON."""

    def __init__(self, app: Flask, home: Home, token: str = "") -> None:
        hosts = home.settings().hosts
        self.client, self.token = app.test_client(), token
        self.base, self.origin = f"https://{hosts.desk}", f"https://{hosts.space}"

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {"Origin": self.origin, **headers}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        options: dict[str, Any] = {} if body is None else {"json": body}
        return self.client.open(path, method=method, base_url=self.base, headers=sent, **options)

    def sign_in(self, member: Member, code: str | None = None) -> Any:
        answer = self.call(
            "POST",
            "/api/sign-in",
            {"name": member.name, "password": member.password, "code": member.code() if code is None else code},
        )
        if answer.status_code == 200:
            self.token = answer.get_json()["token"]
        return answer
