"""The charter as typed data: who may see what, for which purpose, and the numbers that promises rest on.

Owns: reading and checking `charter.toml`, and the one question `allows(roles, category, purpose)`.
Must never see: a person. Pages, reports, guard and tests all ask this object; there is no second list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import msgspec

from appliance.account import ANYONE
from appliance.errors import WardwellError
from appliance.settings import Home

SHIPPED = Path(__file__).parent / "charter.toml"
LOWEST_FLOOR = 11


class Constants(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The charter's numbers; units stand in the names, reasons in `charter.toml`."""

    floor: int
    cosignature_age_hours: int
    epoch_min_sessions: int
    epoch_max_days: int
    tickets_per_session: int
    reply_cells_per_session: int
    delivery_bytes: int
    history_bytes: int
    involvement_days: int
    idle_minutes: int
    idle_warning_seconds: int
    lockout_failures: int
    lockout_minutes: int
    exposure_within_seconds: int
    follow_up_hours: list[int]


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something there is to see. `label` is what every page about it says of its visibility."""

    title: str
    label: str
    about_people: bool


class Allow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Each of `roles` may see each of `categories` for each of `purposes`."""

    roles: list[str]
    categories: list[str]
    purposes: list[str]


class Grants(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    need_trustee: list[str]


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    title: str
    constants: Constants
    roles: dict[str, str]
    separation: dict[str, list[str]]
    grants: Grants
    categories: dict[str, Category]
    allow: list[Allow]


class Charter:
    """One charter. `digest` is the SHA-256 (hex) of the file's bytes, as signatures and the ledger name it."""

    def __init__(self, raw: bytes, source: str = "charter.toml") -> None:
        try:
            self._document = msgspec.toml.decode(raw, type=_Document)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise WardwellError(
                f"{source} is not a charter: {error}.", "Correct that line and sign it again."
            ) from None
        self.digest = hashlib.sha256(raw).hexdigest()
        problems = self._problems()
        if problems:
            raise WardwellError(f"{source} contradicts itself: {'; '.join(problems)}.", "Correct it and sign it again.")

    version = property(lambda self: self._document.version)
    title = property(lambda self: self._document.title)

    @property
    def constants(self) -> Constants:
        return self._document.constants

    @property
    def roles(self) -> dict[str, str]:
        return self._document.roles

    @property
    def categories(self) -> dict[str, Category]:
        return self._document.categories

    @property
    def separation(self) -> dict[str, list[str]]:
        return self._document.separation

    @property
    def grants(self) -> Grants:
        return self._document.grants

    @cached_property
    def purposes(self) -> dict[str, frozenset[str]]:
        """Per category, every purpose that somebody may see it for."""
        purposes_of: dict[str, set[str]] = {name: set() for name in self.categories}
        for _, category, purpose in self._cells:
            purposes_of[category].add(purpose)
        return {name: frozenset(purposes) for name, purposes in purposes_of.items()}

    @cached_property
    def _cells(self) -> frozenset[tuple[str, str, str]]:
        return frozenset(
            (role, category, purpose)
            for rule in self._document.allow
            for role in rule.roles
            for category in rule.categories
            for purpose in rule.purposes
        )

    def allows(self, roles: Iterable[str], category: str, purpose: str) -> bool:
        """Whether someone holding `roles` may see `category` for `purpose`. Unknown words are refused."""
        return any((role, category, purpose) in self._cells for role in roles)

    def acting_role(self, roles: Iterable[str], category: str, purpose: str) -> str:
        """The role in which someone holding `roles` acts, as the access log names it: in the charter's order the first
        that may see `category` for `purpose`, else simply the first; "anyone" without any."""
        held = [role for role in self.roles if role in set(roles)]
        allowed = [role for role in held if self.allows([role], category, purpose)]
        return next(iter(allowed or held), ANYONE)

    def roles_that_see(self, category: str) -> list[str]:
        """The roles that may see `category` for some purpose, in the charter's order."""
        return [role for role in self.roles if any((role, category, p) in self._cells for p in self.purposes[category])]

    def label(self, category: str) -> str:
        """The visibility label of `category`, as every page shows it."""
        return self.categories[category].label.format(floor=self.constants.floor)

    def _problems(self) -> list[str]:
        problems = []
        if self.constants.floor < LOWEST_FLOOR:
            problems.append(f"the floor is below {LOWEST_FLOOR}")
        for rule in self._document.allow:
            problems += [f"unknown role {role!r}" for role in rule.roles if role not in self.roles]
            problems += [f"unknown category {c!r}" for c in rule.categories if c not in self.categories]
            about = [c for c in rule.categories if c in self.categories and self.categories[c].about_people]
            if about and {"command", "hr", "auditor", "admin", "cad", "anyone"} & set(rule.roles):
                problems.append(f"{', '.join(about)} is about people and may not be shown to {', '.join(rule.roles)}")
        return problems


def load_charter(home: Home | None = None) -> Charter:
    """The charter of the appliance at `home`; without a home, the one that ships."""
    path = home.charter_file if home is not None and home.charter_file.exists() else SHIPPED
    return Charter(path.read_bytes(), str(path.name))
