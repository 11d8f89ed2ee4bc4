"""Pages that anyone may see: the first page, the charter, the log's checkpoints, and the way out.

Owns: these routes; registering its blueprint also dresses the application (`webapp.desk.skin`). Must never see: a
person other than the one at the keyboard.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, g, make_response, redirect, render_template, url_for
from flask.blueprints import BlueprintSetupState

from appliance import clock
from appliance.crypto import sshsig
from appliance.crypto.notes import Checkpoint, Verifier, cosigned_at, open_note
from appliance.desk import sessions
from appliance.errors import WardwellError
from appliance.settings import Home
from webapp.common.guard import discloses
from webapp.common.site import current_site
from webapp.desk import skin, who

blueprint = Blueprint("public", __name__)

CHARTER_NAMESPACE = "wardwell-charter"
SIGNERS = {"agency": "The agency", "trustee": "The officers' trustee"}


@blueprint.record_once
def _dress(state: BlueprintSetupState) -> None:
    skin.register(state.app)  # type: ignore[arg-type]


@blueprint.get("/")
@discloses("charter", "inform")
def home() -> Any:
    """To one's own first page; who has none here (an officer) finds the private space."""
    if not g.account.id:
        return redirect("/sign-in", 303)
    pages = skin.navigation(g.account.roles)
    if pages:
        return redirect(url_for(pages[0][0]), 303)
    return render_template("home.html")


@blueprint.get("/leave")
@discloses("charter", "inform")
def leave() -> Any:
    """End the session at once and show a page that says nothing about where one was."""
    if g.account.id:
        sessions.end(current_site().store, g.session.id)
    response = make_response(render_template("left.html"))
    who.drop_cookie(response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@dataclass(frozen=True)
class Signature:
    """One signature under the charter: whose, by which key, and whether it fits."""

    signer: str
    fingerprint: str
    problem: str


def charter_signatures(home: Home) -> list[Signature]:
    """Both signatures under the charter in force, checked now."""
    found = []
    for name, title in SIGNERS.items():
        fingerprint, problem = "", ""
        try:
            key = (home.public / f"{name}.pub").read_text()
            fingerprint = sshsig.fingerprint(key)
            signature = (home.public / f"charter.toml.{name}.sig").read_bytes()
            sshsig.verify(key, home.charter_file.read_bytes(), signature, CHARTER_NAMESPACE)
        except OSError:
            problem = "not signed"
        except WardwellError:
            problem = "the signature does not fit this charter"
        found.append(Signature(title, fingerprint, problem))
    return found


@blueprint.get("/charter/")
@discloses("charter", "inform")
def charter() -> str:
    """Who can see what, from the object that the guard asks."""
    site = current_site()
    return render_template("charter.html", signatures=charter_signatures(site.home))


@dataclass(frozen=True)
class LogState:
    """The log's head as the files for everyone show it. `problem` is empty when all of it fits."""

    origin: str
    size: int
    root: str
    witnessed: datetime | None
    witnessed_size: int
    problem: str


def log_state(home: Home, oldest: timedelta) -> LogState:
    """Check the newest checkpoint and the witness's cosignature, not older than `oldest`."""
    empty = LogState("", 0, "", None, 0, "There is no checkpoint yet.")
    folder, witness = home.public / "ledger", home.public / "witness"
    try:
        text = open_note((folder / "checkpoint").read_bytes(), Verifier.parse((folder / "vkey").read_text().strip()))
        head = Checkpoint.parse(text)
    except OSError:
        return empty
    except WardwellError as error:
        return LogState("", 0, "", None, 0, str(error))
    at, size, problem = None, 0, ""
    try:
        note = (witness / "checkpoint").read_bytes()
        at = cosigned_at(note, Verifier.parse((witness / "vkey").read_text().strip()))
        size = Checkpoint.parse(note.decode().split("\n\n")[0] + "\n").size
        if clock.now() - at > oldest:
            problem = "The witness has not signed a checkpoint for too long."
    except OSError:
        problem = "No witness has signed a checkpoint yet."
    except WardwellError as error:
        problem = str(error)
    return LogState(head.origin, head.size, head.root.hex(), at, size, problem)


@blueprint.get("/checkpoints/")
@discloses("checkpoint", "verify")
def checkpoints() -> str:
    """The log's newest checkpoint, and how to check it without this page."""
    site = current_site()
    oldest = timedelta(hours=site.charter.constants.cosignature_age_hours)
    return render_template("checkpoints.html", log=log_state(site.home, oldest))
