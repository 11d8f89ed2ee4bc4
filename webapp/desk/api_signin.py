"""The private space's sign-in: password and code at once, enrolment of codes with a slip, extending, locking.

Owns: `/api/sign-in`, `/api/totp/*`, `/api/extend`, `/api/lock`. The token goes into the answer's body and nowhere else.
Must never see: what the space does with its keys.
"""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, g

from appliance import clock
from appliance.account import Account
from appliance.desk import vault
from appliance.desk.sign_in import accounts, sessions, totp
from appliance.desk.sign_in import steps as signin
from webapp.common.guard import discloses
from webapp.common.site import Site, current_site
from webapp.desk import qr
from webapp.desk.api_common import answer, body

blueprint = Blueprint("api_signin", __name__, url_prefix="/api")


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    password: str
    code: str = ""


class Slip(msgspec.Struct, forbid_unknown_fields=True):
    slip: str


class Code(msgspec.Struct, forbid_unknown_fields=True):
    code: str


def gate(site: Site) -> signin.Gate:
    """What `appliance.desk.sign_in.steps` needs."""
    return signin.Gate(site.store, site.charter, site.settings)


@blueprint.post("/sign-in")
@discloses("charter", "inform")
def sign_in() -> Response:
    asked, site = body(SignIn), current_site()
    handle, state = signin.both_steps(gate(site), asked.name, asked.password, asked.code)
    account = accounts.load(site.store, handle)
    if account is None:
        raise signin.SignInRefused
    token = sessions.start(site.store, handle, sessions.SPACE, state)
    idle, warning = sessions.seconds(site.charter)
    return answer(
        {
            "token": token,
            "state": state,
            "handle": handle,
            "name": account.name,
            "roles": sorted(account.roles),
            "enrolled": vault.enrolled(site.store, handle),
            "idle_seconds": idle,
            "warning_seconds": warning,
            "now": clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    )


@blueprint.post("/totp/begin")
@discloses("account", "own", states=("needs_slip",))
def begin() -> Response:
    account: Account = g.account
    secret, uri = totp.begin(current_site().store, g.session.id, account.id, body(Slip).slip)
    return answer({"secret": secret, "uri": uri, "qr_svg": qr.svg(uri)})


@blueprint.post("/totp/confirm")
@discloses("account", "own", states=("needs_slip",))
def confirm() -> Response:
    store = current_site().store
    totp.confirm(store, g.session, g.account, body(Code).code)
    sessions.set_state(store, g.session.id, "ready")
    return answer({"state": "ready"})


@blueprint.post("/extend")
@discloses("account", "own")
def extend() -> Response:
    site = current_site()
    sessions.extend(site.store, g.session.id)
    return answer({"idle_seconds": sessions.seconds(site.charter)[0]})


@blueprint.post("/lock")
@discloses("account", "own", states=("needs_slip", "ready"))
def lock() -> Response:
    sessions.end(current_site().store, g.session.id)
    return answer({})
