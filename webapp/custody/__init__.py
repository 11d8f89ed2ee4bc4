"""The page that is shown while the appliance is sealed: whom to call, how far it is, and a form for one card.

Owns: these two routes. Must never see: more than the one card that is being typed, which it passes on and forgets; a
key, a database, who asks. It runs as an account of its own, without a network, and answers only while desk does not.
No cookie, no script; every page says 503, since nothing of what was asked for can be shown yet.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import Flask, render_template, request
from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from appliance.custody import public_record
from appliance.custody.public_record import GROUP_NAMES, Places
from appliance.custody.serve import Request, ask
from appliance.errors import WardwellError
from appliance.settings import Home
from webapp.common.headers import install_headers

# The same built style sheet as desk's pages; in production nginx serves it and this application is not asked.
DIST = Path(__file__).resolve().parents[1] / "desk" / "dist"
BODY_BYTES = 4096
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


def create_app(home: Home | None = None) -> Flask:
    """The sealed page of `home` (default: `Home.find()`). Raises WardwellError when the settings are not valid."""
    home = home or Home.find()
    settings, places = home.settings(), Places.of(home)
    app = Flask(__name__, static_folder=str(DIST), static_url_path="/static")
    app.config.update(MAX_CONTENT_LENGTH=BODY_BYTES, PROPAGATE_EXCEPTIONS=False)
    app.logger.disabled = True
    app.jinja_env.globals.update(
        agency=settings.agency,
        space=f"https://{settings.hosts.space}",
        asset=lambda name: f"/static/{name}?v={_versions().get(name, '0')}",
        group_names=GROUP_NAMES,
    )
    install_headers(app, settings.hosts.desk)
    origin = f"https://{settings.hosts.desk}"

    @app.before_request
    def _own_form_only() -> None:
        if request.method in ("GET", "HEAD"):
            return
        # Our own Referrer-Policy makes browsers write "null"; then only one that says same-origin itself is believed.
        stated, site = request.headers.get("Origin", origin), request.headers.get("Sec-Fetch-Site")
        believed = stated == origin or (stated == "null" and site is not None)
        if not believed or site not in (None, "same-origin"):
            raise Forbidden

    @app.after_request
    def _policy(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    @app.get("/", defaults={"path": ""})
    @app.get("/<path:path>")
    def sealed(path: str) -> Response:
        return _page(places, 503, taken=request.args.get("taken") == "1")

    @app.post("/sealed/card")
    def card() -> Response:
        try:
            reply = ask(places, Request("offer", request.form.get("card", "")))
        except WardwellError as error:
            return _page(places, 503, problem=error)
        if reply["ok"]:
            return redirect("/sealed?taken=1", 303)
        status = 429 if reply.get("too_many") else 422
        return _page(places, status, problem=WardwellError(reply["message"], reply["fix"]))

    app.register_error_handler(HTTPException, _refusal)
    app.register_error_handler(Exception, lambda _: _plain(500))
    return app


def _page(places: Places, status: int, *, taken: bool = False, problem: WardwellError | None = None) -> Response:
    """The one page. What was typed is never sent back."""
    record, answer = None, _silent()
    try:
        record = public_record.load(places)
        answer = ask(places, Request("status"))
    except WardwellError as error:
        if places.unsealed.exists():
            # Custody's process ends once it has opened, and begins afresh; the compartments are starting.
            answer = {**answer, "state": "unsealed"}
        else:
            problem = problem or error
    html = render_template("sealed.html", record=record, answer=answer, taken=taken, problem=problem)
    response = Response(html, status=status, mimetype="text/html")
    response.headers["Retry-After"] = "60"
    return response


def _silent() -> dict[str, Any]:
    return {"state": "sealed", "groups": [], "minutes_left": 0, "problem": "", "fix": ""}


def _versions() -> dict[str, str]:
    try:
        manifest: dict[str, str] = json.loads((DIST / "manifest.json").read_text())
    except (OSError, ValueError):
        return {}  # without its style the page still says everything
    return manifest


def _refusal(error: HTTPException) -> Response:
    return _plain(error.code or 500)


def _plain(status: int) -> Response:
    return Response(f"{status}\n", status=status, mimetype="text/plain")
