"""New cards: for the same root secret (a card was lost, a holder leaves), or for a new one (a card was stolen).

Owns: both changes, and that either may be interrupted anywhere. Must never see: a disk with a card on it.

`new_cards` needs the present cards of both sides and leaves every key as it is, so old cards in enough hands would
still open: they are destroyed. `new_root` changes every key there is: while it runs, `custody.json` names the new set
under `next`, the volume takes both keys, and a database has either; going on needs the old and the new cards.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import msgspec
import sqlcipher3

from appliance.custody import ceremony, keys, opening, public_record
from appliance.custody.ceremony import Console, Plan
from appliance.custody.machine import Machine
from appliance.custody.paper import Paper
from appliance.custody.public_record import Places, PublicRecord
from appliance.custody.shares import GROUPS, Scheme, split
from appliance.errors import Refused, WardwellError
from appliance.settings import COMPARTMENTS


def new_cards(places: Places, console: Console, paper: Paper, scheme: Scheme) -> PublicRecord:
    """Make a new set of cards for the same root secret. Until every card was read back, the old set stays."""
    record = _settled(places)
    console.say("First type the present cards of both sides.")
    root = ceremony.collect(console, record)
    opening.require_right(record, root)
    plan = _plan(console, record, scheme)
    made = split(root, scheme)
    ceremony.hand_out(console, paper, made, plan, places.home.settings().agency)
    retired = [*record.retired, record.set_number]
    fresh = ceremony.new_record(root, made, plan, record.device, retired=retired)
    fresh = msgspec.structs.replace(fresh, state="held")
    public_record.save(places, fresh)
    console.say("The new cards count from now on. Destroy the old ones, every copy, in front of both sides.")
    return fresh


def new_root(places: Places, machine: Machine, console: Console, paper: Paper, scheme: Scheme) -> PublicRecord:
    """Make a new root secret and change every key to it. Stops the compartments; leaves the appliance unsealed."""
    record = public_record.load(places)
    if record.next is None:
        record = _settled(places)
        console.say("First type the present cards of both sides.")
        old = ceremony.collect(console, record)
        opening.require_right(record, old)
        plan = _plan(console, record, scheme)
        new = secrets.token_bytes(keys.ROOT_BYTES)
        made = split(new, scheme)
        ceremony.hand_out(console, paper, made, plan, places.home.settings().agency)
        retired = [*record.retired, record.set_number]
        following = ceremony.new_record(new, made, plan, record.device, retired=retired)
        public_record.save(places, msgspec.structs.replace(record, next=following))
    else:
        following = record.next
        console.say("A change of the root secret was interrupted; it goes on. First type the old cards of both sides.")
        old = ceremony.collect(console, record)
        opening.require_right(record, old)
        console.say("Now type the new cards of both sides.")
        new = ceremony.collect(console, following)
        opening.require_right(following, new)
    _change(places, machine, record, old, new, console.say)
    fresh = msgspec.structs.replace(following, state="held")
    public_record.save(places, fresh)
    opening.unseal(places, machine, fresh, new, console.say)
    console.say("Every key is new. Destroy the old cards when no backup from before is needed any more: those open")
    console.say("with the old cards alone. Make a backup now, and give the witness the new custody key:")
    console.say(f"  {fresh.custody_key}")
    return fresh


def rekey(path: Path, old: str, new: str) -> None:
    """Encrypt the database at `path` under `new` instead of `old` (64 hex digits each); done already: nothing.

    A power cut leaves it under one of the two. Raises WardwellError when neither opens it.
    """
    if _opens(path, new):
        return
    if not _opens(path, old):
        raise WardwellError(
            f"The database of {path.parent.name} opens with neither key.", "Restore it from a backup; change nothing."
        )
    connection = sqlcipher3.connect(str(path), isolation_level=None)
    try:
        connection.execute(f"PRAGMA key = \"x'{old}'\"")
        # With a rollback journal, whose pages stay under the old key, an interrupted change is taken back whole; in a
        # write-ahead log pages of both keys could meet. The compartment turns its log on again when it opens.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
        if mode != "delete":
            raise WardwellError(f"The database of {path.parent.name} is in use.", "Stop the compartments first.")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA rekey = \"x'{new}'\"")
    finally:
        connection.close()
    if not _opens(path, new):
        raise WardwellError(
            f"The database of {path.parent.name} did not accept its new key.", "Look at the disk's health."
        )


def _change(places: Places, machine: Machine, record: PublicRecord, old: bytes, new: bytes, say: opening.Say) -> None:
    opening.stop(places, machine, say)
    device, was, becomes = record.device, keys.disk_key(old), keys.disk_key(new)
    if device:
        if not machine.fits(device, becomes):
            machine.add_key(device, was, becomes)
        if not machine.is_open():
            machine.open(device, becomes)
        if not machine.is_mounted(places.home):
            machine.mount(places.home)
    for compartment in COMPARTMENTS:
        if places.home.database(compartment).exists():
            say(f"giving the database of {compartment} a new key ...")
            keys_of = (keys.compartment_key(root, compartment) for root in (old, new))
            rekey(places.home.database(compartment), *keys_of)
    if device and machine.fits(device, was):
        machine.remove_key(device, was)


def _settled(places: Places) -> PublicRecord:
    record = public_record.load(places)
    if record.state != "held":
        raise Refused("The ceremony is not finished.", "Finish it first: `wardwell custody ceremony`.")
    if record.next is not None:
        raise Refused("A change of the root secret was interrupted.", "`wardwell custody rotate --new-root` goes on.")
    return record


def _plan(console: Console, record: PublicRecord, scheme: Scheme) -> Plan:
    same = all(
        (record.group(name).threshold, len(record.group(name).checks)) == scheme.of(name) for name in GROUPS
    ) and not public_record.too_few_holders(record)
    if same and console.ask("Do the same people hold the new cards? (yes or no)").strip().lower() in ("y", "yes"):
        return Plan(scheme, {name: record.group(name).holders for name in GROUPS})
    return Plan(scheme, {name: ceremony.ask_holders(console, name, scheme) for name in GROUPS})


def _opens(path: Path, key: str) -> bool:
    connection = sqlcipher3.connect(str(path), isolation_level=None)
    try:
        connection.execute(f"PRAGMA key = \"x'{key}'\"")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlcipher3.DatabaseError:
        return False
    finally:
        connection.close()
    return True
