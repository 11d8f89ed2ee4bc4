"""The headers that every answer carries, and the one host that is answered at all.

Owns: Content-Security-Policy and its companions. Must never see: a body.
"""

from __future__ import annotations

from flask import Flask, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Strict-Transport-Security": "max-age=63072000",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
    "Cache-Control": "no-store",
}


class WrongHost(HTTPException):
    """421: this application answers for one host name only."""

    code = 421
    description = "This address is not served here."


def install_headers(app: Flask, host: str) -> None:
    """Answer only for `host` (name and port as the browser writes them) and set HEADERS on every answer.

    A view may widen `Cross-Origin-Resource-Policy` or set its own `Cache-Control`; nothing may drop a header.
    """

    @app.before_request
    def _only_our_host() -> None:
        # Compared whole, port included: cookies ignore ports, so another port's site is another site.
        if request.headers.get("Host", "") != host:
            raise WrongHost

    @app.after_request
    def _headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.pop("Server", None)
        return response
