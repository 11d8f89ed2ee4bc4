"""A card as people hold it: plain text for a terminal or a printer, and a page for a PDF.

Owns: the words around a card's words. Must never see: a second card; one is laid out at a time.
"""

from __future__ import annotations

import html
import stat
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.custody.public_record import GROUP_NAMES
from appliance.custody.shares import Card
from appliance.errors import WardwellError

_COLUMNS = 3
_RULES = (
    "Keep it in a sealed envelope, apart from the other cards.",
    "Type it only at the appliance's console or on its page while it is sealed. Never photograph or copy it.",
    "If it may be lost or seen, tell the other side the same day: the cards are then made anew.",
)


@dataclass(frozen=True)
class Labels:
    """What stands on a card beside its words: agency, holder, how many cards there are, the day (ISO) it was made."""

    agency: str
    holder: str
    cards: int
    made_on: str


def purpose(card: Card, cards: int) -> str:
    """What this card is good for, in one sentence."""
    if card.threshold == 1:
        return "This card, together with the other side's cards, opens the appliance. Other holders have copies of it."
    return f"Any {card.threshold} of {cards} such cards, together with the other side's, open the appliance."


def as_text(card: Card, labels: Labels) -> str:
    """The card as plain text, at most 78 characters wide."""
    words = card.words.split()
    rows = -(-len(words) // _COLUMNS)
    lines = [
        "WARDWELL CUSTODY CARD",
        labels.agency,
        f"{GROUP_NAMES[card.group]}, card {card.number} of {labels.cards}",
        f"Set {card.set_number}, made {labels.made_on}",
        f"Holder: {labels.holder}",
        "",
    ]
    for row in range(rows):
        places = range(row, len(words), rows)
        lines.append("".join(f"{place + 1:>4}. {words[place]:<14}" for place in places).rstrip())
    lines += ["", purpose(card, labels.cards), *_RULES]
    return "\n".join(_wrapped(lines)) + "\n"


def as_html(card: Card, labels: Labels) -> str:
    """The card as one page; no script, no outside file."""
    items = "".join(f"<li>{html.escape(word)}</li>" for word in card.words.split())
    rules = "".join(f"<p>{html.escape(rule)}</p>" for rule in (purpose(card, labels.cards), *_RULES))
    head = f"{GROUP_NAMES[card.group]}, card {card.number} of {labels.cards}"
    return f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Wardwell custody card</title><style>
@font-face {{ font-family: Public; src: url("public-sans-regular.woff2"); }}
@font-face {{ font-family: Public; src: url("public-sans-bold.woff2"); font-weight: bold; }}
@page {{ size: Letter; margin: 2cm; }}
body {{ font: 12pt/1.4 Public; }} h1 {{ font-size: 20pt; margin: 0; }} ol {{ columns: 3; font-size: 15pt; margin: 1cm 0;
padding-left: 1.2cm; border: 1pt solid; padding-top: .4cm; padding-bottom: .4cm; }}</style></head><body>
<h1>Wardwell custody card</h1><p>{html.escape(labels.agency)}<br><b>{head}</b><br>Set {card.set_number}, made
{html.escape(labels.made_on)}<br>Holder: {html.escape(labels.holder)}</p><ol>{items}</ol>{rules}</body></html>"""


class Paper:
    """Where cards are put besides the screen: nowhere, a printer's device, or a folder for one PDF at a time."""

    def __init__(self, target: Path | None) -> None:
        self._target = target
        if target is not None and not target.is_dir() and not self._is_device:
            raise WardwellError(
                f"{target} is neither a printer device nor a folder.", "Name /dev/usb/lp0, or a folder in memory."
            )
        if target is not None and target.is_dir() and not _in_memory(target):
            raise WardwellError(
                f"{target} is on a disk, where a card's words would stay.", "Name a folder in memory, such as /dev/shm."
            )

    @property
    def _is_device(self) -> bool:
        return self._target is not None and self._target.exists() and stat.S_ISCHR(self._target.stat().st_mode)

    @contextmanager
    def put(self, card: Card, labels: Labels) -> Iterator[str]:
        """Have `card` on paper or in its file meanwhile; gives the sentence that says where. Afterwards it is gone."""
        if self._target is None:
            yield "Write these words down by hand, on paper."
            return
        if self._is_device:
            self._target.write_bytes(as_text(card, labels).encode() + b"\f")
            yield f"It was printed on {self._target}."
            return
        path = self._target / "wardwell-card.pdf"
        path.touch(0o600)
        try:
            path.write_bytes(_pdf(card, labels))
            yield f"Print {path} now; it is deleted when you go on."
        finally:
            path.unlink(missing_ok=True)


def _pdf(card: Card, labels: Labels) -> bytes:
    from appliance.press.pages import FONTS
    from appliance.press.pdf import make_pdf

    return make_pdf(as_html(card, labels), FONTS)


def _in_memory(folder: Path) -> bool:
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    above = [(place, kind) for place, kind in mounts if folder.resolve().is_relative_to(place)]
    return bool(above) and max(above, key=lambda mount: len(mount[0]))[1] in ("tmpfs", "ramfs")


def _wrapped(lines: list[str]) -> list[str]:
    return [part for line in lines for part in (textwrap.wrap(line, 78) if len(line) > 78 else [line])]
