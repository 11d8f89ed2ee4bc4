"""Cards that were offered and wait for the others: in memory only, for a quarter of an hour each.

Owns: the offered cards, how long they are kept, and how many wrong ones are heard out. Must never see: a file or a log;
what is asked of it from outside is answered with counts per group and nothing more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from appliance.custody.public_record import PublicRecord
from appliance.custody.shares import GROUPS, Card, CardError, combine, read_card

KEEP_SECONDS = 15 * 60
WRONG_PER_MINUTE = 10


@dataclass(frozen=True)
class Progress:
    """How far one group is: `offered` of `needed` cards."""

    group: str
    offered: int
    needed: int


class TooMany(CardError):
    """Too many wrong cards within a minute; none is looked at until it is over."""


class Offers:
    """The offered cards of one set. Every method may be called from any thread. `now` gives seconds, monotonic."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._held: dict[tuple[str, int], tuple[float, Card]] = {}
        self._wrong: list[float] = []

    def offer(self, text: str, record: PublicRecord) -> bool:
        """Take a card; True when the set is complete now. The same card again changes nothing but its time.

        Raises CardError for a card that was misread or is not of the present set, TooMany after many of those.
        """
        with self._lock:
            moment = self._now()
            self._wrong = [at for at in self._wrong if moment - at < 60]
            if len(self._wrong) >= WRONG_PER_MINUTE:
                raise TooMany("Too many wrong cards were offered.", "Wait a minute, then type the card again.")
            try:
                card = read_card(text)
                require_current(card, record)
            except CardError:
                self._wrong.append(moment)
                raise
            self._held[card.group, card.number] = (moment, card)
        return all(group.offered >= group.needed for group in self.progress(record))

    def progress(self, record: PublicRecord) -> list[Progress]:
        """How far each group is; cards that were kept long enough are forgotten first."""
        with self._lock:
            self._expire()
            return [
                Progress(name, sum(1 for group, _ in self._held if group == name), record.group(name).threshold)
                for name in GROUPS
            ]

    def minutes_left(self) -> int:
        """How many minutes the oldest card is still kept, rounded up; 0 when there is none."""
        with self._lock:
            self._expire()
            oldest = min((at for at, _ in self._held.values()), default=None)
        return 0 if oldest is None else max(1, -int((self._now() - oldest - KEEP_SECONDS) // 60))

    def take(self) -> bytes:
        """The root secret; the cards are forgotten, whether they fit or not. Raises CardError."""
        with self._lock:
            self._expire()
            cards = [card for _, card in self._held.values()]
            self._held.clear()
        return combine(cards)

    def forget(self) -> None:
        """Forget every card."""
        with self._lock:
            self._held.clear()

    def _expire(self) -> None:
        moment = self._now()
        self._held = {place: held for place, held in self._held.items() if moment - held[0] < KEEP_SECONDS}


def require_current(card: Card, record: PublicRecord) -> None:
    """Raises CardError when `card` is not one of the present set."""
    if record.knows(card):
        return
    if card.set_number in record.retired:
        raise CardError("That card was replaced by a newer one.", "Destroy it, and use the card of the newest set.")
    raise CardError("That card was not made for this appliance.", "Look for the right card, or call another holder.")
