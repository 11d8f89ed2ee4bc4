"""Blind tickets for the sealed post: the public keys, and what one session may have signed, once.

Owns: `/api/ticket-keys`, `/api/tickets`. Must never see: a ticket; what is signed here is blinded.
"""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, g

from appliance.desk import tickets
from webapp.common.guard import discloses
from webapp.common.site import current_site
from webapp.desk.api_common import answer, body

blueprint = Blueprint("api_tickets", __name__, url_prefix="/api")


class Draw(msgspec.Struct, forbid_unknown_fields=True):
    purpose: str
    period: str
    blinded: list[bytes]


@blueprint.get("/ticket-keys")
@discloses("vault", "own")
def ticket_keys() -> Response:
    return answer({"keys": tickets.keys(current_site().store), "epoch": {}})


@blueprint.post("/tickets")
@discloses("vault", "own")
def draw() -> Response:
    asked = body(Draw)
    signed = tickets.sign(current_site().store, g.session.id, asked.purpose, asked.period, asked.blinded)
    return answer({"signatures": signed})
