"""The words that staff pages use for what the database keeps as codes.

Owns: titles of incident types, steps, ways, statuses, and the notes that a page may show after an action. Types not
listed here are shown by their own name, in words. Must never see: a person.
"""

from __future__ import annotations

from appliance.desk.follow_up.steps import StepName
from appliance.rules.exposure_model import load_model

# Every type of the taxonomy that can stand at an incident, and those that a coordinator may open by hand.
TITLES: dict[str, str] = {kind.id: kind.title for kind in load_model().types}
KINDS: dict[str, str] = {kind.id: kind.title for kind in load_model().types if kind.critical}

SAFETY = {
    "relief": "Relief from duty offered",
    "medical_check": "Medical check offered",
    "equipment": "Equipment checked or replaced",
    "return_check": "Check before return to duty",
}

HOW = {"to_all": "One message to everyone", "in_person": "In person", "phone": "By phone"}

# status -> (word, kind of tag)
STATUS = {
    "new": ("Not started", "new"),
    "overdue": ("Overdue", "late"),
    "soon": ("Due soon", "soon"),
    "due": ("Due later", ""),
    "going": ("In progress", ""),
    "not_reached": ("Not all reached", "soon"),
    "offered": ("Offered to all", "done"),
    "closed": ("Closed", "done"),
}

ROLES_AT_INCIDENT = {
    "primary": "Primary unit",
    "responding": "Responded",
    "dispatch": "Dispatcher",
    "added": "Added by hand",
}

# Why the duty-of-care record is wrong, as people may say it.
GROUNDS = {
    "not_there": "The person is listed but was not there",
    "not_listed": "The person was there but is not listed",
    "other_person": "Somebody else was there in this person's place",
    "wrong_call": "The call is wrong: its kind or its time",
}

DECISIONS = {None: ("Waiting", ""), "made": ("Corrected", "done"), "kept": ("Kept as it is", "")}

NOTES = {
    "asked": "Sent to the wellness coordinator. What is decided will stand here.",
    "made": "Decided: corrected.",
    "kept": "Decided: the record stays as it is.",
    "offered": "Recorded: offered to all.",
    "added": "Added. The same steps are open as for everyone else.",
    "unit": "Recorded: that unit was not a person.",
    "closed": "Closed for everyone alike.",
    "opened": "Opened. Now add the people who were there.",
    "proposed": "Proposed. It counts once a second person countersigns it.",
    "countersigned": "Countersigned. It counts from now on.",
    "hold-proposed": "Proposed. It keeps nothing until a second person countersigns it.",
    "hold-countersigned": "Countersigned. It counts from now on, and the person can read it.",
    "hold-reviewed": "Recorded: reviewed today.",
    "requested": "Requested. The signed report will be in the list within a minute or two.",
}


def kind_title(kind: str) -> str:
    """The title of an incident type."""
    return TITLES.get(kind) or kind.replace("_", " ").replace("-", " ").capitalize()


def step_title(step: StepName) -> str:
    """The title of a step: "Contact within 72 hours", "Medical check offered"."""
    if step.name != "contact":
        return SAFETY[step.name]
    if step.hours <= 72:
        return f"Contact within {step.hours} hours"
    return f"Contact within {step.hours // 24} days"
