"""The lines on the pages before sign-in: national ones that ship, and the agency's own.

Owns: reading and checking `resources.toml` (the agency's copy in the home, else the one that ships).
Must never see: anything about who opens these pages.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import msgspec

from appliance import clock
from appliance.errors import WardwellError
from appliance.settings import Home

SHIPPED = Path(__file__).parent / "resources.toml"


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to reach help. `call` and `text` are numbers as people write them; empty when there is none."""

    name: str
    about: str
    hours: str = ""
    call: str = ""
    text: str = ""
    text_word: str = ""
    name_es: str = ""
    about_es: str = ""
    text_word_es: str = ""

    @property
    def call_link(self) -> str:
        """The number for a `tel:` link: digits before any comma ("988, then press 1" gives "988")."""
        return _digits(self.call)

    @property
    def text_link(self) -> str:
        """The number for an `sms:` link."""
        return _digits(self.text)


class Resources(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `last_reviewed` is "" or an ISO date."""

    last_reviewed: str = ""
    review_every_days: int = 90
    crisis: list[Line] = []
    agency: list[Line] = []
    family: list[Line] = []
    resource: list[Line] = []

    @property
    def review(self) -> str:
        """What every page says of the review, in words."""
        if not self.last_reviewed:
            return "This agency has not reviewed this list yet."
        day = date.fromisoformat(self.last_reviewed)
        words = f"{day:%B} {day.day}, {day.year}"
        if clock.now().date() > day + timedelta(days=self.review_every_days):
            return f"Last reviewed by this agency on {words}. The next review is overdue."
        return f"Last reviewed by this agency on {words}."


def _digits(number: str) -> str:
    return re.sub(r"[^0-9+]", "", number.split(",")[0])


def load_resources(home: Home) -> Resources:
    """The lines to show. Raises WardwellError when the agency's file is wrong."""
    path = home.root / "resources.toml"
    if not path.exists():
        path = SHIPPED
    try:
        resources = msgspec.toml.decode(path.read_bytes(), type=Resources)
        if resources.last_reviewed:
            date.fromisoformat(resources.last_reviewed)
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError) as error:
        raise WardwellError(f"resources.toml is not valid: {error}.", "Correct that line.") from None
    if not any(line.call_link == "988" for line in resources.crisis):
        raise WardwellError(
            "resources.toml leaves out the 988 Lifeline.", "Copy it back from the file that ships; it stays first."
        )
    return resources
