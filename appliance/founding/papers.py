"""The founding papers: what the appliance writes out unsigned, for two parties to sign on machines of their own.

Owns: the papers' names and namespaces, `site.json`, and the folder that is carried to the signers. Must never see: a
private key, a slip. The papers hold public keys, host names, the charter, and, once filled in, names of role holders.
"""

from __future__ import annotations

import json
from pathlib import Path

from appliance.charter.schema import SHIPPED, Charter
from appliance.crypto import canonical
from appliance.crypto.notes import Verifier
from appliance.crypto.restore_statement import CUSTODY_KEY
from appliance.errors import WardwellError
from appliance.settings import Home, Settings

SITE, CHARTER, ROSTER, FOUNDING = "site.json", "charter.toml", "roster.csv", "founding.toml"
SITE_NAMESPACE = "wardwell-site"
# Signed by agency and trustee, as FILE.agency.sig and FILE.trustee.sig.
BY_BOTH = {CHARTER: "wardwell-charter", FOUNDING: "wardwell-charter", ROSTER: "wardwell-roster", SITE: SITE_NAMESPACE}
SIGNERS = ("agency", "trustee")
_HERE = Path(__file__).parent


def site(home: Home, settings: Settings, charter: Charter, witness_vkey: str, version: int) -> bytes:
    """`site.json` as it is signed: canonical JSON, with the keys that this appliance has made.

    `version` counts from 1: a browser takes none with a lower one than it saw before.

    Raises WardwellError when it has not made them yet.
    """
    return canonical.canonical(
        {
            "version": version,
            "agency": settings.agency,
            "time_zone": settings.time_zone,
            "hosts": {"desk": settings.hosts.desk, "post": settings.hosts.post, "space": settings.hosts.space},
            "demonstration": settings.demonstration,
            "ledger_vkey": _made(home, "ledger", "vkey"),
            "witness_vkey": witness_vkey,
            "custody_vkey": _custody(home),
            "charter_digest": charter.digest,
            "report_key": _made(home, "press", "report.pub"),
        }
    )


def published_version(home: Home) -> int:
    """The version of the `site.json` that is public, 0 when there is none. Raises WardwellError when it is damaged."""
    path = home.public / SITE
    try:
        return int(json.loads(path.read_bytes()).get("version", 0)) if path.exists() else 0
    except (ValueError, TypeError, AttributeError):
        raise WardwellError(
            "The public site.json is damaged.",
            "Take in the newest signed papers again: `wardwell found accept`.",
        ) from None


def next_site(home: Home, settings: Settings, charter: Charter, witness_vkey: str) -> bytes:
    """The `site.json` to be signed: the one that is public where it still says what is so, else its successor."""
    published = published_version(home)
    if published and site(home, settings, charter, witness_vkey, published) == (home.public / SITE).read_bytes():
        return (home.public / SITE).read_bytes()
    return site(home, settings, charter, witness_vkey, published + 1)


def _made(home: Home, *place: str) -> str:
    try:
        return home.public.joinpath(*place).read_text().strip()
    except FileNotFoundError:
        raise WardwellError(
            f"The appliance has not made its key of {place[0]} yet.",
            f"Unseal it, and see that wardwell@{place[0]} has started once.",
        ) from None


def _custody(home: Home) -> str:
    # Published at each unsealing; by it a browser tells a restore that both sides signed from a rewritten log.
    path = home.public / "ledger" / CUSTODY_KEY
    return path.read_text().strip() if path.exists() else ""


def witness_key(home: Home, settings: Settings, given: str) -> str:
    """The witness's verifier key: the one `given`, else that of the witness on this machine. Raises WardwellError."""
    if not given and settings.witness == "here" and (home.public / "witness" / "vkey").exists():
        given = (home.public / "witness" / "vkey").read_text()
    if not given:
        raise WardwellError(
            "The witness's key is not known.",
            "Ask the officers' trustee for the line of `wardwell kit witness-key`, and give it by --witness-key.",
        )
    return str(Verifier.parse(given.strip()))


def write_request(home: Home, folder: Path, *, witness_vkey: str, charter: Path | None) -> list[str]:
    """Write the unsigned papers into `folder`; the names of those written. What people filled in is left as it is.

    Raises WardwellError when papers there are signed already for something else.
    """
    text = (charter or SHIPPED).read_bytes()
    document = Charter(text, (charter or SHIPPED).name)
    unsigned = {SITE: next_site(home, home.settings(), document, witness_vkey), CHARTER: text}
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in unsigned.items():
        path = folder / name
        if path.exists() and path.read_bytes() != data and any(folder.glob(f"{name}.*sig")):
            raise WardwellError(f"{name} in {folder} is signed, and its content differs.", "Take an empty folder.")
    templates = {
        name: (_HERE / "templates" / name).read_bytes() for name in (FOUNDING, ROSTER, "README.txt", "sign.sh")
    }
    written = []
    for name, data in {**unsigned, **templates}.items():
        filled_in = name in (FOUNDING, ROSTER) and (folder / name).exists()
        if not filled_in:
            (folder / name).write_bytes(data)
            written.append(name)
    return written
