"""`wardwell backup create|verify|list|prune|restore`.

Owns: what these commands take, print and return (0 in order, 1 failed, 2 wrong usage, 3 refused before anything
changed). Progress goes to standard error. Must never see: anything about a person.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from appliance.errors import Refused, WardwellError
from appliance.output import json_option, tell
from appliance.settings import Home

if TYPE_CHECKING:
    from appliance.backup.format import Manifest

_FOLDER = click.Path(path_type=Path)


@click.group()
def backup() -> None:
    """Backups: encrypted to custody, incremental, read back after every run."""


def _say(text: str) -> None:
    click.echo(f"== {text}", err=True)


@backup.command()
@click.option("--to", "folder", type=_FOLDER, help="Folder of backups (default: backup.to of wardwell.toml).")
@json_option
def create(folder: Path | None, as_json: bool) -> None:
    """Make one backup, read it back, and forget those older than 35 days. Runs while the appliance is in use."""
    from appliance.backup import keys as identity
    from appliance.backup import last_run, retention
    from appliance.backup.create import create as make
    from appliance.backup.repository import Repository

    home = Home.find()
    settings = home.settings().backup
    to = (folder or Path(settings.to)).absolute()
    begun = time.monotonic()
    try:
        if settings.mounted and folder is None and not os.path.ismount(to):
            raise Refused(f"No disk is mounted at {to}.", "Plug in the backup disk and mount it there.")
        made = make(home, to, identity.keys_of(home), identity.recipient_of(home), _say)
        gone, pieces = retention.prune(Repository(to), settings.keep_days)
    except (WardwellError, OSError) as error:
        _note_failure(home, to, error, time.monotonic() - begun)
        raise
    seconds = time.monotonic() - begun
    record = last_run.Record(
        ok=True,
        at=made.made_at,
        id=made.id,
        destination=str(to),
        plain_bytes=made.plain_bytes,
        new_bytes=made.new_bytes,
        seconds=round(seconds, 1),
    )
    last_run.write(home, record)
    if as_json:
        tell(True, "", **_facts(made), seconds=round(seconds, 1), forgotten=gone)
        return
    click.echo(f"{made.id}: {made.files} files, {made.plain_bytes / 1e6:.1f} MB, {seconds:.1f} s")
    click.echo(f"{made.new_pieces} of {made.pieces} pieces are new, {made.new_bytes / 1e6:.1f} MB")
    click.echo(f"{gone} backups and {pieces} pieces were too old and are gone")


def _note_failure(home: Home, to: Path, error: WardwellError | OSError, seconds: float) -> None:
    """Leave word for `status`, `doctor` and the relays; a full or missing data volume must not hide the reason."""
    from appliance import clock
    from appliance.backup import last_run

    message = error.message if isinstance(error, WardwellError) else f"{error.strerror or 'a disk failed'}"
    record = last_run.Record(
        ok=False,
        at=clock.now().isoformat(timespec="seconds"),
        destination=str(to),
        seconds=round(seconds, 1),
        message=message,
        fix=error.fix if isinstance(error, WardwellError) else "Look at both disks, then run it again.",
    )
    try:
        last_run.write(home, record)
    except OSError:
        _say("the failure could not be noted either")
    if isinstance(error, OSError):
        raise WardwellError(f"The backup failed: {message}.", record.fix) from None


def _facts(manifest: Manifest) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(manifest)
    return fields


@backup.command(name="list")
@click.argument("folder", type=_FOLDER, required=False)
@json_option
def list_(folder: Path | None, as_json: bool) -> None:
    """List complete backups. FOLDER: where they are (default: backup.to of wardwell.toml)."""
    from appliance.backup.repository import Repository

    repository = Repository(folder or Path(Home.find().settings().backup.to))
    if not repository.folder.is_dir():
        raise Refused(f"There is no folder {repository.folder}.", "Attach the disk, or name another folder.")
    rows: list[Manifest | str] = []
    for name in repository.ids():
        try:
            rows.append(repository.manifest(name))
        except WardwellError as error:
            rows.append(f"{name}: {error.message}")
    damaged = [row for row in rows if isinstance(row, str)]
    good = [row for row in rows if not isinstance(row, str)]
    if as_json:
        tell(True, "", ok=not damaged, backups=[_facts(row) for row in good], damaged=damaged)
    else:
        for row in good:
            click.echo(
                f"{row.id}  version {row.wardwell}  {row.plain_bytes / 1e6:9.1f} MB"
                f"  {row.new_bytes / 1e6:9.1f} MB new  access log of {row.ledger_size}"
            )
        for line in damaged:
            click.echo(f"WRONG  {line}")
        click.echo(f"{len(good)} backups.")
    if damaged:
        sys.exit(1)


@backup.command()
@click.argument("source", type=_FOLDER, required=False)
@click.option("--identity", type=_FOLDER, help='Root secret (32 bytes or 64 hex digits; "-" reads standard input).')
@click.option("--shares", is_flag=True, help="Ask for custody's cards, one after the other.")
@click.option("--stdin", is_flag=True, help="Take custody's cards from standard input, one a line.")
@click.option("--restore-into", "scratch", type=_FOLDER, help="Restore there, look at everything, and remove it.")
@json_option
def verify(
    source: Path | None, identity: Path | None, shares: bool, stdin: bool, scratch: Path | None, as_json: bool
) -> None:
    """Check backups. SOURCE: a folder of backups, or one backup in it (default: backup.to of wardwell.toml).

    Without the root secret: every piece is there and is what was written. With it: the manifests too, and with
    --restore-into everything is decrypted, every database opened and the access log's head compared.
    """
    from appliance.backup import restore as restoring
    from appliance.backup.verify import verify as check

    root = _root(identity, shares, stdin)
    if scratch is not None and root is None:
        raise click.UsageError("--restore-into needs --identity, --shares or --stdin: pieces open to custody alone.")
    repository, newest = restoring.find(source or Path(Home.find().settings().backup.to))
    only = newest if source is not None and source.name == newest else ""
    seal, recipient = _seal(root)
    verdicts = check(repository, only, seal, recipient)
    if (
        scratch is not None
        and root is not None
        and not any(verdict.problems for verdict in verdicts if verdict.id == newest)
    ):
        with _scratch(scratch) as folder:
            restoring.into(restoring.open_backup(repository, newest, root), folder, _say)
        _say(f"{newest} restored into a scratch folder: every database opens, the access log's head fits")
    if as_json:
        judged = [{"id": verdict.id, "problems": list(verdict.problems)} for verdict in verdicts]
        tell(True, "", ok=bool(verdicts) and not any(verdict.problems for verdict in verdicts), backups=judged)
    else:
        for verdict in verdicts:
            state = "WRONG" if verdict.problems else "ok   "
            click.echo(f"{state}  {verdict.id}  {' '.join([*verdict.problems, verdict.remark])}")
        made = "made by this appliance, " if seal is not None else ""
        good = sum(not verdict.problems for verdict in verdicts)
        click.echo(f"{good} of {len(verdicts)} backups {made}complete and unaltered.")
    if not verdicts or any(verdict.problems for verdict in verdicts):
        sys.exit(1)


def _seal(root: bytes | None) -> tuple[bytes | None, str]:
    """What tells whether this appliance made a manifest, as far as it is at hand: the seal key, and the recipient."""
    from appliance.backup.keys import keys_from_root, keys_of, recipient_of
    from appliance.custody.keys import backup_recipient

    if root is not None:
        return keys_from_root(root).seal, backup_recipient(root)
    try:
        return keys_of(Home.find()).seal, recipient_of(Home.find())
    except WardwellError:
        return None, ""


@contextmanager
def _scratch(above: Path) -> Iterator[Path]:
    """A private folder in `above`, removed at the end."""
    above.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".wardwell-scratch-", dir=above))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _root(identity: Path | None, shares: bool, stdin: bool) -> bytes | None:
    """The root secret, from where it was said to come; None when nothing was said."""
    from appliance.backup import cards
    from appliance.backup.keys import read_root

    if (identity is not None) + shares + stdin > 1:
        raise click.UsageError("Give one of --identity, --shares and --stdin.")
    if identity is not None:
        return read_root(identity)
    if stdin:
        return cards.from_stdin()
    return cards.ask() if shares else None


@backup.command()
@click.argument("source", type=_FOLDER)
@click.option("--to", "target", type=_FOLDER, help="Home to restore into (default: this machine's).")
@click.option("--identity", type=_FOLDER, help='Root secret (32 bytes or 64 hex digits; "-" reads standard input).')
@click.option("--stdin", is_flag=True, help="Take custody's cards from standard input, one a line.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done, and whether it can.")
@click.option("--set-aside", "aside", is_flag=True, help="Move what is there to a folder beside it first.")
@json_option
def restore(
    source: Path,
    target: Path | None,
    identity: Path | None,
    stdin: bool,
    dry_run: bool,
    aside: bool,
    as_json: bool,
) -> None:
    """Restore a backup. SOURCE: a folder of backups (its newest), or one backup in it. Asks for custody's cards."""
    from appliance.backup import restore as restoring
    from appliance.backup.after import finish, require_stopped

    home = Home(target.absolute()) if target is not None else Home.find()
    require_stopped(home)
    repository, name = restoring.find(source)
    root = _root(identity, identity is None and not stdin, stdin)
    if root is None:
        raise click.UsageError("A restore needs custody's cards.")
    opened = restoring.open_backup(repository, name, root, restoring.expected_recipient(home))
    if not aside:
        restoring.check_target(home, opened.size)
    say = _say if as_json else click.echo
    say(_words(opened.manifest))
    if dry_run:
        restoring.check_pieces(opened)
        tell(as_json, "Nothing was changed: it can be restored.", backup=_facts(opened.manifest), changed=False)
        return
    moved = restoring.set_aside(home, name) if aside else None
    if moved is not None:
        say(f"The previous state was moved to {moved}.")
    restoring.check_target(home, opened.size)
    restoring.restore(opened, home, _say)
    finish(home, opened, root, say)
    if as_json:
        moved_to = None if moved is None else str(moved)
        tell(True, "", backup=_facts(opened.manifest), changed=True, set_aside=moved_to)


def _words(manifest: Manifest) -> str:
    return (
        f"{manifest.id}: made by version {manifest.wardwell}, {manifest.files} files, "
        f"{manifest.plain_bytes / 1e6:.1f} MB, access log of {manifest.ledger_size} entries"
    )
