"""A real Active Directory (Samba AD DC) in a network namespace of its own, with a handful of people.

It needs the well-known ports, so it gets its own loopback: nothing of it can be reached from outside the namespace.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.settings import Directory
from tests.support.certificates import Authority
from tests.support.waiting import until

REALM, BASE = "AGENCY.EXAMPLE", "DC=agency,DC=example"
PASSWORD = "right horse battery 1"
SERVICE_PASSWORD = "service horse 1"
LOCKOUT = 3

# name -> employeeID; all with PASSWORD.
PEOPLE = {
    "carver": "E1001",
    "disabled": "E1002",
    "expired": "E1003",
    "locked": "E1004",
    "mustchange": "E1005",
    "oldpassword": "E1006",
    "outsider": "E1007",
}

# userPrincipalName or sAMAccountName; employees by nested group (LDAP_MATCHING_RULE_IN_CHAIN).
USER_FILTER = "(&(objectCategory=person)(|(userPrincipalName={name})(sAMAccountName={name})))"
EMPLOYEES_FILTER = f"(&{USER_FILTER}(memberOf:1.2.840.113556.1.4.1941:=CN=employees,CN=Users,{BASE}))"


@dataclass
class Samba:
    """A running domain controller; `inside` starts a command in its network."""

    authority: Authority
    folder: Path
    inside: tuple[str, ...]

    def settings(self, **changes: object) -> Directory:
        values: dict[str, object] = {
            "url": "ldaps://127.0.0.1:636",
            "ca_file": str(self.authority.ca_file),
            "base_dn": BASE,
            "bind_dn": f"service@{REALM.lower()}",
            "bind_password_file": str(self.folder / "service-password"),
            "user_filter": USER_FILTER,
            "roster_id_attribute": "employeeID",
            "name_attribute": "displayName",
            "timeout_seconds": 3.0,
        }
        return Directory(**{**values, **changes})  # type: ignore[arg-type]


def _unshare() -> list[str]:
    root = os.geteuid() == 0
    return ["unshare", "--net"] if root else ["unshare", "--user", "--map-root-user", "--net"]


def _provision(folder: Path) -> None:
    (folder / "run").mkdir(parents=True)
    options = {
        "interfaces": "lo",
        "bind interfaces only": "yes",
        "server services": "ldap, cldap, kdc",
        "pid directory": f"{folder}/run",
        "ncalrpc dir": f"{folder}/run/ncalrpc",
        "log file": f"{folder}/samba.log",
    }
    subprocess.run(
        [
            *_unshare(),
            *("samba-tool", "domain", "provision", f"--realm={REALM}", "--domain=AGENCY", "--server-role=dc"),
            *("--dns-backend=NONE", "--adminpass=Administrator-1", f"--targetdir={folder}/dc"),
            *("--host-ip=127.0.0.1", "--host-name=dc1"),
            *(f"--option={name}={value}" for name, value in options.items()),
        ],
        check=True,
        capture_output=True,
    )


def _tool(folder: Path, *words: str) -> None:
    database = ("-H", f"{folder}/dc/private/sam.ldb", "-s", f"{folder}/dc/etc/smb.conf")
    subprocess.run(["samba-tool", *words, *database], check=True, capture_output=True)


def _people(folder: Path) -> None:
    _tool(
        folder,
        *("domain", "passwordsettings", "set", "--complexity=off", "--min-pwd-length=4", "--min-pwd-age=0"),
        *(f"--account-lockout-threshold={LOCKOUT}", "--account-lockout-duration=30"),
    )
    _tool(folder, "user", "create", "service", SERVICE_PASSWORD)
    for name in PEOPLE:
        _tool(folder, "user", "create", name, PASSWORD)
    changes = [
        f"dn: CN={name},CN=Users,{BASE}\nchangetype: modify\nreplace: employeeID\nemployeeID: {number}\n-\n"
        f"replace: displayName\ndisplayName: The {name}"
        for name, number in PEOPLE.items()
    ]

    def modify(name: str, attribute: str, value: str) -> None:
        changes.append(f"dn: CN={name},CN=Users,{BASE}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}")

    modify("disabled", "userAccountControl", "514")
    modify("expired", "accountExpires", "130000000000000000")  # in 2012; 100 ns since 1601
    modify("mustchange", "pwdLastSet", "0")
    groups = [
        f"dn: CN=employees,CN=Users,{BASE}\nobjectClass: group\nsAMAccountName: employees\n"
        f"member: CN=patrol,CN=Users,{BASE}",
        f"dn: CN=patrol,CN=Users,{BASE}\nobjectClass: group\nsAMAccountName: patrol\nmember: CN=carver,CN=Users,{BASE}",
    ]
    for command, blocks in (("ldbmodify", changes), ("ldbadd", groups[::-1])):
        file = folder / f"{command}.ldif"
        file.write_text("\n\n".join(blocks) + "\n")
        subprocess.run([command, "-H", f"{folder}/dc/private/sam.ldb", str(file)], check=True, capture_output=True)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Samba]:
    """Provision and start the domain controller with its state under `folder`; about seven seconds."""
    authority = Authority(folder / "ca")
    certificate, key = authority.server("127.0.0.1", "dc1.agency.example")
    (folder / "service-password").write_text(SERVICE_PASSWORD)
    _provision(folder)
    _people(folder)
    start = 'ip link set lo up && exec samba --foreground --no-process-group --model=single "$@"'
    process = subprocess.Popen(
        [
            *_unshare(),
            *("sh", "-c", start, "samba", "-s", f"{folder}/dc/etc/smb.conf"),
            *(f"--option=tls keyfile={key}", f"--option=tls certfile={certificate}"),
            f"--option=tls cafile={authority.ca_file}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    enter: tuple[str, ...] = ("nsenter", f"--target={process.pid}", "--net")
    if os.geteuid() != 0:
        enter = (*enter, "--user", "--preserve-credentials")
    try:
        _wait(enter, process)
        yield Samba(authority, folder, enter)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)


def _wait(enter: tuple[str, ...], process: subprocess.Popen[bytes]) -> None:
    probe = [*enter, "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/636"]

    def listens() -> bool:
        assert process.poll() is None, "the domain controller ended at once"
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0

    until(listens, 15, 0.1)
