"""Ports and settings of the demonstration.

Owns: `wardwell.toml` of a demonstration home, and which ports it listens on. Must never see: a secret.
"""

from __future__ import annotations

import json
import re
import socket
from typing import Any

import msgspec

from appliance.errors import WardwellError
from appliance.settings import Directory as DirectorySettings
from appliance.settings import Feed, Home, Hosts, Settings
from provisioning.front import split_host
from tests.demonstration.agency import BASE_DN, NAME
from tests.demonstration.directory import SERVICE_DN

NAMES = {"desk": "desk.wardwell.localhost", "post": "post.wardwell.localhost", "space": "my.wardwell.localhost"}
FIRST_PORT, DIRECTORY_PORT = 8443, 6636


def _free(count: int) -> list[int]:
    """`count` ports of loopback that nobody listens on; all are held open until all are found."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in held]
    finally:
        for one in held:
            one.close()


def choose(ports_from: str) -> tuple[Hosts, int]:
    """Hosts and the directory's port: from 8443 and 6636 ("" given), from the number given on, or any free ones."""
    if ports_from == "free":
        ports = _free(4)
    elif re.fullmatch(r"[0-9]{4,5}", ports_from) and 1024 <= int(ports_from) <= 65000:
        ports = list(range(int(ports_from), int(ports_from) + 4))
    elif ports_from == "":
        ports = [FIRST_PORT, FIRST_PORT + 1, FIRST_PORT + 2, DIRECTORY_PORT]
    else:
        raise WardwellError(f"{ports_from!r} is no port.", 'Give a number from 1024 to 65000, or "free".')
    return Hosts(*(f"{NAMES[role]}:{port}" for role, port in zip(NAMES, ports[:3], strict=True))), ports[3]


def settings(hosts: Hosts, directory_port: int, ca_file: str, password_file: str, feeds: list[Feed]) -> Settings:
    """The demonstration's settings."""
    return Settings(
        agency=NAME,
        time_zone="America/Los_Angeles",
        hosts=hosts,
        directory=DirectorySettings(
            url=f"ldaps://127.0.0.1:{directory_port}",
            ca_file=ca_file,
            base_dn=BASE_DN,
            bind_dn=SERVICE_DN,
            bind_password_file=password_file,
        ),
        feeds=feeds,
        scan_seconds=10.0,
        custody="file",
        demonstration=True,
    )


def write(home: Home, content: Settings) -> None:
    """Write `wardwell.toml`."""
    home.root.mkdir(parents=True, exist_ok=True)
    values: dict[str, Any] = msgspec.to_builtins(content)
    feeds = values.pop("feeds")
    tables = {name: values.pop(name) for name, value in list(values.items()) if isinstance(value, dict)}
    lines = ["# Written by `wardwell-demo up`; an agency writes its own.", *_lines(values)]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *_lines(table)]
    for feed in feeds:
        lines += ["", "[[feeds]]", *_lines(feed)]
    home.settings_file.write_text("\n".join(lines) + "\n")


def _lines(table: dict[str, Any]) -> list[str]:
    # JSON writes strings, numbers and booleans as TOML does.
    return [f"{name} = {json.dumps(value)}" for name, value in table.items()]


def check_free(content: Settings) -> None:
    """Raise WardwellError when something else listens on one of the demonstration's ports."""
    ports = [split_host(host)[1] for host in (content.hosts.desk, content.hosts.post, content.hosts.space)]
    ports.append(int(content.directory.url.rsplit(":", 1)[1]))
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise WardwellError(
                    f"Port {port} on this machine is in use by something else.",
                    "Stop that, or run `.venv/bin/wardwell-demo up --ports-from free`.",
                ) from None
