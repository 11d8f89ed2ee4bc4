"""The built space: same sources, same bytes; nothing inline; sources that can stay under Trusted Types."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from provisioning import build, build_space
from provisioning.packages import SPACE
from tests.support.waiting import pause

SOURCES = sorted(path for path in (SPACE / "src").rglob("*") if path.suffix in (".ts", ".tsx"))
# What would put a string into the page as markup, run it, or set a style that the policy refuses.
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\bstyle=|WebAssembly"
)


def test_two_builds_give_the_same_bytes(library: Path, tmp_path: Path) -> None:
    first = build_space.bundle(tmp_path / "one", tmp_path / "one-node")
    second = build_space.bundle(tmp_path / "two", tmp_path / "two-node")
    assert first == second
    assert build_space.digests(tmp_path / "one-node") == build_space.digests(tmp_path / "two-node")


def test_who_starts_together_builds_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = build.Builder("some.builder", "something", ("provisioning/build.py",), "provisioning")
    monkeypatch.setattr(build, "STAMPS", tmp_path)
    monkeypatch.setattr("subprocess.run", lambda *args, **kwargs: pause(0.5, "a build takes a while"))
    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(build.build, [builder] * 2)) == [False, True]


def test_the_manifest_names_every_file(library: Path) -> None:
    stated = json.loads((build_space.DIST / "manifest.json").read_text())
    there = {path.relative_to(build_space.DIST).as_posix() for path in build_space.DIST.rglob("*") if path.is_file()}
    assert set(stated["files"]) == {f"/{name}" for name in there - {"manifest.json"}} | {"/"}
    for name, file in stated["files"].items():
        content = (build_space.DIST / (name[1:] or "index.html")).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (file["sha256"], file["size"])
        if name.startswith("/assets/"):
            assert file["sha256"][:16] in name


def test_the_page_holds_nothing_inline(library: Path) -> None:
    page = (build_space.DIST / "index.html").read_text()
    assert not re.search(r"<style|style=|<script(?![^>]* src=)| on\w+=", page)
    # Everything it names is there.
    for address in re.findall(r'(?:href|src)="/(assets/[^"]+)"', page):
        assert (build_space.DIST / address).is_file()


def test_the_bundle_stays_small(library: Path) -> None:
    """What a first visit loads besides the fonts, as the front compresses it."""
    files = [path for path in build_space.DIST.rglob("*") if path.suffix in (".html", ".js", ".css")]
    size = sum(len(gzip.compress(path.read_bytes(), 9)) for path in files)
    assert 60 * 1024 < size <= 120 * 1024


def _classes() -> set[str]:
    """Every class of GOV.UK's or ours that a page of the space sets."""
    named = r"(?<![\w#./-])(?:govuk|ww)-[!a-z][\w!-]*"
    pages = [path for path in SOURCES if path.suffix == ".tsx"]
    return {name for path in pages for name in re.findall(named, re.sub(r"//[^\n]*", "", path.read_text()))}


def test_the_style_sheet_has_what_pages_use(library: Path) -> None:
    """The space compiles in a part of GOV.UK's components only."""
    sheet = next((build_space.DIST / "assets").glob("*.css")).read_text().replace("\\", "")
    styled = set(re.findall(r"\.((?:govuk|ww)-[\w!-]+)", sheet))
    whole = (build_space.SKIN / "skin.css").read_text().replace("\\", "")
    of_desk = set(re.findall(r"\.((?:govuk|ww)-[\w!-]+)", whole))
    used = _classes()
    assert used & of_desk - styled == set()
    assert len(used & styled) > 60 and "govuk-notification-banner" in of_desk - styled  # the control


def test_nothing_of_this_machine_is_in_the_files(library: Path) -> None:
    for path in [*build_space.DIST.rglob("*"), *build_space.DIST_NODE.rglob("*")]:
        if path.is_file():
            assert str(SPACE).encode() not in path.read_bytes()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(SPACE / "src").as_posix())
def test_sources_stay_under_the_policy(path: Path) -> None:
    code = re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    assert not FORBIDDEN.search(code)


def test_the_search_for_forbidden_code_finds_some() -> None:
    assert FORBIDDEN.search('element.innerHTML = "x"')
    assert FORBIDDEN.search('<p style="color: red">')


@pytest.mark.parametrize("module", ["copy", "crypto", "vault", "post", "node"])
def test_modules_without_dom_import_no_page(module: str) -> None:
    for path in (SPACE / "src" / module).rglob("*.ts*"):
        assert not re.search(r'from "(preact|\.\./app|\.\./pages)', path.read_text()), path.name


def test_the_lock_names_no_address() -> None:
    lock = json.loads((SPACE / "package-lock.json").read_text())["packages"]
    packages = {name: entry for name, entry in lock.items() if name}
    assert packages
    assert all("resolved" not in entry and entry["integrity"].startswith("sha512-") for entry in packages.values())
