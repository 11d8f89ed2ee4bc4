"""Forms are accepted from our own pages only.

Owns: the form token and its check. The token is HMAC-SHA256 of the session cookie's secret, so it needs no storage,
dies with the session and cannot be planted before sign-in. Must never see: what the form says.

Three things are asked of every unsafe request outside the API (which uses no cookie, so nothing rides along):
`Sec-Fetch-Site` same-origin where the browser sends it, `Origin` our own where sent, and the token.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from flask import Flask, g, request
from markupsafe import Markup
from werkzeug.exceptions import Forbidden

FIELD = "csrf_token"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def token_for(secret: str) -> str:
    """The form token (64 hex digits) that belongs to a cookie's secret."""
    return hmac.new(secret.encode(), b"wardwell/v1/form", hashlib.sha256).hexdigest()


class WrongForm(Forbidden):
    """403: the form did not come from our own page, or the page was too old."""


def install_csrf(app: Flask, origin: str, secret: Callable[[], str], exempt: Callable[[], bool]) -> None:
    """Check every unsafe request of `app` unless `exempt()`; `secret()` is the present cookie's value, "" for none.

    Templates get `csrf_field()` (a hidden input) and `csrf_token()`.
    """

    @app.before_request
    def _own_forms_only() -> None:
        if request.method in _SAFE_METHODS or exempt():
            return
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        stated = request.headers.get("Origin", origin)
        # Our own Referrer-Policy (no-referrer) makes browsers write "null" for our own forms; then only a browser that
        # says same-origin itself is believed.
        if stated == "null" and "Sec-Fetch-Site" in request.headers:
            stated = origin
        if site != "same-origin" or stated != origin:
            raise WrongForm
        held = secret()
        given = request.form.get(FIELD, "") or request.headers.get("X-CSRF-Token", "")
        if not held or not hmac.compare_digest(token_for(held).encode(), given.encode()):
            raise WrongForm

    def csrf_token() -> str:
        # A page that has just got a new cookie (sign-in's first page) puts its secret into g.
        return token_for(g.get("form_secret") or secret())

    def csrf_field() -> Markup:
        return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, csrf_token())

    app.jinja_env.globals.update(csrf_token=csrf_token, csrf_field=csrf_field)
