"""The charter as a table of roles and categories, in words and as data.

Owns: how the charter is shown on a terminal. Must never see: a person.
"""

from __future__ import annotations

from typing import Any

from rich.table import Table

from appliance.charter.schema import Charter


def purposes_of(charter: Charter, role: str, category: str) -> list[str]:
    """For which purposes `role` may see `category`; empty when it may not."""
    return sorted(p for p in charter.purposes[category] if charter.allows([role], category, p))


def as_json(charter: Charter) -> dict[str, Any]:
    """The whole charter: title, version, digest, numbers, and per category its label and who sees it for what."""
    return {
        "title": charter.title,
        "version": charter.version,
        "digest": charter.digest,
        "constants": {name: getattr(charter.constants, name) for name in charter.constants.__struct_fields__},
        "roles": charter.roles,
        "categories": {
            name: {
                "title": category.title,
                "label": charter.label(name),
                "about_people": category.about_people,
                "seen_by": {role: purposes for role in charter.roles if (purposes := purposes_of(charter, role, name))},
            }
            for name, category in charter.categories.items()
        },
    }


def as_table(charter: Charter) -> Table:
    """Rows are categories, columns are roles; a mark means that the role may see it, a blank that it may not."""
    table = Table(title=f"{charter.title}, version {charter.version}", caption=f"SHA-256 {charter.digest}")
    table.add_column("What there is to see")
    for role in charter.roles:
        table.add_column(role, justify="center", no_wrap=True)
    for name, category in charter.categories.items():
        title = f"{category.title} [every look is logged]" if category.about_people else category.title
        cells = ["yes" if purposes_of(charter, role, name) else "" for role in charter.roles]
        table.add_row(title.replace("[", r"\["), *cells)
    return table
