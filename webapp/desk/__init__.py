"""Desk's web application: staff pages rendered here, and the API of the officer's private space.

Owns: `create_app`, the list of blueprints, the template environment, error pages. Must never see: anything that a
view was not declared to disclose; an application with an undeclared route does not start.
"""

from __future__ import annotations

import importlib
import mimetypes
import traceback
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from flask import Flask, g, jsonify, redirect, render_template, request, send_from_directory
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from appliance import disk, logs
from appliance.account import NOBODY
from appliance.charter import Charter
from appliance.desk import slips, vault, vouching
from appliance.desk.sign_in import sessions
from appliance.desk.sign_in.steps import SignInRefused
from appliance.errors import WardwellError
from appliance.settings import Home
from appliance.spool.append import LedgerDown
from webapp.common.csrf import WrongForm, install_csrf
from webapp.common.guard import check_declared, discloses, install_guard
from webapp.common.headers import install_headers
from webapp.common.site import Site, install_site
from webapp.desk import who
from webapp.desk.api_common import install_cors

# Each module exports `blueprint`; a page that is not here does not exist.
BLUEPRINTS: tuple[str, ...] = (
    "webapp.desk.public",
    "webapp.desk.coordinator",
    "webapp.desk.corrections",
    "webapp.desk.command",
    "webapp.desk.trustee",
    "webapp.desk.auditor",
    "webapp.desk.admin",
    "webapp.desk.cad",
    "webapp.desk.roles",
    "webapp.desk.holds",
    "webapp.desk.signin",
    "webapp.desk.api_signin",
    "webapp.desk.api_vault",
    "webapp.desk.api_leave",
    "webapp.desk.api_inbox",
    "webapp.desk.api_tickets",
)

# What is also taken when only the disk's reserve is left: signing in and out, reading, drawing tickets, locking, a
# vault that replaces itself, and leaving.
ON_RESERVE = frozenset(
    {"signin", "api_signin", "api_inbox", "api_tickets", "api_vault.save", "api_vault.save_wraps", "api_leave"}
)

_log = structlog.get_logger("desk")

DIST = Path(__file__).parent / "dist"
LARGEST_REQUEST_BYTES = 24 * 1024 * 1024  # a vault of forty years, in base64

PROBLEMS = {
    400: ("That request could not be read", "Go back, reload the page and try again."),
    401: ("Sign in first", "Sign in and open the page again."),
    403: ("You cannot see this page", "The charter says who can. If you should be able to, ask the officers' trustee."),
    404: ("There is no such page", "Check the address, or go back to your first page."),
    405: ("That is not possible here", "Go back to your first page."),
    409: ("Somebody changed this at the same time", "Reload the page and look at it again."),
    413: ("That was too large", "Send less."),
    421: ("This address is not served here", "Use the address that your agency published."),
    429: ("That was too often", "Wait a little and try again."),
    503: ("Nothing can be shown", "Ask the administrator to look at the status page."),
}


_STATUS: dict[type[WardwellError], tuple[int, str]] = {
    LedgerDown: (503, "ledger_down"),
    disk.DiskFull: (507, "disk_full"),
    slips.WrongSlip: (403, "slip"),
    vouching.NotVouched: (403, "not_vouched"),
    vault.VaultExists: (409, "exists"),
    vault.WrongSize: (400, "size"),
}


class DeskApplication(Flask):
    """Flask, except that a failure is logged by its kind and place: its text may carry what somebody typed."""

    def log_exception(self, exc_info: Any) -> None:
        """Log where it failed and with which kind of error; never the error's own words."""
        kind, error, trace = exc_info
        last = traceback.extract_tb(trace)[-1] if trace is not None else None
        place = f"{Path(last.filename).name}:{last.lineno}" if last is not None else ""
        endpoint = request.endpoint or ""
        _log.error("request_failed", kind=getattr(kind, "__name__", ""), place=place, endpoint=endpoint)
        if error is not None:
            _log.debug("request_failed_at", places=logs.places(error))


