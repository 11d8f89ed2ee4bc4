"""Updates: a signed, newer bundle, or nothing; and back by itself when the new version is not in order.

Owns: the order of an update. Must never see: what is in the databases.

    check     the bundle is whole, signed by the installed key, newer, and for this Debian; nothing is changed
    stage     it lies beside the running version
    apply     backup, read back; page of maintenance, compartments stopped; databases copied when schemas change;
              switch; the new version's own `apply`; compartments started; in order: opened, else back

Behind the page nobody can write, and intake leaves dropped files where they are, so going back loses nothing. One thing
is never taken back: a published head of the access log. When the log grew while the new version was tried, putting old
databases back would look like a fork to the witness; then custody's cards are needed (`wardwell backup restore`).
Where it stands is noted before each step; what a power cut interrupted is undone or finished by `resume`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from appliance.errors import Refused, WardwellError
from appliance.operate.update_machine import COMPARISON, Machine, State

if TYPE_CHECKING:
    from appliance.operate.bundle import Bundle

Say = Callable[[str], None]


def check(machine: Machine, file: Path) -> Bundle:
    """Read the bundle and see that it may be installed here. Raises Refused; changes nothing."""
    from appliance.operate.bundle import read_bundle

    bundle = read_bundle(file, machine.fingerprint())
    bundle.check_update(machine.leads("current"), machine.debian())
    return bundle


def stage(machine: Machine, file: Path, say: Say) -> str:
    """Put the version of `file` beside the running one; its number. Raises Refused before anything is changed."""
    bundle = check(machine, file)
    version = bundle.manifest.version
    with machine.alone():
        _require_rest(machine)
        machine.sweep({machine.leads("current"), machine.leads("previous"), version})
        with tempfile.TemporaryDirectory(dir=machine.base, prefix=".unpacking-") as folder:
            say(f"unpacking version {version}")
            # install.sh checks signature and digests once more, of what came out.
            machine.stage(bundle.unpack(Path(folder)))
    return version


def apply(machine: Machine, version: str, say: Say) -> None:
    """Change to a staged version. Raises Refused before anything changed; WardwellError when it went back."""
    with machine.alone():
        _require_rest(machine)
        _change(machine, version, say)


def rollback(machine: Machine, say: Say) -> str:
    """Change to the version before; its number. Raises Refused when there is none, or its schemas are older."""
    with machine.alone():
        _require_rest(machine)
        now, before = machine.leads("current"), machine.leads("previous")
        if not before or before == now or not machine.staged(before):
            raise Refused("There is no earlier version here.", "Restore a backup on a machine with that version.")
        if machine.schemas(now) - machine.schemas(before):
            raise Refused(
                f"Version {before} cannot read the databases of version {now}.",
                "Restore the backup from before the update with custody's cards: wardwell backup restore DIR",
            )
        _change(machine, before, say)
    return before


def resume(machine: Machine, say: Say) -> bool:
    """Undo or finish what was interrupted, here and now; whether there was anything."""
    with machine.alone():
        state = machine.state()
        if state is None:
            return False
        if state.moves and not machine.unsealed():
            raise Refused("The appliance is sealed.", "Unseal it: the databases are settled before anything starts.")
        if state.step == "accept":
            _accept(machine)
            _accept_files(machine, say)
        elif state.step == "hold":
            machine.drop_copy()
            _serve(machine, state.old)
        else:
            _back(machine, state, say)
        machine.keep(None)
    return True


def resume_at_boot(machine: Machine, say: Say) -> None:
    """The half that needs no data volume: after a start the appliance is sealed. What is left is `resume_data`'s."""
    with machine.alone():
        state = machine.state()
        if state is None:
            return
        if state.step in ("trial", "back"):
            say(f"version {state.new} was not accepted before the machine stopped; going back to {state.old}")
            state = msgspec.structs.replace(state, step="back")
            machine.keep(state)
            machine.switch(state.old, state.old)
            machine.configure(state.old)
        if not state.moves:
            machine.keep(None)


def resume_data(machine: Machine, say: Say) -> None:
    """The half that needs the data volume, before any compartment starts. Leaves an update that is going on alone."""
    state = machine.state()
    if state is None or state.boot == machine.boot():
        return
    with machine.alone(wait=True):
        state = machine.state()
        if state is None:
            return
        if state.step == "back" and state.moves:
            _put_back(machine, state, say)
        machine.drop_copy()
        machine.keep(None)


