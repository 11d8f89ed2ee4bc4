"""Renders the one nginx configuration, for the demonstration and for production.

Owns: `provisioning/nginx/wardwell.conf.in` and which names it is filled with; what the front may run is in that file.
Must never see: a key's content, a request. The three hosts come from the settings; every other name is refused.
"""

from __future__ import annotations

import html
import os
import re
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import WardwellError
from appliance.settings import MAINTENANCE, RUNTIME, UNSEALED, Home, Hosts
from provisioning import space_front

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "provisioning" / "nginx" / "wardwell.conf.in"
STILL_PAGES = ("sealed.html", "maintenance.html")
ROLES = ("desk", "post", "space")
# The journal keeps and rotates desk's lines; they hold time, method, status and size (see log_format in the template).
_JOURNAL = "syslog:server=unix:/dev/log,nohostname,tag=wardwell_desk"
NGINX = "/usr/sbin/nginx"

_REFUSAL = """    server {{
        listen {listen} ssl http2 default_server;
        server_name _;
        ssl_reject_handshake on;
        return 421;
    }}
"""
# In production only. While sealed nothing answers on desk's socket; the page of custody does, with whom to call.
_SEALED_DESK = """
        error_page 502 504 = @sealed;
        location @sealed {{
            proxy_pass http://unix:{socket};
        }}
"""
# In production only. While sealed (post and space) or in maintenance (all three) one still page answers; the pages
# before sign-in lie on the system disk and go on.
_HELD = """
        set $held "";
{sealed}        if (-e {maintenance}) {{ set $held maintenance; }}
        if ($uri ~ "^/(crisis|family|resources|directory|charter|site-assets)(/|$)") {{ set $held ""; }}
        if ($uri ~ "^/(sealed|maintenance)\\.html$") {{ set $held ""; }}
        if ($held) {{ return 503; }}
        error_page 503 /$held.html;
        location = /sealed.html {{ internal; root {state}; }}
        location = /maintenance.html {{ internal; root {state}; }}
"""
_IF_SEALED = "        if (!-e {unsealed}) {{ set $held sealed; }}\n"
_BLOCKS = ("REFUSALS", "HELD", "HELD_DESK", "SPACE_MAPS", "SPACE_HEADERS", "SPACE_PUBLISHED")
# The unit hands the front its keys here, so that they need no owner but root (systemd.exec(5), LoadCredential=).
CREDENTIALS = Path("/run/credentials/wardwell-front.service")


@dataclass(frozen=True)
class Certificate:
    """Paths of one host's certificate chain and key."""

    chain: Path
    key: Path


def split_host(host: str) -> tuple[str, int]:
    """("desk.example", 8443) from "desk.example:8443"; 443 when no port is written."""
    name, _, port = host.partition(":")
    if not name or (port and not port.isdigit()):
        raise WardwellError(f"{host!r} is not a host name with a port.", "Correct [hosts] in wardwell.toml.")
    return name, int(port or 443)


def render(
    home: Home, hosts: Hosts, certificates: dict[str, Certificate], listen: str = "127.0.0.1", code: Path | None = None
) -> str:
    """The configuration as text. `certificates` has "desk", "post", "space"; `listen` is the address to bind,
    `code` the source tree whose built browser code is served (this one unless given).

    Raises WardwellError when two hosts share a name (cookies and certificates would mix) or a host is not valid.
    """
    written = {"desk": hosts.desk, "post": hosts.post, "space": hosts.space}
    split = {role: split_host(host) for role, host in written.items()}
    if len({name for name, _ in split.values()}) != len(split):
        raise WardwellError("The three hosts need three names.", "Correct [hosts] in wardwell.toml.")
    code = code or ROOT
    values = {
        # As root, nginx would give its workers to an account that cannot open this home's sockets and files.
        # In production it starts as www-data already.
        "USER": "user root;" if os.geteuid() == 0 and not home.production else "",
        "STATE": str(state_of(home)),
        "ERROR_LOG": "stderr" if home.production else str(home.log / "nginx.log"),
        "DESK_LOG": _JOURNAL if home.production else str(home.log / "desk-requests.log"),
        "RUN": str(home.run),
        "PUBLIC": str(home.public),
        "SITE": str(home.site),
        "DESK_STATIC": str(code / "webapp" / "desk" / "dist"),
        "SPACE_STATIC": str(code / "webapp" / "space" / "dist"),
        "SPACE_MAPS": space_front.nginx_maps(hosts.desk, hosts.post),
        "SPACE_HEADERS": space_front.nginx_headers(),
        "SPACE_PUBLISHED": space_front.nginx_published(str(home.public)),
        "HELD": _held(home, _IF_SEALED.format(unsealed=UNSEALED)) if home.production else "",
        "HELD_DESK": _held(home, "") + _SEALED_DESK.format(socket=home.socket("sealed")) if home.production else "",
    }
    for role, (name, port) in split.items():
        upper = role.upper()
        values[f"{upper}_HOST"] = written[role]
        values[f"{upper}_NAME"] = name
        values[f"{upper}_LISTEN"] = f"{listen}:{port}"
        values[f"{upper}_CERTIFICATE"] = str(certificates[role].chain)
        values[f"{upper}_KEY"] = str(certificates[role].key)
    ports = sorted({port for _, port in split.values()})
    values["REFUSALS"] = "".join(_REFUSAL.format(listen=f"{listen}:{port}") for port in ports)
    return fill(TEMPLATE.read_text(), values)


def fill(template: str, values: dict[str, str]) -> str:
    """Replace each `@NAME@` of `template`. ValueError for a value that breaks out of its place, or a rest."""
    for name, value in values.items():
        if name not in _BLOCKS and any(character in value for character in '\n"{}@'):
            raise ValueError(f"{name} holds a character that a configuration cannot carry")
        template = template.replace(f"@{name}@", value)
    rest = re.findall(r"@([A-Z_]+)@", template)
    if rest:
        raise ValueError(f"nothing is given for {rest}")
    return template


def state_of(home: Home) -> Path:
    """Where nginx keeps its number and what it buffers: in production the unit's own folder in memory."""
    return RUNTIME / "front" if home.production else home.front


def given_certificates(home: Home) -> dict[str, Certificate]:
    """The three certificates of production: chains as installed, keys as the unit hands them over."""
    return {role: Certificate(home.tls / f"{role}.crt", CREDENTIALS / f"{role}.key") for role in ROLES}


def _held(home: Home, sealed: str) -> str:
    return _HELD.format(sealed=sealed, maintenance=MAINTENANCE, state=home.front)


def still_pages(hosts: Hosts) -> dict[str, str]:
    """File name -> the page that is shown while the appliance is sealed, or in maintenance."""
    values = {"DESK_HOST": html.escape(hosts.desk), "SPACE_HOST": html.escape(hosts.space)}
    return {name: fill(TEMPLATE.with_name(name).read_text(), values) for name in STILL_PAGES}


def write(home: Home, hosts: Hosts, certificates: dict[str, Certificate]) -> Path:
    """Write a demonstration's configuration and the folders it names under its home; the path of the file."""
    for folder in (home.front, home.log, home.run):
        folder.mkdir(parents=True, exist_ok=True)
    path = home.front / "nginx.conf"
    path.write_text(render(home, hosts, certificates))
    return path


def command(home: Home) -> list[str]:
    """What runs nginx in the foreground."""
    # The start-up log replaces Debian's /var/log/nginx/error.log, which needs root.
    errors = "stderr" if home.production else str(home.log / "nginx.log")
    return [NGINX, "-p", str(state_of(home)), "-e", errors, "-c", str(home.front / "nginx.conf")]
