"""The commands `wardwell post …`. Owns: what they take and print. Must never see: a cell's content."""

from __future__ import annotations

import contextlib

import click

from appliance import logs
from appliance.errors import WardwellError
from appliance.settings import Home


@click.group()
def post() -> None:
    """The sealed post: epochs and boards."""


@post.command()
def work() -> None:
    """Run post's clock: close an epoch when it is due. Stop it with SIGTERM."""
    from appliance.charter import load_charter
    from appliance.post.memory import Memory
    from appliance.post.worker import work as run
    from appliance.runtime.worker import controlled
    from appliance.storage import open_store

    home = Home.find()
    logs.configure(home)
    with controlled(home, "post") as control, contextlib.closing(open_store(home, "post")) as store:
        run(store, Memory(home), load_charter(home), control)


@post.command()
@click.option("--force", is_flag=True, help="Close before it is due; in the demonstration only.")
def close(force: bool) -> None:
    """Close the open epoch when it is due, and publish its boards."""
    from appliance.charter import load_charter
    from appliance.post import epochs
    from appliance.post.memory import Memory
    from appliance.storage import open_store

    home = Home.find()
    if force and not home.settings().demonstration:
        raise WardwellError(
            "An epoch is never closed early: a board with few cells would tell who wrote.",
            "Wait; it closes by itself at the charter's hour.",
        )
    store, memory = open_store(home, "post"), Memory(home)
    try:
        epochs.finish(store, memory)
        if not force and not epochs.due(store, memory, load_charter(home)):
            click.echo(f"Epoch {epochs.current(store).epoch} stays open: it is not due.")
            return
        closed = epochs.turn(store, memory)
        click.echo(f"Epoch {closed} is closed; its boards are public. Epoch {closed + 1} is open.")
    finally:
        store.close()
