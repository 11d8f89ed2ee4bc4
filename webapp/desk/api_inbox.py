"""What waits for one officer: sealed exposure, the own access log with its proofs, releases.

Owns: `/api/deliveries`, `/api/deliveries/taken`, `/api/entries`, `/api/releases`. Must never see: another person's
rows; each route works on the session's own handle and takes no other.
"""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, g, request

from appliance.desk import inbox, releases, vault, versions
from webapp.common.guard import discloses
from webapp.common.site import current_site
from webapp.desk.api_common import BadBody, answer, base64_of, body, handle_of

blueprint = Blueprint("api_inbox", __name__, url_prefix="/api")


class Taken(msgspec.Struct, forbid_unknown_fields=True):
    ids: list[str]


# Deliveries ride under "vault": clinicians' browsers ask for them by the same code path and get none.
@blueprint.get("/deliveries")
@discloses("vault", "own")
def deliveries() -> Response:
    waiting = inbox.deliveries(current_site().store, handle_of(g.account))
    return answer({"deliveries": [{"id": w.id, "kind": w.kind, "cycle": w.cycle, "sealed": w.sealed} for w in waiting]})


@blueprint.post("/deliveries/taken")
@discloses("vault", "own")
def taken() -> Response:
    inbox.taken(current_site().store, handle_of(g.account), body(Taken).ids)
    return answer({})


def _number(name: str) -> int:
    value = request.args.get(name, "0")
    if not value.isascii() or not value.isdigit() or len(value) > 15:
        raise BadBody("That is not a sequence number.", "Reload the page.")
    return int(value)


@blueprint.get("/entries")
@discloses("access_log", "own")
def entries() -> Response:
    after, leaf = _number("after"), _number("leaf")
    store, handle = current_site().store, handle_of(g.account)
    rows = inbox.entries(store, handle, after)
    return answer(
        {
            "entries": [
                {
                    "sequence": row.sequence,
                    "leaf_index": row.leaf_index,
                    "provisional": row.provisional,
                    "sealed": row.sealed,
                }
                for row in rows
            ],
            "provisional_key": base64_of(inbox.provisional_key(store, handle)),
            "head": inbox.head(store, handle),
            "mailbox_leaf_index": vault.mailbox_leaf(store, handle),
            # `leaf` counts from 1, so that 0 stands for none.
            "versions": versions.proofs(store, handle, leaf - 1),
        }
    )


@blueprint.get("/releases")
@discloses("release", "inform")
def published() -> Response:
    with current_site().store.read() as session:
        rows = [
            {"period": row.period, "release": row.body, "leaf_index": row.leaf_index}
            for row in releases.all_releases(session)
        ]
    return answer({"releases": rows})
