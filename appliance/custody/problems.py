"""What is not in order about custody, each with one thing to do.

Owns: these sentences, for `wardwell custody status` and `wardwell doctor`. Must never see: a card.
"""

from __future__ import annotations

from collections.abc import Mapping

from appliance.custody import public_record
from appliance.custody.public_record import GROUP_NAMES, Places, PublicRecord
from appliance.custody.serve import Request, ask
from appliance.errors import WardwellError


def live(places: Places) -> dict[str, object]:
    """What custody's process answers; `silent` and `fix` when it does not."""
    try:
        return ask(places, Request("status"))
    except WardwellError as error:
        return {"silent": error.message.rstrip("."), "fix": error.fix}


def list_problems(record: PublicRecord, status: Mapping[str, object]) -> list[tuple[str, str]]:
    """Each fault in words, and its fix; `answer` is what `live` gave."""
    problems = [
        (
            f"{GROUP_NAMES[name]}: fewer than {public_record.LEAST_HOLDERS} holders can be called",
            "Have cards made for more holders of that side: `wardwell custody rotate`.",
        )
        for name in public_record.too_few_holders(record)
    ]
    if record.state != "held":
        problems.append(("the ceremony was interrupted", "Go on with it: `wardwell custody ceremony`."))
    if record.next is not None:
        problems.append(
            ("a change of the root secret was interrupted", "Go on with it: `wardwell custody rotate --new-root`.")
        )
    if status.get("problem"):
        fix = str(status.get("fix") or "Read `wardwell logs custody`, mend what it names, then unseal it again.")
        problems.append((f"the last opening failed: {status['problem']}", fix))
    if "silent" in status:
        problems.append((str(status["silent"]), str(status["fix"]) or "Read `wardwell logs custody`."))
    return problems
