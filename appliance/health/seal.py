"""Whether the data volume is open, and by whom it can be opened."""

from __future__ import annotations

from appliance.custody import problems
from appliance.custody.public_record import Places, load
from appliance.errors import WardwellError
from appliance.health.check import Check, fine, wrong
from appliance.settings import UNSEALED, Home


def check(home: Home) -> list[Check]:
    settings = home.settings()
    checks = []
    if home.production and not UNSEALED.exists():
        fix = "Have two sides unseal it: `wardwell custody unseal`; desk's page names whom to call."
        checks.append(wrong("sealed", "the data volume is closed; crisis pages are served", fix))
    elif home.production:
        checks.append(fine("sealed", "unsealed"))
    if settings.custody == "file" and not settings.demonstration:
        fix = "Hold the ceremony: `wardwell custody ceremony`."
        checks.append(wrong("custody", "keys are kept in files, which is for demonstrations only", fix))
    elif home.production:
        checks += _custody(home, settings.disk.device)
    return checks


def _custody(home: Home, device: str) -> list[Check]:
    places = Places.of(home)
    try:
        faults = problems.list_problems(load(places), problems.live(places))
    except WardwellError as error:
        return [wrong("custody", error.message, error.fix)]
    if faults:
        return [wrong("custody", says, fix) for says, fix in faults]
    volume = f"encrypted on {device}" if device else "a plain folder, not encrypted here"
    return [fine("custody", f"two groups of cards; the data volume is {volume}")]
