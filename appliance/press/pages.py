"""The pages before sign-in: crisis, family, resources, directory, charter, and how to support someone.

Owns: rendering them to `public/site/` as plain files, and the one offline file for homes. They work without a script,
before anyone signs in and while the appliance is sealed. Must never see: who opens them; anything about an officer.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from appliance import clock, durable
from appliance.charter import Charter, load_charter
from appliance.crypto import sshsig
from appliance.crypto.trusted_keys import signer_key
from appliance.errors import WardwellError
from appliance.press.resources import load_resources
from appliance.settings import Home

HERE = Path(__file__).parent
FONTS = HERE.parent.parent / "webapp" / "desk" / "dist" / "fonts"
FONT_NAMES = ("public-sans-regular.woff2", "public-sans-bold.woff2")
_CHARTER_FILES = ("charter.toml", "charter.toml.agency.sig", "charter.toml.trustee.sig")
_ROLE_TITLES = {"peer": "Peer supporters", "clinician": "Clinicians"}


@dataclass(frozen=True)
class Page:
    """One page: its address on the space's host, its template, its title, its words in the navigation ("" for none)."""

    path: str
    template: str
    title: str
    nav: str
    lang: str = "en"
    take_home: str = ""

    @property
    def anchor(self) -> str:
        return self.take_home


PAGES = (
    Page("/crisis/", "crisis.html", "Talk to someone now", "Crisis", take_home="crisis"),
    Page("/crisis/es/", "crisis_es.html", "Hable con alguien ahora", "En español", lang="es", take_home="crisis-es"),
    Page("/family/", "family.html", "For families and friends", "Family", take_home="family"),
    Page("/resources/", "resources.html", "Where to find help", "Resources", take_home="resources"),
    Page("/directory/", "directory.html", "Peers and clinicians", "Directory", take_home="directory"),
    Page("/charter/", "charter.html", "Who can see what", "Who can see what"),
    Page("/resources/supporting-someone/", "supporting.html", "How to support someone", "Supporting someone"),
)


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )


def _supporters(home: Home) -> tuple[list[dict[str, Any]], int]:
    """The trustee's key list as the page shows it, by role, in the list's order; and its version (0: none yet).

    Raises WardwellError when the trustee did not sign it: a false phone number must not get onto the page.
    """
    path = home.public / "keylist.json"
    if not path.exists():
        return [], 0
    raw = path.read_bytes()
    try:
        trustee, signature = signer_key(home, "trustee"), (home.public / "keylist.json.sig").read_bytes()
    except OSError:
        raise WardwellError("The key list is not signed.", "Have the officers' trustee sign it.") from None
    sshsig.verify(trustee, raw, signature, "wardwell-keylist")
    try:
        keylist = json.loads(raw)
        people = [
            {
                "role": str(person["role"]),
                "name": str(person["name"]),
                "about": str(person.get("about", "")),
                "languages": _languages(person.get("languages", "")),
                "phone": str(person.get("phone", "")),
                "phone_link": re.sub(r"[^0-9+]", "", str(person.get("phone", ""))),
            }
            for person in keylist["supporters"]
        ]
        version = int(keylist["version"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise WardwellError(
            "The key list is not in the form that the directory needs.", "Have the trustee publish it again."
        ) from None
    groups = []
    for role in dict.fromkeys(person["role"] for person in people):
        title = _ROLE_TITLES.get(role, role.capitalize())
        groups.append({"title": title, "people": [person for person in people if person["role"] == role]})
    return groups, version


def _languages(value: Any) -> str:
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _context(home: Home) -> dict[str, Any]:
    charter = load_charter(home)
    supporters, version = _supporters(home)
    signed = all((home.public / name).exists() for name in _CHARTER_FILES)
    return {
        "agency": home.settings().agency,
        "resources": load_resources(home),
        "charter": charter,
        "categories": _by_category(charter),
        "by_role": _by_role(charter),
        "supporters": supporters,
        "list_version": version,
        "signed": signed,
        "pages": PAGES,
    }


def _by_category(charter: Charter) -> list[dict[str, Any]]:
    return [
        {
            "title": category.title,
            "label": charter.label(name),
            "about_people": category.about_people,
            "roles": [charter.roles[role] for role in charter.roles_that_see(name)],
        }
        for name, category in charter.categories.items()
    ]


def _by_role(charter: Charter) -> list[dict[str, Any]]:
    return [
        {
            "role": title,
            "titles": [c.title for name, c in charter.categories.items() if role in charter.roles_that_see(name)],
        }
        for role, title in charter.roles.items()
    ]


def render(home: Home) -> dict[str, bytes]:
    """Every file of `public/site/`: relative path to bytes. The same inputs give the same bytes.

    Raises WardwellError when the charter, the agency's lines or the key list are wrong.
    """
    environment, context = _environment(), _context(home)
    files = {"crisis/site.css": (HERE / "static" / "site.css").read_bytes()}
    for page in PAGES:
        text = environment.get_template("public/page.html").render(context | {"page": page})
        files[f"{page.path.strip('/')}/index.html"] = text.encode()
    for name in FONT_NAMES:
        if (FONTS / name).exists():
            files[f"crisis/fonts/{name}"] = (FONTS / name).read_bytes()
    return files


def publish(home: Home) -> list[str]:
    """Render and write what changed; the paths written. A reader sees each file old or new, never half."""
    written = []
    for relative, data in render(home).items():
        path = home.site / relative
        if not path.exists() or path.read_bytes() != data:
            durable.replace(path, data, mode=0o644)
            written.append(relative)
    return written


def take_home(home: Home) -> bytes:
    """One HTML file of crisis, family, resources and directory, with its style inside and nothing to fetch."""
    css = (HERE / "static" / "site.css").read_text()
    css = re.sub(r"@font-face \{[^}]*\}\n?", "", css)
    context = _context(home) | {
        "css": _Raw(css),
        "parts": [page for page in PAGES if page.take_home],
        "made_on": f"{clock.now():%B} {clock.now().day}, {clock.now().year}",
    }
    return _environment().get_template("public/take_home.html").render(context).encode()


class _Raw(str):
    """Our own style sheet: it is put into the page as it is."""

    def __html__(self) -> str:
        return str(self)
