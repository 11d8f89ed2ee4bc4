"""From the root secret to a serving appliance, and back to a sealed one.

Owns: the order of the steps, and taking them back when one fails. Must never see: a card. The root secret passes
through; nothing here keeps it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from appliance import durable
from appliance.custody import keys
from appliance.custody.machine import Machine
from appliance.custody.public_record import Places, PublicRecord
from appliance.custody.restore_signature import publish_custody_key
from appliance.errors import Refused, WardwellError
from appliance.settings import COMPARTMENTS, Home

Say = Callable[[str], None]


def require_right(record: PublicRecord, root: bytes) -> None:
    """Refuse a root secret that is not this appliance's. Raises Refused."""
    if str(keys.custody_signer(root).verifier) != record.custody_key:
        raise Refused("These cards were made for another appliance.", "Use the cards that were made for this one.")


def prepare_volume(places: Places, machine: Machine, device: str, root: bytes, say: Say) -> None:
    """Have the data volume made, unlocked and with a file system. Never overwrites anything that is there.

    May be interrupted anywhere and called again. Raises Refused when the device holds something else.
    """
    if not device:
        places.home.root.mkdir(parents=True, exist_ok=True)
        return
    contents = machine.contents(device)
    if contents == "":
        say(f"making the encrypted volume on {device} ...")
        machine.format(device, keys.disk_key(root))
    elif contents != "crypto_LUKS" or not machine.fits(device, keys.disk_key(root)):
        raise holds_something(device)
    if not machine.is_open():
        machine.open(device, keys.disk_key(root))
    inside = machine.contents(str(machine.volume))
    if inside == "":
        say("making its file system ...")
        machine.make_file_system()
    elif inside != "ext4":
        raise holds_something(str(machine.volume))


def holds_something(device: str) -> Refused:
    """The refusal of a device that is not blank."""
    return Refused(
        f"{device} is not blank, and nothing on it will be overwritten.",
        f"If nobody needs what is there, empty it by hand (`wipefs --all {device}`), and begin again.",
    )


def unseal(places: Places, machine: Machine, record: PublicRecord, root: bytes, say: Say) -> None:
    """Unlock and mount the volume, hand out keys, start the compartments. Doing it again does what is missing.

    Raises Refused for another appliance's root secret; any failure takes back what this call opened.
    """
    require_right(record, root)
    with contextlib.ExitStack() as undo:
        if record.device and not machine.is_open():
            say("unlocking the data volume ...")
            machine.open(record.device, keys.disk_key(root))
            undo.callback(_quietly, machine.close)
        if record.device and not machine.is_mounted(places.home):
            machine.mount(places.home)
            undo.callback(_quietly, lambda: machine.unmount(places.home))
        machine.lay_out(places.home)
        _mark(places.home)
        publish_custody_key(places.home, root)
        undo.callback(_forget_keys, places)
        _hand_out_keys(places, root)
        say("starting the compartments ...")
        places.unsealed.touch(0o644)
        undo.callback(places.unsealed.unlink, missing_ok=True)
        machine.start()
        undo.pop_all()


def seal(places: Places, machine: Machine, record: PublicRecord, say: Say) -> None:
    """Stop the compartments, destroy their keys, lock the volume. Doing it again does what is missing."""
    stop(places, machine, say)
    if not record.device:
        return
    if machine.is_mounted(places.home):
        machine.unmount(places.home)
    if machine.is_open():
        say("locking the data volume ...")
        machine.close()


def stop(places: Places, machine: Machine, say: Say) -> None:
    """Stop the compartments and destroy their keys; the volume stays as it is."""
    say("stopping the compartments ...")
    machine.stop()
    places.unsealed.unlink(missing_ok=True)
    _forget_keys(places)


def _mark(home: Home) -> None:
    if not home.settings().demonstration:
        (home.root / keys.PRODUCTION_MARK).touch(0o644)


def _hand_out_keys(places: Places, root: bytes) -> None:
    places.run.mkdir(parents=True, exist_ok=True)
    places.keys.mkdir(mode=0o700, exist_ok=True)
    places.keys.chmod(0o700)
    for compartment in COMPARTMENTS:
        # Only root reads them; systemd hands each compartment its own.
        durable.replace(places.keys / compartment, keys.compartment_key(root, compartment).encode(), mode=0o400)


def _forget_keys(places: Places) -> None:
    # With them whatever a killed unsealing left under a temporary name.
    for path in list(places.keys.iterdir()) if places.keys.is_dir() else ():
        path.unlink()


def _quietly(step: Callable[[], None]) -> None:
    # Taking back is tried as far as it goes; the failure that led here is the one that is told.
    with contextlib.suppress(WardwellError):
        step()
