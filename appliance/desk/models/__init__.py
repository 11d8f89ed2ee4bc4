"""Desk's tables, one module per matter. Import them here so that migrations see them all."""

from appliance.desk.models.base import Base, Outbox, SeenMessage

__all__ = ["Base", "Outbox", "SeenMessage"]