def _require_rest(machine: Machine) -> None:
    if machine.state() is not None:
        raise Refused("An update was interrupted here.", "Run `wardwell update resume` first.")


def _change(machine: Machine, version: str, say: Say) -> None:
    old = machine.leads("current")
    if not machine.staged(version):
        raise Refused(f"Version {version} is not staged here.", "Run `wardwell update stage FILE` first.")
    if version == old:
        raise Refused(f"Version {version} already runs here.", "There is nothing to do.")
    if not machine.unsealed():
        raise Refused("The appliance is sealed.", "Unseal it, then update: the backup comes first.")
    moves = machine.schemas(version) != machine.schemas(old)
    if moves and not machine.room():
        raise Refused(
            "The data volume has no room for a copy of the databases beside the reserve.",
            "Enlarge it, or free space (`wardwell disk status`).",
        )
    wrong_before = machine.wrong(old)
    say("comparing the system's files with the accepted ones")
    if machine.compare_files() is False:
        say(f"some files already differ, so the update's changes will not be accepted unseen: {COMPARISON} says which")
    say("backup, read back")
    machine.backup()
    # The version that settles an interruption is the one that runs now.
    machine.switch(old, old)
    state = State("hold", old, version, moves, machine.boot(), machine.head())
    machine.keep(state)
    say("maintenance page on; stopping the compartments")
    try:
        machine.hold()
        if moves:
            say("copying the databases, since their schemas change")
            machine.copy()
    except WardwellError:
        machine.drop_copy()
        _serve(machine, old)
        machine.keep(None)
        raise
    # What the compartments did while they stopped counts as before.
    state = msgspec.structs.replace(state, step="trial", log=machine.head())
    machine.keep(state)
    why = _try(machine, state, wrong_before, say)
    if why:
        state = msgspec.structs.replace(state, step="back", why=why)
        machine.keep(state)
        _back(machine, state, say)
        machine.keep(None)
        raise WardwellError(
            f"Version {version} was not in order, so version {old} runs again: {why}",
            "Nothing is lost. Read `wardwell logs`, and send `wardwell support-bundle` to whoever made the bundle.",
        )
    state = msgspec.structs.replace(state, step="accept")
    machine.keep(state)
    _accept(machine)
    machine.keep(None)
    _accept_files(machine, say)


def _accept_files(machine: Machine, say: Say) -> None:
    """Last, since the update is over by then: what it changed is not reported as a stranger's change."""
    try:
        if machine.accept_files():
            say("the system's files are accepted as the update left them")
    except WardwellError as error:
        say(f"{error.message} The next comparison will name what the update changed: `{COMPARISON} accept`.")


def _try(machine: Machine, state: State, allowed: set[str], say: Say) -> str:
    """Start the new version behind the page; why it may not stay, "" when it may."""
    try:
        say(f"version {state.new}")
        machine.switch(state.new, state.old)
        machine.configure(state.new)
        machine.start()
        say("health check")
        wrong = machine.wait_healthy(state.new, allowed)
    except WardwellError as error:
        return error.message
    return f"not in order: {', '.join(sorted(wrong))}" if wrong else ""


def _accept(machine: Machine) -> None:
    machine.drop_copy()
    if machine.unsealed():
        machine.start()
    machine.open()


def _back(machine: Machine, state: State, say: Say) -> None:
    say(f"going back to version {state.old}")
    machine.stop()
    machine.switch(state.old, state.old)
    machine.configure(state.old)
    if state.moves:
        _put_back(machine, state, say)
        machine.drop_copy()
    _serve(machine, state.old)


def _put_back(machine: Machine, state: State, say: Say) -> None:
    """Raises WardwellError when the log grew; then the update is over, and the page of maintenance stays."""
    if machine.head() != state.log:
        machine.keep(None)
        raise WardwellError(
            f"Version {state.old} is back, but the access log grew while {state.new} was tried, and its "
            "published head is never taken back.",
            "Restore the backup that was just made: wardwell backup restore DIR --set-aside (custody's cards), "
            "then: wardwell maintenance off",
        )
    say("putting the databases back")
    machine.put_back()


def _serve(machine: Machine, version: str) -> None:
    """Start the compartments and open the front; a version that ran before is not judged."""
    if machine.unsealed():
        machine.start()
        machine.wait_healthy(version, set(), 60.0)
    machine.open()
