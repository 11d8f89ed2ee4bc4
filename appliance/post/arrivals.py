"""Taking a cell: right size, a valid ticket, not spent before; then it lies in memory until the epoch closes.

Owns: this one decision. Must never see: an address, a header, an account; it is given bytes and a board's name.
"""

from __future__ import annotations

from appliance import clock
from appliance.post import epochs
from appliance.post.boards import CELL_BYTES
from appliance.post.memory import Memory
from appliance.post.tickets import TICKET_BYTES, Ticket, TicketKeys
from appliance.storage import Store

PURPOSE = {"requests": "request", "replies": "reply"}
BODY_BYTES = CELL_BYTES + TICKET_BYTES


class WrongSize(Exception):
    """Not exactly one cell and one ticket."""


class NoTicket(Exception):
    """The ticket is forged, for something else, too old, or spent."""


def take(store: Store, memory: Memory, keys: TicketKeys, kind: str, body: bytes) -> None:
    """Take `body` (cell || ticket) for the board `kind`. Raises WrongSize or NoTicket, which say no more than that."""
    if len(body) != BODY_BYTES:
        raise WrongSize
    cell, ticket = body[:CELL_BYTES], Ticket.parse(body[CELL_BYTES:])
    if not keys.valid(ticket, PURPOSE[kind], clock.now()):
        raise NoTicket
    with memory.arriving():
        epoch = epochs.current(store).epoch
        # A session that began before the epoch closed may end after it.
        if ticket.epoch not in (epoch, epoch - 1) or not memory.spend(ticket.epoch, ticket.secret):
            raise NoTicket
        memory.put(epoch, kind, cell)
