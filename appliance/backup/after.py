"""Before and after the files of a restore: a stopped appliance; then folders, keys, and two people's word.

Owns: `restored.json` in the home, which says what was restored and when. The log went back in time, which looks like a
fork to its witness; a statement that the cards of both groups sign says which checkpoint was gone back to.
Must never see: anything about a person.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable

from appliance import clock, durable
from appliance.backup.restore import Opened
from appliance.custody.keys import create_file_custody, root_file
from appliance.custody.restore_signature import record_restore
from appliance.errors import Refused
from appliance.settings import Home

MARK = "restored.json"


def require_stopped(home: Home) -> None:
    """Raises Refused while any compartment of `home` answers: files must not be moved from under it."""
    for name in ("ledger", "desk", "post"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1.0)
            connection.connect(str(home.socket(name)))
            raise Refused("The appliance is running there.", "Stop it first: `systemctl stop wardwell.target`.")


def finish(home: Home, backup: Opened, root: bytes, say: Callable[[str], None]) -> None:
    """Give the home what a backup does not hold: its folders, a demonstration's keys, and the mark of a restore."""
    settings = home.settings()
    if settings.custody == "file" and settings.demonstration:
        durable.create(root_file(home), root, mode=0o600)
        create_file_custody(home)
    if home.production:
        from appliance.layout import lay_out

        for line in lay_out(home):
            say(line)
    for feed in settings.feeds:
        home.drop(feed.name).mkdir(parents=True, exist_ok=True)
    manifest = backup.manifest
    mark = {
        "backup": manifest.id,
        "made_at": manifest.made_at,
        "size": manifest.ledger_size,
        "root": manifest.ledger_root,
        "restored_at": clock.now().isoformat(timespec="seconds"),
    }
    durable.replace(home.root / MARK, json.dumps(mark, indent=1).encode())
    say(f"Restored: the state of {manifest.made_at}, access log of {manifest.ledger_size} entries.")
    # The cards of both groups were just combined: with them the ledger says so itself when it next starts.
    record_restore(home, root, mark)
    say("Both custody groups signed that; the access log begins with it, so that its witness sees no fork.")
    say("Ask the CAD system for its exports since then; officers' browsers send open messages again by themselves.")
