"""`wardwell cert status|csr|install|self-signed`.

Owns: these commands' words. Must never see: a private key.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from appliance import clock
from appliance.output import json_option, tell
from appliance.settings import Home

WARN_DAYS = 30
_path = click.Path(path_type=Path)


@click.group()
def cert() -> None:
    """Certificates of the three host names."""


@cert.command()
@json_option
def status(as_json: bool) -> None:
    """Show until when each is valid. Exit code 1 when one ends within 30 days."""
    from appliance.operate import cert as certificates

    home = Home.find()
    states = certificates.states(home.settings().hosts, home.tls)
    days = {state.role: (state.until - clock.now()).days for state in states}
    if as_json:
        rows = [{"role": s.role, "host": s.host, "until": s.until.isoformat(), "own": s.own} for s in states]
        click.echo(json.dumps({"ok": min(days.values()) >= WARN_DAYS, "certificates": rows}))
    else:
        for state in states:
            issuer = "this appliance's own CA" if state.own else "your CA"
            click.echo(f"{state.host}: {days[state.role]} days left, until {state.until:%Y-%m-%d}, issued by {issuer}")
    if min(days.values()) < WARN_DAYS:
        sys.exit(1)


@cert.command()
@click.option("--to", type=_path, required=True, help="The folder to write the requests into.")
@json_option
def csr(to: Path, as_json: bool) -> None:
    """Make new keys and write requests for your CA; the running certificates stay until you install the new ones."""
    from appliance.operate import cert as certificates

    home = Home.find()
    written = [str(path) for path in certificates.request(home.settings().hosts, home.tls, to)]
    next_step = "Have your CA sign them, then: wardwell cert install ROLE CHAIN.pem, for desk, post and space"
    tell(as_json, "\n".join([*written, next_step]), requests=written)


@cert.command()
@click.argument("role", type=click.Choice(("desk", "post", "space")))
@click.argument("chain", type=_path)
@json_option
def install(role: str, chain: Path, as_json: bool) -> None:
    """Install what your CA issued for ROLE: the host's certificate, then its issuers. Refused ones change nothing."""
    from appliance.operate import cert as certificates
    from appliance.operate.maintenance import systemctl

    home = Home.find()
    until = certificates.install(home.settings().hosts, home.tls, role, chain)
    if home.production:
        # The unit hands the keys over at its start, so it is started anew; a second without an answer.
        systemctl(["try-restart", "wardwell-front.service"])
    tell(as_json, f"Installed; valid until {until:%Y-%m-%d}.", role=role, until=until.isoformat())


@cert.command("self-signed")
@json_option
def self_signed(as_json: bool) -> None:
    """Replace all three by certificates of this appliance's own CA, which may sign for these names alone."""
    from appliance.operate import cert as certificates
    from appliance.operate.maintenance import systemctl

    home = Home.find()
    certificates.self_signed(home.settings().hosts, home.tls)
    if home.production:
        systemctl(["try-restart", "wardwell-front.service"])
    ca_file = str(home.tls / "ca.crt")
    tell(as_json, f"Made. Browsers need {ca_file} (group policy: docs/installing.md).", ca_file=ca_file)
