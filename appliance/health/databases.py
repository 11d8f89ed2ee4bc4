"""Each database opens with its key, and its schema is one that this version knows."""

from __future__ import annotations

from appliance.database import revisions, schema_of
from appliance.errors import WardwellError
from appliance.health.check import Check, fine, wrong
from appliance.settings import COMPARTMENTS, Home


def check(home: Home) -> list[Check]:
    return [_database(home, compartment) for compartment in COMPARTMENTS]


def _database(home: Home, compartment: str) -> Check:
    name = f"database {compartment}"
    if not home.database(compartment).exists():
        return wrong(name, "it is not there", "Run `wardwell migrate`.")
    try:
        revision = schema_of(home, compartment)
    except WardwellError as error:
        return wrong(name, error.message, error.fix)
    if revision is None:
        return wrong(name, "it has no schema", "Run `wardwell migrate`.")
    if revision not in revisions(compartment):
        fix = "Run the version that made it: `wardwell update status`."
        return wrong(name, f"its schema {revision} is of a later version", fix)
    return fine(name, f"opens, revision {revision}")
