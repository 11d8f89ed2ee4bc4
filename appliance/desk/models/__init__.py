"""Desk's tables, one module per matter. Import them here so that migrations see them all."""

from appliance.desk.models.base import Base, Outbox, SeenMessage
from appliance.desk.models.health import HealthRow
from appliance.desk.models.people import DeskAccount, Grant, Lockout, Person, RosterVersion, Slip
from appliance.desk.models.sessions import SessionRow
from appliance.desk.models.vault import Delivery, Entry, Head, KeptVault, ProvisionalKey, Vault

__all__ = [
    "Base",
    "Delivery",
    "DeskAccount",
    "Entry",
    "Grant",
    "Head",
    "HealthRow",
    "KeptVault",
    "Lockout",
    "Outbox",
    "Person",
    "ProvisionalKey",
    "RosterVersion",
    "SeenMessage",
    "SessionRow",
    "Slip",
    "Vault",
]
