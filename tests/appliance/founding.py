"""The founding as its people do it: papers carried out, filled in, signed on two machines of their own, carried back.

The trustee's machine is a folder here with the kit's commands; nothing of it is on the appliance.
"""

from __future__ import annotations

import io
import re
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from appliance.desk.sign_in.accounts import hash_password
from tests.appliance.agency import Agency, toml
from tests.appliance.release import WARDWELL
from tests.appliance.rootfs import run
from tests.appliance.ssh import Shell
from tests.demonstration.agency import LOCAL_ROLES, write_roster

_PAPERS = "/root/papers"


@dataclass
class Founded:
    """What the people have afterwards: slips by sign-in name; the witness's folder; the signed papers."""

    papers: Path
    witness: Path
    slips: dict[str, str] = field(default_factory=dict)


def found(shell: Shell, agency: Agency, folder: Path) -> Founded:
    """The whole founding. The appliance is unsealed and its compartments have started once."""
    papers, witness = folder / "papers", folder / "witness"
    key = run(WARDWELL, "kit", "witness-key", "--state", witness).strip().splitlines()[-1]
    shell.run(f"rm -rf {_PAPERS}; wardwell found request --to {_PAPERS} --witness-key '{key}'")
    _carry_out(shell, papers)
    write_roster(agency.people, papers / "roster.csv")
    document = papers / "founding.toml"
    document.write_text(_document(agency))
    slips = folder / "slips.txt"
    slips.unlink(missing_ok=True)
    run(WARDWELL, "kit", "slips", document, "--print", slips)
    prints = {}
    for signer in ("agency", "trustee"):
        said = run("sh", papers / "sign.sh", signer, agency.signer(signer))
        found_print = re.search(r"SHA256:[A-Za-z0-9+/]+", said)
        assert found_print, said
        prints[signer] = found_print.group()
    _carry_in(shell, papers)
    keys = " ".join(f"--{signer}-key {value}" for signer, value in prints.items())
    shell.run(f"wardwell found accept --from {_PAPERS} {keys}", timeout=600)
    return Founded(papers, witness, _slips_of(agency, slips.read_text()))


def _document(agency: Agency) -> str:
    """The founding document: one person for each role, as the demonstration has them."""
    roles = agency.people.roles
    local = [roles[role] for role in LOCAL_ROLES]
    return toml(
        {
            "local_accounts": [
                {"sign_in_name": person.name, "name": person.display, "password": hash_password(person.password)}
                for person in local
            ],
            "grants": [
                {"role": role, **({"sign_in_name": person.name} if person in local else {"person_id": person.number})}
                for role, person in roles.items()
                if role != "officer"
            ],
        }
    )


_SLIP = re.compile(r"^(\S+)\n    slip +([0-9A-Z-]+)$", re.MULTILINE)


def _slips_of(agency: Agency, text: str) -> dict[str, str]:
    """Sign-in name -> slip, from the trustee's printout, which names people by number or by local sign-in name."""
    names = {person.number: person.name for person in agency.people.people}
    return {names.get(holder, holder): slip for holder, slip in _SLIP.findall(text)}


def _carry_out(shell: Shell, papers: Path) -> None:
    papers.mkdir(parents=True, exist_ok=True)
    shell.run(f"tar -C {_PAPERS} -cf /root/papers.tar .")
    with tarfile.open(fileobj=io.BytesIO(shell.get("/root/papers.tar"))) as tar:
        tar.extractall(papers)


def _carry_in(shell: Shell, papers: Path) -> None:
    archive = papers.with_suffix(".tar")
    with tarfile.open(archive, "w") as tar:
        tar.add(papers, ".")
    shell.put(archive, "/root/papers.tar")
    shell.run(f"tar -C {_PAPERS} -xf /root/papers.tar --no-same-owner")
