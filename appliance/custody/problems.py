"""What is not in order about custody, each with one thing to do.

Owns: these sentences, for `wardwell custody status` and `wardwell doctor`. Must never see: a card.
"""

from __future__ import annotations

from collections.abc import Mapping

from appliance.custody import public_record
from appliance.custody.public_record import GROUP_NAMES, Facts, Places
from appliance.custody.serve import Request, ask
from appliance.errors import WardwellError


def live(places: Places) -> dict[str, object]:
    """What custody's process answers; `silent` and `fix` when it does not."""
    try:
        return ask(places, Request("status"))
    except WardwellError as error:
        return {"silent": error.message.rstrip("."), "fix": error.fix}


def found(facts: Facts, answer: Mapping[str, object]) -> list[tuple[str, str]]:
    """Each fault in words, and its fix; `answer` is what `live` gave."""
    problems = [
        (
            f"{GROUP_NAMES[name]}: fewer than {public_record.LEAST_HOLDERS} holders can be called",
            "Have cards made for more holders of that side: `wardwell custody rotate`.",
        )
        for name in public_record.too_few_holders(facts)
    ]
    if facts.state != "held":
        problems.append(("the ceremony was interrupted", "Go on with it: `wardwell custody ceremony`."))
    if facts.next is not None:
        problems.append(
            ("a change of the root secret was interrupted", "Go on with it: `wardwell custody rotate --new-root`.")
        )
    if answer.get("problem"):
        fix = str(answer.get("fix") or "Read `wardwell logs custody`, mend what it names, then unseal it again.")
        problems.append((f"the last opening failed: {answer['problem']}", fix))
    if "silent" in answer:
        problems.append((str(answer["silent"]), str(answer["fix"]) or "Read `wardwell logs custody`."))
    return problems
