"""A real OpenLDAP server on a free loopback port, LDAPS only, with a handful of people."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.settings import Directory
from tests.support.certificates import Authority
from tests.support.waiting import answers, until

BASE = "dc=agency,dc=example"
SERVICE_PASSWORD = "service password"

# uid, employee number, password. Two entries share a uid; one has two employee numbers; one has none.
PEOPLE = [
    ("vcarver", ["E1001"], "right horse battery"),
    ("o'neil", ["E1003"], "apostrophes are names too"),
    ("twice", ["E1004"], "first of two"),
    ("twice", ["E1005"], "second of two"),
    ("ambiguous", ["E1006", "E1007"], "two numbers"),
    ("unnumbered", [], "no number"),
]


@dataclass
class Slapd:
    """A running server; `process` can be paused by its owner to make it slow."""

    url: str
    authority: Authority
    process: subprocess.Popen[bytes]
    folder: Path

    def settings(self, **changes: object) -> Directory:
        """The directory settings that fit it."""
        values: dict[str, object] = {
            "url": self.url,
            "ca_file": str(self.authority.ca_file),
            "base_dn": BASE,
            "bind_dn": f"cn=service,{BASE}",
            "bind_password_file": str(self.folder / "service-password"),
            "timeout_seconds": 1.0,
        }
        return Directory(**{**values, **changes})  # type: ignore[arg-type]


def _ldif() -> str:
    blocks = [
        f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: agency\no: Agency",
        f"dn: ou=elsewhere,{BASE}\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\n"
        "ref: ldaps://127.0.0.1:1/dc=evil,dc=example",
        f"dn: cn=service,{BASE}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: service\n"
        f"userPassword: {SERVICE_PASSWORD}",
    ]
    for number, (uid, employee, password) in enumerate(PEOPLE):
        lines = [
            f"dn: cn=person{number},{BASE}",
            "objectClass: inetOrgPerson",
            "objectClass: extensibleObject",
            f"cn: person{number}",
            f"sn: Person{number}",
            f"uid: {uid}",
            f"displayName: Person {number}",
            f"userPassword: {password}",
            *(f"employeeNumber: {one}" for one in employee[:1]),
            *(f"employeeType: {one}" for one in employee),
        ]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Slapd]:
    """Start slapd with its state under `folder`; stopped at the end."""
    authority = Authority(folder / "ca")
    certificate, key = authority.server("127.0.0.1")
    data = folder / "data"
    data.mkdir(parents=True)
    (folder / "service-password").write_text(SERVICE_PASSWORD + "\n")
    config = folder / "slapd.conf"
    config.write_text(
        f"""include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCACertificateFile {authority.ca_file}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
TLSVerifyClient never
loglevel none
allow bind_anon_dn bind_anon_cred
database mdb
suffix "{BASE}"
directory {data}
maxsize 16777216
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=service,{BASE}" read by self read by * none
"""
    )
    ldif = folder / "entries.ldif"
    ldif.write_text(_ldif())
    subprocess.run(["/usr/sbin/slapadd", "-q", "-f", str(config), "-l", str(ldif)], check=True, capture_output=True)
    port = free_port()
    url = f"ldaps://127.0.0.1:{port}"
    process = subprocess.Popen(
        ["/usr/sbin/slapd", "-d", "0", "-h", url, "-f", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port, process)
        yield Slapd(url, authority, process, folder)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    def listens() -> bool:
        assert process.poll() is None, "slapd ended at once"
        return answers(port)

    until(listens, 10)
