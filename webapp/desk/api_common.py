"""What every route of the private space's API shares: JSON in and out, CORS for one origin, errors as objects.

Owns: reading a typed body, answering, the preflight. Must never see: a cookie; the API knows bearer tokens only.
"""

from __future__ import annotations

import base64
from typing import Any, TypeVar

import msgspec
from flask import Flask, Response, make_response, request
from werkzeug.exceptions import Forbidden

from appliance.account import Account
from appliance.errors import WardwellError
from webapp.desk import who

T = TypeVar("T")

_METHODS = "GET, POST, PUT"
_HEADERS = "Authorization, Content-Type"
_REMEMBER_SECONDS = "600"


class BadBody(WardwellError):
    """The body is not what this route takes."""


def body(kind: type[T]) -> T:
    """The request's JSON body as `kind`. Raises BadBody, which never repeats what was sent."""
    try:
        return msgspec.json.decode(request.get_data(), type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise BadBody("The request was not understood.", "Reload the page.") from None


def answer(value: Any, status: int = 200) -> Response:
    """A JSON answer; bytes become base64."""
    response = make_response(msgspec.json.encode(value), status)
    response.headers["Content-Type"] = "application/json"
    return response


def base64_of(value: bytes | None) -> str | None:
    """Base64 (standard alphabet, padded), None for None."""
    return None if value is None else base64.b64encode(value).decode()


def handle_of(account: Account) -> str:
    """The handle of a signed-in account. Raises Forbidden for nobody."""
    if not account.handle:
        raise Forbidden
    return account.handle


def install_cors(app: Flask, origin: str) -> None:
    """Let exactly `origin` call the API, without credentials; answer its preflights before anything else is asked."""

    @app.before_request
    def _preflight() -> Response | None:
        if not who.is_api():
            return None
        asking = request.headers.get("Origin")
        if asking is not None and asking != origin:
            raise Forbidden
        if request.method == "OPTIONS":
            return make_response("", 204)
        return None

    @app.after_request
    def _allow(response: Response) -> Response:
        if who.is_api():
            response.headers["Vary"] = "Origin"
            if request.headers.get("Origin") == origin:
                response.headers["Access-Control-Allow-Origin"] = origin
                if request.method == "OPTIONS":
                    response.headers["Access-Control-Allow-Methods"] = _METHODS
                    response.headers["Access-Control-Allow-Headers"] = _HEADERS
                    response.headers["Access-Control-Max-Age"] = _REMEMBER_SECONDS
        return response
