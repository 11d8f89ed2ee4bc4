"""The demonstration's directory: a real OpenLDAP server on loopback, LDAPS only, run as the current user.

Owns: `demo/slapd/` under the home: its configuration, its data, and the entries made from the agency's people.
Must never see: a role of the appliance or anything a person does in it. Groups prove employment, nothing more.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import shutil
import subprocess
from pathlib import Path

from appliance.errors import WardwellError
from tests.demonstration.agency import BASE_DN, Agency, Person

SERVICE_DN = f"cn=wardwell,ou=services,{BASE_DN}"
SLAPD = "/usr/sbin/slapd"
_SCHEMAS = ("core", "cosine", "inetorgperson")
# Debian's folders of slapd's schemas and modules.
_SCHEMA_FOLDER, _MODULE_FOLDER = Path("/etc/ldap/schema"), Path("/usr/lib/ldap")


def _hashed(password: str) -> str:
    """A salted hash that every OpenLDAP understands. The passwords are invented and printed; production has its own."""
    salt = secrets.token_bytes(8)
    digest = hashlib.sha1(password.encode() + salt).digest()
    return "{SSHA}" + base64.b64encode(digest + salt).decode()


def _line(attribute: str, value: str) -> str:
    return f"{attribute}:: {base64.b64encode(value.encode()).decode()}"


def _slug(text: str) -> str:
    return text.lower().replace(" ", "-")


def person_dn(person: Person) -> str:
    return f"uid={person.name},ou=people,{BASE_DN}"


def _person(person: Person, by_number: dict[str, Person]) -> list[str]:
    lines = [
        f"dn: {person_dn(person)}",
        "objectClass: inetOrgPerson",
        f"uid: {person.name}",
        _line("cn", person.display),
        _line("sn", person.family),
        _line("displayName", person.display),
        f"employeeNumber: {person.number}",
        f"mail: {person.name}@harborview.example",
        _line("departmentNumber", f"{person.division}/{person.unit}"),
        f"userPassword: {_hashed(person.password)}",
    ]
    if person.given:
        lines.append(_line("givenName", person.given))
    if person.supervisor in by_number:
        lines.append(f"manager: {person_dn(by_number[person.supervisor])}")
    return lines


def entries(agency: Agency, service_password: str) -> str:
    """LDIF of the whole directory: people, a group per division and unit, all employees, the service account."""
    by_number = {person.number: person for person in agency.people}
    blocks = [
        [
            *(f"dn: {BASE_DN}", "objectClass: dcObject", "objectClass: organization", "dc: harborview"),
            _line("o", agency.name),
        ],
        *(
            [f"dn: ou={name},{BASE_DN}", "objectClass: organizationalUnit", f"ou: {name}"]
            for name in ("people", "groups", "services")
        ),
        [
            f"dn: {SERVICE_DN}",
            "objectClass: organizationalRole",
            "objectClass: simpleSecurityObject",
            "cn: wardwell",
            f"userPassword: {_hashed(service_password)}",
        ],
        *(_person(person, by_number) for person in agency.people),
    ]
    groups: dict[str, list[Person]] = {"employees": list(agency.people)}
    for person in agency.people:
        for group in {_slug(person.division), _slug(person.unit)}:
            groups.setdefault(group, []).append(person)
    for group, members in sorted(groups.items()):
        blocks.append(
            [f"dn: cn={group},ou=groups,{BASE_DN}", "objectClass: groupOfNames", f"cn: {group}"]
            + [f"member: {person_dn(person)}" for person in members]
        )
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


class Directory:
    """The server's files under `folder`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.config = folder / "slapd.conf"
        self.password_file = folder.parent / "directory-password"
        self._data = folder / "data"

    @property
    def url(self) -> str:
        return f"ldaps://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """What runs it in the foreground."""
        return [SLAPD, "-d", "0", "-h", self.url, "-f", str(self.config)]

    def prepare(self, agency: Agency, ca_file: Path, certificate: Path, key: Path) -> None:
        """Write the configuration and load every entry anew. The server must not be running."""
        if not Path(SLAPD).exists():
            raise WardwellError("OpenLDAP's server is not installed.", "Run `make setup`.")
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(parents=True)
        self.configure(ca_file, certificate, key)
        password = secrets.token_urlsafe(24)
        with os.fdopen(os.open(self.password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(password)
        ldif = self.folder / "entries.ldif"
        ldif.write_text(entries(agency, password))
        loaded = subprocess.run(
            ["/usr/sbin/slapadd", "-q", "-f", str(self.config), "-l", str(ldif)],
            capture_output=True,
            text=True,
            check=False,
        )
        ldif.unlink()
        if loaded.returncode:
            raise WardwellError(f"The directory could not be filled: {loaded.stderr[-300:]}", "Run `make demo` again.")

    def configure(self, ca_file: Path, certificate: Path, key: Path) -> None:
        """Write `slapd.conf` for this port and these certificates."""
        self.folder.mkdir(parents=True, exist_ok=True)
        schemas = "\n".join(f"include {_SCHEMA_FOLDER / schema}.schema" for schema in _SCHEMAS)
        self.config.write_text(
            f"""{schemas}
modulepath {_MODULE_FOLDER}
moduleload back_mdb
pidfile {self.folder / "slapd.pid"}
argsfile {self.folder / "slapd.args"}
TLSCACertificateFile {ca_file}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
TLSVerifyClient never
require authc
disallow bind_anon
loglevel none
database mdb
suffix "{BASE_DN}"
directory {self._data}
maxsize 67108864
index objectClass eq
index uid eq
index employeeNumber eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{SERVICE_DN}" read by self read by * none
"""
        )
