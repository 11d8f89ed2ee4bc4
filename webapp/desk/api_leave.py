"""Leaving the program, from the private space.

Owns: `/api/leave`. Must never see: another person's space; both routes work on the session's own handle and take no
other.
"""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, g

from appliance import clock
from appliance.desk import erasure
from appliance.desk.people import holds
from webapp.common.guard import discloses
from webapp.common.site import current_site
from webapp.desk.api_common import answer, body, handle_of

blueprint = Blueprint("api_leave", __name__, url_prefix="/api")


class Leave(msgspec.Struct, forbid_unknown_fields=True):
    word: str
    answer: bytes


@blueprint.get("/leave")
@discloses("vault", "own")
def before() -> Response:
    store, handle = current_site().store, handle_of(g.account)
    sealed = erasure.challenge(store, handle, g.session.id)
    held = [vars(hold) for hold in holds.told(store, handle)]
    return answer({"gone_by": erasure.gone_by(clock.now().date()), "challenge": sealed, "holds": held})


@blueprint.post("/leave")
@discloses("vault", "own")
def leave() -> Response:
    asked = body(Leave)
    store, handle = current_site().store, handle_of(g.account)
    return answer({"gone_by": erasure.erase(store, handle, g.session.id, asked.word, asked.answer)})
