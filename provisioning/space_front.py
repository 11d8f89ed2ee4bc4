"""What the front sends with every answer of the private space's host, for nginx and for the release manifest alike.

Owns: the security headers, the two Content-Security-Policies, how long a file may be kept, and which paths are written
by the appliance and so are no part of a release. Must never see: an appliance. `{desk}` and `{post}` in a policy stand
for an agency's hosts, which its signed `site.json` names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# The private space runs one script of ours, its worker, and nothing else; it talks to desk and post alone. Trusted
# Types: one policy, which accepts the service worker's own address only.
_SPACE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self' https://{desk} https://{post}; worker-src 'self'; manifest-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types wardwell"
)
# The pages before sign-in need no script to be read.
_SITE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'none'; frame-ancestors 'none'; "
    "base-uri 'none'; require-trusted-types-for 'script'; trusted-types wardwell"
)


@dataclass(frozen=True)
class ByPath:
    """A header's value that depends on the path: an nginx `map` of `$uri`, with one exception to the default."""

    variable: str
    default: str
    pattern: str
    otherwise: str

    def of(self, path: str) -> str:
        return self.otherwise if re.search(self.pattern, path) else self.default


# What is named with its content's hash never changes.
_CACHE = ByPath("space_cache", "no-cache", r"-[0-9A-Za-z]{8,}\.[a-z0-9]+$", "public, max-age=31536000, immutable")
_POLICY = ByPath("space_policy", _SPACE_POLICY, r"^/(crisis|family|resources|directory|charter)/", _SITE_POLICY)

HEADERS: dict[str, str | ByPath] = {
    "Cache-Control": _CACHE,
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=63072000",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
}

# Path -> folder below the appliance's public one ("" is that folder): written there by founding, desk, press, witness.
PUBLISHED = {
    "/site.json": "",
    "/site.json.agency.sig": "",
    "/site.json.trustee.sig": "",
    "/keylist.json": "",
    "/keylist.json.sig": "",
    "/trustee.pub": "",
    "/agency.pub": "",
    "/report.pub": "press",
    "/charter.toml": "",
    "/charter.toml.agency.sig": "",
    "/charter.toml.trustee.sig": "",
    "/ticket-keys.json": "desk",
    # By name: the witness writes in that folder from outside, and nothing of its making may become a page of this host.
    "/witness/checkpoint": "",
    "/witness/vkey": "",
    "/witness/alarm.json": "",
}
# Whole folders of that kind: the log, and the agency's own pages, which are read before sign-in.
PUBLISHED_BELOW = ("/ledger/", "/crisis/", "/family/", "/resources/", "/directory/", "/charter/", "/site-assets/")

# As the front's `types` and `charset_types` say; a file of the build with another ending has no place there.
CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}


def headers_of(path: str) -> dict[str, str]:
    """The headers that come with `path`, with `{desk}` and `{post}` still open."""
    return {name: value.of(path) if isinstance(value, ByPath) else value for name, value in HEADERS.items()}


def nginx_maps(desk: str, post: str) -> str:
    """The `map` blocks, for nginx's `http`."""
    blocks = []
    for value in HEADERS.values():
        if isinstance(value, ByPath):
            filled = [each.replace("{desk}", desk).replace("{post}", post) for each in (value.default, value.otherwise)]
            lines = (f'        default "{filled[0]}";', f'        "~{value.pattern}" "{filled[1]}";')
            blocks.append("\n".join((f"    map $uri ${value.variable} {{", *lines, "    }")))
    return "\n".join(blocks)


def nginx_headers() -> str:
    """The `add_header` lines, for the private space's `server`."""
    return "\n".join(
        f"        add_header {name} "
        + (f"${value.variable}" if isinstance(value, ByPath) else f'"{value}"')
        + " always;"
        for name, value in HEADERS.items()
    )


def nginx_published(public: str) -> str:
    """The `location` of each published path; `public` is the appliance's public folder."""
    return "\n".join(
        f"        location = {path} {{ root {'/'.join(filter(None, (public, below)))}; }}"
        for path, below in PUBLISHED.items()
    )
