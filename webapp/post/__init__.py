"""The anonymous application: it takes cells and says which epoch it is.

Owns: two routes. Must never see, and does not read: a cookie, a token, an address, a user agent. It writes no line
about any request. Every answer of one status has the same bytes.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, jsonify, request
from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.wrappers import Response

from appliance import clock
from appliance.post import arrivals, epochs
from appliance.post.memory import Memory
from appliance.post.tickets import TicketKeys, periods
from appliance.settings import Home
from webapp.common.guard import check_declared, discloses, install_guard
from webapp.common.headers import install_headers
from webapp.common.site import current_site, install_site

_KEYS, _MEMORY = "wardwell-ticket-keys", "wardwell-memory"


def create_app(home: Home | None = None) -> Flask:
    """The post application for `home` (default: `Home.find()`).

    Raises WardwellError when settings or charter are not valid, a route does not declare what it discloses, or there is
    no memory-backed folder for cells.
    """
    app = Flask(__name__, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=arrivals.BODY_BYTES, PROPAGATE_EXCEPTIONS=False)
    app.logger.disabled = True
    site = install_site(app, home or Home.find(), "post")
    app.extensions[_KEYS] = TicketKeys(site.home)
    app.extensions[_MEMORY] = Memory(site.home)
    space = f"https://{site.settings.hosts.space}"
    install_headers(app, site.settings.hosts.post)

    @app.before_request
    def _only_from_the_space() -> None:
        if request.headers.get("Origin", space) != space:
            raise Forbidden

    @app.after_request
    def _cors(response: Response) -> Response:
        response.headers["Access-Control-Allow-Origin"] = space
        response.headers["Vary"] = "Origin"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        return response

    install_guard(app)
    app.add_url_rule("/state", "state", _state)
    app.add_url_rule("/cells/<any(requests, replies):kind>", "cells", _cells, methods=["POST"])
    app.register_error_handler(HTTPException, _refusal)
    app.register_error_handler(Exception, _failure)
    check_declared(app, site.charter)
    return app


@discloses("cells", "anonymous")
def _state() -> Response:
    store = current_site().store
    response: Response = jsonify(
        epoch=epochs.current(store).epoch, periods=periods(clock.now()), opened_days=epochs.opened_days(store)
    )
    return response


@discloses("cells", "anonymous")
def _cells(kind: str) -> Response:
    site, extensions = current_site(), _extensions()
    try:
        arrivals.take(site.store, extensions[_MEMORY], extensions[_KEYS], kind, request.get_data(cache=False))
    except arrivals.WrongSize:
        return _plain(400)
    except arrivals.NoTicket:
        return _plain(403)
    return Response(status=204)


def _extensions() -> dict[str, Any]:
    return current_app.extensions


def _plain(status: int) -> Response:
    """A refusal that says its status and nothing else."""
    return Response(f"{status}\n", status=status, mimetype="text/plain")


def _refusal(error: HTTPException) -> Response:
    # A body that is too large is a wrong size like any other.
    return _plain(400 if error.code == 413 else error.code or 500)


def _failure(_error: Exception) -> Response:
    return _plain(500)
