"""Renders the one nginx configuration, for the demonstration and for production.

Owns: `provisioning/nginx/wardwell.conf.in` and which names it is filled with; what the front may run is in that file.
Must never see: a key's content, a request. The three hosts come from the settings; every other name is refused.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import WardwellError
from appliance.settings import Home, Hosts

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "provisioning" / "nginx" / "wardwell.conf.in"
NGINX = "/usr/sbin/nginx"

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
_REFUSAL = """    server {{
        listen {listen} ssl http2 default_server;
        server_name _;
        ssl_reject_handshake on;
        return 421;
    }}
"""


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


def render(home: Home, hosts: Hosts, certificates: dict[str, Certificate], listen: str = "127.0.0.1") -> str:
    """The configuration as text. `certificates` has "desk", "post", "space"; `listen` is the address to bind.

    Raises WardwellError when two hosts share a name (cookies and certificates would mix) or a host is not valid.
    """
    state = home.root / "nginx"
    written = {"desk": hosts.desk, "post": hosts.post, "space": hosts.space}
    split = {role: split_host(host) for role, host in written.items()}
    if len({name for name, _ in split.values()}) != len(split):
        raise WardwellError("The three hosts need three names.", "Correct [hosts] in wardwell.toml.")
    values = {
        # As root, nginx would give its workers to an account that cannot open this home's sockets and files.
        "USER": "user root;" if os.geteuid() == 0 else "",
        "STATE": str(state),
        "LOG": str(home.log),
        "RUN": str(home.root / "run"),
        "PUBLIC": str(home.public),
        "DESK_STATIC": str(ROOT / "webapp" / "desk" / "dist"),
        "SPACE_STATIC": str(ROOT / "webapp" / "space" / "dist"),
        "SPACE_POLICY": _SPACE_POLICY.format(desk=hosts.desk, post=hosts.post),
        "SITE_POLICY": _SITE_POLICY,
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
        if name != "REFUSALS" and any(character in value for character in '\n"{}@'):
            raise ValueError(f"{name} holds a character that a configuration cannot carry")
        template = template.replace(f"@{name}@", value)
    rest = [word for word in template.split("@")[1::2] if word.isupper()]
    if rest:
        raise ValueError(f"nothing is given for {rest}")
    return template


def write(home: Home, hosts: Hosts, certificates: dict[str, Certificate]) -> Path:
    """Write the configuration and the folders it names under `$WARDWELL_HOME/nginx`; the path of the file."""
    state = home.root / "nginx"
    for folder in (state, home.log, home.root / "run"):
        folder.mkdir(parents=True, exist_ok=True)
    path = state / "nginx.conf"
    path.write_text(render(home, hosts, certificates))
    return path


def command(home: Home) -> list[str]:
    """What runs nginx in the foreground."""
    state = home.root / "nginx"
    # The start-up log replaces Debian's /var/log/nginx/error.log, which needs root.
    return [NGINX, "-p", str(state), "-e", str(home.log / "nginx.log"), "-c", str(state / "nginx.conf")]
