"""Whose request this is: the session behind a staff cookie or a bearer token, and the roles that count now.

Owns: the cookie's name and attributes, and `authenticate`. Roles are read at every request, so that a revoked grant
counts at once. Must never see: a password.
"""

from __future__ import annotations

from flask import Response, g, request

from appliance.account import NOBODY, Account
from appliance.desk.sign_in import accounts, sessions
from webapp.common.guard import Declaration
from webapp.common.site import current_site

COOKIE = "__Host-wardwell"
BEFORE_COOKIE = "__Host-wardwell-before"  # ties the sign-in form to this browser; worth nothing else
API_PREFIX = "/api/"


def is_api() -> bool:
    """Whether this request is to the private space's API."""
    return request.path.startswith(API_PREFIX)


def bearer() -> str:
    """The bearer token of this request, or ""."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def form_secret() -> str:
    """The cookie that the form token of this request must belong to, "" for none."""
    return request.cookies.get(COOKIE, "") or request.cookies.get(BEFORE_COOKIE, "")


def authenticate(declared: Declaration) -> Account:
    """The account of this request's session when its state counts for the view, else NOBODY; sets `g.session`.

    A cookie never opens the API and a bearer token never opens a page.
    """
    site = current_site()
    kind, token = (sessions.SPACE, bearer()) if is_api() else (sessions.STAFF, request.cookies.get(COOKIE, ""))
    g.session = sessions.find(site.store, site.charter, token, kind, touch=declared.touch)
    if g.session is None or g.session.state not in declared.states:
        return NOBODY
    account = accounts.load(site.store, g.session.handle)
    return account if account is not None else NOBODY


def set_cookie(response: Response, token: str) -> None:
    """Give the browser its session: host-only, secure, unreadable to scripts, never sent from another site."""
    response.set_cookie(COOKIE, token, secure=True, httponly=True, samesite="Strict", path="/")
    response.delete_cookie(BEFORE_COOKIE, secure=True, httponly=True, samesite="Strict", path="/")


def drop_cookie(response: Response) -> None:
    """Take the session cookie back."""
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Strict", path="/")
