"""The base of desk's tables, its outbox and its seen messages."""

from sqlalchemy.orm import DeclarativeBase

from appliance.storage import OutboxMixin, SeenMixin


class Base(DeclarativeBase):
    """Every table of the desk compartment."""


class Outbox(OutboxMixin, Base):
    """Messages from desk that wait to be spooled."""


class SeenMessage(SeenMixin, Base):
    """Messages to desk that were acted on."""
