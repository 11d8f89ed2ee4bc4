"""The documents are true: every command, target, setting and file that they name exists, and every link resolves."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import msgspec
import pytest

from appliance.settings import Settings
from provisioning.cli import wardwell
from provisioning.install import answers
from tests.demonstration.commands import demo

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("docs/*/*.md"))
)
_COMMAND = re.compile(r"(?:`|^ *)(?:sudo |\.venv/bin/)*(wardwell(?:-demo)?) ([^`\n]+?)(?:`|\n)", re.M)
_TARGET = re.compile(r"(?:`|^ *)(?:sudo |env \S+ )*make ([a-z-]+)", re.M)
_PATH = re.compile(r"`((?:appliance|webapp|provisioning|ansible|systemd|tests|docs)/[a-z\d_./-]*)`")
# A day with its hour, or a commit: what happened once, and not what holds.
_DIARY = re.compile(r"\d{4}-\d\d-\d\d[, ]+\d\d:\d\d|\d\d:\d\d UTC|\bat [0-9a-f]{7}\b")


def named(text: str) -> list[str]:
    """Every `wardwell …` and `wardwell-demo …` of a page, in code or at the beginning of a line of a block."""
    return [f"{program} {words.strip()}" for program, words in _COMMAND.findall(text)]


def problem(said: str) -> str:
    """Why there is no such command; "" when there is."""
    program, *words = said.split()
    command: click.Command = demo if program == "wardwell-demo" else wardwell
    context = click.Context(command)
    for word in words:
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


def targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)) - {"help"}


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as Git forges make them."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path, text: str) -> list[str]:
    """Links of a page to files or headings that are not there."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        if "://" in target:
            continue
        there = page.parent / file if file else page
        if not there.exists() or (anchor and anchor not in anchors(there.read_text())):
            broken.append(target)
    return broken


def missing_paths(text: str) -> list[str]:
    """Paths of this repository that a page names and that are not there."""
    return [path for path in _PATH.findall(text) if not (ROOT / path).exists()]


def long_lines(text: str) -> list[str]:
    """Lines of prose over 120 characters; a row of a table, an image and a block of code cannot be wrapped."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    return [line for line in prose.splitlines() if len(line) > 120 and not line.startswith(("|", "![", "    "))]


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_is_there(page: str) -> None:
    path = ROOT / page
    text = path.read_text()
    assert [problem(words) for words in named(text) if problem(words)] == []
    assert set(_TARGET.findall(text)) <= targets()
    assert broken_links(path, text) == []
    assert missing_paths(text) == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_what_holds_in_short_lines(page: str) -> None:
    text = (ROOT / page).read_text()
    assert long_lines(text) == []
    assert _DIARY.findall(text) == []


def test_what_is_not_there_is_noticed() -> None:
    assert named("Run `wardwell conjure` now.\n```sh\nsudo wardwell update stage FILE --force\n```\n") == [
        "wardwell conjure",
        "wardwell update stage FILE --force",
    ]
    for words in ("wardwell conjure", "wardwell update stage FILE --force", "wardwell cert rnew", "wardwell-demo fly"):
        assert problem(words)
    assert problem("wardwell update stage FILE") == "" == problem("wardwell-demo drop")
    assert _TARGET.findall("`make fly` and `sudo make test`") == ["fly", "test"] and "fly" not in targets()
    page = ROOT / "README.md"
    assert broken_links(page, "[a](docs/none.md) [b](#nowhere) [c](docs/intake.md#nowhere)") == [
        "docs/none.md",
        "#nowhere",
        "docs/intake.md#nowhere",
    ]
    assert missing_paths("`appliance/none.py` and `appliance/cli.py`") == ["appliance/none.py"]
    assert long_lines("x" * 121) and not long_lines("|" + "x" * 121)
    assert _DIARY.findall("on 2026-11-23, 14:48 UTC, at 20b2e77") and len(PAGES) > 25


def settings_of(kind: type[msgspec.Struct]) -> set[str]:
    """The names of a struct's fields, with those of the structs inside it."""
    names = set()
    for field in msgspec.structs.fields(kind):
        names.add(field.encode_name)
        for inner in (field.type, *getattr(field.type, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                names |= settings_of(inner)
    return names


@pytest.mark.parametrize("kind", [Settings, answers.Answers])
def test_every_setting_is_documented(kind: type[msgspec.Struct]) -> None:
    text = "".join((ROOT / page).read_text() for page in PAGES)
    assert {name for name in settings_of(kind) if name not in text} == set()
    assert "scan_seconds" in settings_of(Settings) and "pull_key" in settings_of(answers.Answers)
    assert "conjured_seconds" not in text


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