def create_app(home: Home | None = None) -> Flask:
    """The desk application for `home` (default: `Home.find()`).

    Raises WardwellError when settings or charter are not valid, or a route does not declare what it discloses.
    """
    app = DeskApplication(__name__, static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_REQUEST_BYTES,
        MAX_FORM_PARTS=200,
        TRAP_HTTP_EXCEPTIONS=False,
        PROPAGATE_EXCEPTIONS=False,
    )
    site = install_site(app, home or Home.find(), "desk")
    install_headers(app, site.settings.hosts.desk)
    install_cors(app, f"https://{site.settings.hosts.space}")
    _install_templates(app, site)
    install_guard(app, who.authenticate)
    install_csrf(app, f"https://{site.settings.hosts.desk}", who.form_secret, who.is_api)
    _install_reserve(app, site)
    _install_errors(app)
    app.add_url_rule("/static/<path:filename>", "static", _static)
    for name in BLUEPRINTS:
        app.register_blueprint(importlib.import_module(name).blueprint)
    check_declared(app, site.charter)
    return app


@discloses("charter", "inform")
def _static(filename: str) -> Response:
    # nginx serves these itself; this route keeps the application whole without it.
    response = send_from_directory(DIST, filename, mimetype=mimetypes.guess_type(filename)[0])
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def visibility(charter: Charter, category: str) -> dict[str, Any]:
    """Who can see `category`, for a page: `{category, title, label, roles}`, from the object that enforces it."""
    return {
        "category": category,
        "title": charter.categories[category].title,
        "label": charter.label(category),
        "roles": [charter.roles[role] for role in charter.roles_that_see(category)],
    }


def _install_templates(app: Flask, site: Site) -> None:
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.jinja_loader = ChoiceLoader(
        [
            PackageLoader("webapp.desk"),
            PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
        ]
    )
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.globals["visibility"] = lambda category: visibility(site.charter, category)

    @app.context_processor
    def _page() -> dict[str, Any]:
        idle, warning = sessions.seconds(site.charter)
        return {
            "account": g.get("account", NOBODY),
            "site": site,
            "charter": site.charter,
            "settings": site.settings,
            "idle_seconds": idle,
            "warning_seconds": warning,
            "space_url": f"https://{site.settings.hosts.space}/",
        }


def problem(status: int, title: str, fix: str, code: str = "") -> Any:
    """One page, or one JSON object for the API, that says what is wrong and what to do."""
    if who.is_api():
        return jsonify(error={"code": code or str(status), "message": title, "fix": fix}), status
    return render_template("signin/problem.html", title=title, fix=fix), status


def _install_reserve(app: Flask, site: Site) -> None:
    @app.before_request
    def _room() -> None:
        if request.method in ("POST", "PUT") and not ON_RESERVE & {request.blueprint, request.endpoint}:
            # The folder of the compartment: in its sandbox the one above is another file system.
            disk.require_room(site.home.folder("desk"), "nothing was stored")


def _install_errors(app: Flask) -> None:
    app.permanent_session_lifetime = timedelta(0)  # Flask's own cookie session is never used

    @app.errorhandler(WardwellError)
    def _wardwell(error: WardwellError) -> Any:
        if isinstance(error, SignInRefused):
            return problem(error.status, error.message, error.fix, error.code)
        status, code = next((s for kind, s in _STATUS.items() if isinstance(error, kind)), (400, "refused"))
        return problem(status, error.message, error.fix, code)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Any:
        status = error.code or 500
        if isinstance(error, WrongForm):
            return problem(403, "This form is too old", "Reload the page and send it again.", "wrong_form")
        if status in (301, 302, 303, 307, 308):
            return error
        if status == 403 and not g.get("account", NOBODY).id:
            # Not signed in: refused is refused, and the way on is the sign-in page.
            if who.is_api():
                return problem(401, *PROBLEMS[401], "signed_out")
            return redirect("/sign-in", 303)
        title, fix = PROBLEMS.get(status, ("Something went wrong", "Try again; if it stays, tell the administrator."))
        return problem(status, title, fix)

    @app.errorhandler(500)
    def _failed(_error: Exception) -> Any:
        return problem(500, "Something went wrong", "Try again; if it stays, tell the administrator.")
