"""The private space's vault: enrolment, reading, saving by compare-and-swap.

Owns: `/api/enrol`, `/api/vault`, `/api/vault/kept`, `/api/vault/wraps`, `/api/past`. Every byte of the vault is
opaque here. Must never see: another person's vault; each route works on the session's own handle and takes no other.
"""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, g
from werkzeug.exceptions import NotFound

from appliance.desk import vault, vouching
from webapp.common.guard import discloses
from webapp.common.site import current_site
from webapp.desk.api_common import answer, base64_of, body, handle_of

blueprint = Blueprint("api_vault", __name__, url_prefix="/api")


class Enrol(msgspec.Struct, forbid_unknown_fields=True):
    slip: str
    wraps: dict[str, str]
    mailbox_key: bytes
    blob: bytes
    replace: bool = False


class Save(msgspec.Struct, forbid_unknown_fields=True):
    expected_version: int
    blob: bytes
    keep: bool = False


class SaveWraps(msgspec.Struct, forbid_unknown_fields=True):
    expected_version: int
    blob: bytes
    wraps: dict[str, str]
    added: bool = False


class Past(msgspec.Struct, forbid_unknown_fields=True):
    codes: list[str]


def _conflict(newer: vault.Conflict) -> Response:
    error = {"code": "conflict", "message": "There is a newer version.", "fix": "Merge it and save again."}
    return answer({"error": error, "version": newer.version, "blob": base64_of(newer.blob)}, 409)


@blueprint.post("/enrol")
@discloses("vault", "own")
def enrol() -> Response:
    asked = body(Enrol)
    version, leaf_index = vault.enrol(
        current_site().store,
        g.account,
        asked.slip,
        asked.wraps,
        asked.mailbox_key,
        asked.blob,
        replace=asked.replace,
    )
    return answer({"version": version, "leaf_index": leaf_index})


@blueprint.post("/past")
@discloses("vault", "own")
def open_past() -> Response:
    """Two people's codes: what was before is sealed to a space that was started over."""
    vouching.open_history(current_site().store, g.account, body(Past).codes)
    return answer({})


@blueprint.get("/vault")
@discloses("vault", "own")
def load() -> Response:
    opened = vault.load(current_site().store, handle_of(g.account))
    if opened is None:
        raise NotFound
    return answer(
        {
            "version": opened.version,
            "blob": base64_of(opened.blob),
            "wraps": opened.wraps,
            "enrolled_on": opened.enrolled_on.isoformat(),
        }
    )


# All of them at once, so that nobody can tell which one was of use.
@blueprint.get("/vault/kept")
@discloses("vault", "own")
def kept() -> Response:
    rows = vault.kept(current_site().store, handle_of(g.account))
    return answer({"kept": [{"day": row.day, "version": row.version, "blob": row.blob} for row in rows]})


@blueprint.put("/vault")
@discloses("vault", "own")
def save() -> Response:
    asked = body(Save)
    try:
        version = vault.save(
            current_site().store, handle_of(g.account), asked.expected_version, asked.blob, keep=asked.keep
        )
    except vault.Conflict as newer:
        return _conflict(newer)
    return answer({"version": version})


@blueprint.put("/vault/wraps")
@discloses("vault", "own")
def save_wraps() -> Response:
    asked = body(SaveWraps)
    try:
        version = vault.save_with_wraps(
            current_site().store, g.account, asked.expected_version, asked.blob, asked.wraps, added=asked.added
        )
    except vault.Conflict as newer:
        return _conflict(newer)
    return answer({"version": version})
