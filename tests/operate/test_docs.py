"""What IT reads is true: every command that is named exists with its options, and every link leads somewhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

from provisioning.cli import wardwell
from provisioning.install import answers

ROOT = Path(__file__).parents[2]
PAGES = ["docs/installing.md", "docs/operating.md", "docs/decommissioning.md", "SECURITY.md"]
_SAID = re.compile(r"(?:`|^ *)(?:sudo )?wardwell ([^`\n]+?)(?:`|\n)", re.M)


def named(text: str) -> list[str]:
    """Every `wardwell …` of a page, in code or at the beginning of a line of a block."""
    return [found.strip() for found in _SAID.findall(text)]


def problem(said: str) -> str:
    """Why there is no such command; "" when there is."""
    command: click.Command = wardwell
    context = click.Context(command)
    for word in said.split():
        if word.startswith("--"):
            known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
            if word not in known:
                return f"{said}: no option {word}"
        elif isinstance(command, click.Group) and re.fullmatch(r"[a-z-]+", word):
            below = command.get_command(context, word)
            if below is None:
                return f"{said}: no command {word}"
            command = below
    return ""


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_is_named_exists(page: str) -> None:
    said = named((ROOT / page).read_text())
    assert said
    assert [problem(one) for one in said if problem(one)] == []


def test_a_command_that_is_not_there_is_noticed() -> None:
    assert named("Run `wardwell conjure` now.\n```sh\nsudo wardwell update stage FILE --force\n```\n") == [
        "conjure",
        "update stage FILE --force",
    ]
    assert problem("conjure") and problem("update stage FILE --force") and problem("cert rnew")
    assert problem("update stage FILE") == ""


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    here = ROOT / page
    links = re.findall(r"\]\(([^)#:]+)(?:#[a-z-]+)?\)", here.read_text())
    assert [link for link in links if not (here.parent / link).exists()] == []


def test_the_answers_that_are_shown_are_answers() -> None:
    shown = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/installing.md").read_text(), re.S)
    given = answers.decode(shown[0].encode(), "installing.md")
    assert given.three_hosts.space == "my.wellness.example.gov"
    relays = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/operating.md").read_text(), re.S)
    tables = shown[0].split("[directory]")
    both = answers.decode(f"{tables[0]}[directory]{tables[1]}\n{relays[0]}".encode(), "operating.md")
    assert both.smtp and both.smtp.recipients == ["it@example.gov"]
    assert set(tomllib.loads(relays[0])) == {"syslog", "smtp"}
    # The key is shown shortened.
    eye = answers.decode(f"{relays[1]}\n{shown[0]}".replace("AAAA...", "AAAA").encode(), "operating.md")
    assert eye.witness_key and eye.witness_networks
