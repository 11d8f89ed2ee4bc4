"""The front: one template, three names, everything else refused, no address written down."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from appliance.crypto.authority import Authority
from appliance.errors import WardwellError
from appliance.settings import Home, Hosts
from provisioning import front
from tests.demonstration.https import Client
from tests.demonstration.ports import choose
from tests.support.waiting import answers, until

ROLES = ("desk", "post", "space")


def certificates(authority: Authority, hosts: Hosts) -> dict[str, front.Certificate]:
    return {
        role: front.Certificate(*authority.server(role, front.split_host(getattr(hosts, role))[0])) for role in ROLES
    }


def test_no_log_and_no_address_for_what_must_leave_none(tmp_path: Path) -> None:
    hosts = Hosts()
    text = front.render(Home(tmp_path), hosts, certificates(Authority(tmp_path / "demo"), hosts))
    assert text.count("access_log") == 2  # "off" for everything, and desk's own without an address
    assert re.search(r"^\s+access_log off;", text, re.M)
    formats = re.findall(r"log_format (\w+) '([^']+)'", text)
    assert formats == [("times", "$time_iso8601 $request_method $status $body_bytes_sent")]
    assert "$remote_addr" not in text and "$proxy_add_x_forwarded_for" not in text
    assert "ssl_protocols TLSv1.3;" in text


def test_two_hosts_of_one_name_are_refused(tmp_path: Path) -> None:
    hosts = Hosts(desk="a.example:1", post="a.example:2", space="b.example:3")
    with pytest.raises(WardwellError, match="three names"):
        front.render(Home(tmp_path), hosts, {})


def test_a_value_cannot_break_out_of_its_place() -> None:
    with pytest.raises(ValueError, match="cannot carry"):
        front.fill("x @A@", {"A": 'y"; evil'})
    with pytest.raises(ValueError, match="nothing is given"):
        front.fill("x @A@ @B@", {"A": "y"})


@pytest.mark.system
def test_only_the_three_names_are_answered(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    authority = Authority(home.root / "demo")
    hosts, _ = choose("free")
    front.write(home, hosts, certificates(authority, hosts))
    (home.public / "site" / "crisis").mkdir(parents=True)
    (home.public / "site" / "crisis" / "index.html").write_text("<p>988</p>")
    process = subprocess.Popen(front.command(home))
    try:
        space = Client(hosts.space, authority.ca_file)
        port = front.split_host(hosts.space)[1]
        until(lambda: answers(port))
        answer = space.get("/crisis/")
        assert (answer.status, answer.body) == (200, b"<p>988</p>")
        assert "require-trusted-types-for 'script'" in answer.headers["content-security-policy"]
        for name in ("localhost", "127.0.0.1", front.split_host(hosts.desk)[0]):
            with pytest.raises(OSError, match=r"(?i)unrecognized|mismatch|alert"):
                Client(f"{name}:{port}", authority.ca_file).get("/crisis/")
        for wrong in ("localhost", front.split_host(hosts.space)[0], hosts.desk):
            assert space.request("GET", "/crisis/", headers={"Host": wrong}).status == 421
        assert space.request("POST", "/crisis/").status == 405
        for log in home.root.rglob("*.log"):
            assert "127.0.0.1" not in log.read_text()
    finally:
        process.terminate()
        process.wait(10)
