"""Desk's tables, one module per matter. Import them here so that migrations see them all."""

from appliance.desk.models.base import Base, Outbox, SeenMessage
from appliance.desk.models.corrections import Correction
from appliance.desk.models.follow_up import Attendance, ClosingRecord, FollowUpMonth, Incident, Step, UnmatchedUnit
from appliance.desk.models.health import HealthRow
from appliance.desk.models.holds import Hold
from appliance.desk.models.people import DeskAccount, Grant, Lockout, Person, RosterVersion, Slip, VouchingCode
from appliance.desk.models.receipts import Receipt, RefusedLine, Unmapped
from appliance.desk.models.releases import Release, Report
from appliance.desk.models.sessions import SessionRow
from appliance.desk.models.tickets import TicketDraw, TicketKey
from appliance.desk.models.vault import Delivery, Entry, Head, KeptVault, ProvisionalKey, Vault, VaultVersion

__all__ = [
    "Attendance",
    "Base",
    "ClosingRecord",
    "Correction",
    "Delivery",
    "DeskAccount",
    "Entry",
    "FollowUpMonth",
    "Grant",
    "Head",
    "HealthRow",
    "Hold",
    "Incident",
    "KeptVault",
    "Lockout",
    "Outbox",
    "Person",
    "ProvisionalKey",
    "Receipt",
    "RefusedLine",
    "Release",
    "Report",
    "RosterVersion",
    "SeenMessage",
    "SessionRow",
    "Slip",
    "Step",
    "TicketDraw",
    "TicketKey",
    "Unmapped",
    "UnmatchedUnit",
    "Vault",
    "VaultVersion",
    "VouchingCode",
]
