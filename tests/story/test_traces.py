"""The controls of the marker hunt: planted words are found in every place and spelling that it searches."""

from __future__ import annotations

import base64
import gzip
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.desk.models.people import Person
from appliance.settings import Home
from appliance.storage import Store
from tests.story import fields
from tests.support.desk_site import add_person
from tests.support.pages import decrypted
from tests.support.traces import files, found_in, memory

WORD = "zq0123456789abx007"
OTHER = "zq0123456789aby007"


@pytest.mark.parametrize("code", ["ascii", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_word_is_found_as_text_of_any_width(code: str) -> None:
    assert found_in([b"\xff" + f"...{WORD}...".encode(code)], [WORD, OTHER]) == {WORD}


@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("behind", range(3))
def test_a_word_is_found_in_base64_wherever_it_begins(before: int, behind: int) -> None:
    encoded = base64.b64encode(b"\xa5" * before + WORD.encode() + b"\x5a" * behind)
    assert WORD.encode() not in encoded
    assert found_in([encoded], [WORD, OTHER]) == {WORD}


def test_a_word_is_found_in_what_is_packed(tmp_path: Path) -> None:
    raw = f"something, and {WORD}, and more of something ".encode() * 3
    for at, packed in enumerate([gzip.compress(raw), *(zlib.compress(raw, level) for level in (1, 5, 6, 9))]):
        folder = tmp_path / str(at)
        folder.mkdir()
        (folder / "cached").write_bytes(b"of the cache: " + packed + b"; the end")
        assert WORD.encode() not in packed
        assert found_in(files(folder), [WORD, OTHER]) == {WORD}


def test_a_word_is_found_in_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("of nothing", "nothing" * 9)
        archive.writestr("of the word", f"something, and {WORD}, and more of something " * 3)
    assert WORD.encode() not in (tmp_path / "a.zip").read_bytes()
    assert found_in(files(tmp_path), [WORD, OTHER]) == {WORD}


def test_a_word_in_the_memory_of_a_process_is_found() -> None:
    """One that was made there, so that it is in no file, argument or environment."""
    held = "held = 'zq0123456789' + 'ab' + 'x007'; print(len(held), flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"18\n"
        assert found_in(memory(process.pid), [WORD, OTHER]) == {WORD}
        process.communicate(b"\n")


def test_a_word_in_the_log_of_a_database_is_found(home: Home, store_of: Callable[[str], Store]) -> None:
    """Before it is in the database itself, and still after the row is gone."""
    desk = store_of("desk")
    add_person(desk, WORD)
    path = home.database("desk")
    assert path.with_name(f"{path.name}-wal").stat().st_size > 0
    assert found_in(files(path.parent), [WORD]) == set()
    assert found_in([decrypted(home, "desk")], [WORD, OTHER]) == {WORD}
    with desk.write() as session:
        session.query(Person).filter_by(person_id=WORD).delete()
    assert found_in([decrypted(home, "desk")], [WORD]) == {WORD}


def test_a_field_that_is_added_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    page = tmp_path / "src" / "page.tsx"
    page.write_text('<Field id="one" label="One" /><input id={`two-${at}`} type="text" /><input type="radio" />')
    monkeypatch.setattr(fields, "SPACE", tmp_path)
    assert fields.in_sources() == {"page/one", "page/two-*"}
    page.write_text('<TextArea label="Which?" />')
    with pytest.raises(AssertionError, match=r"without an id in page\.tsx"):
        fields.in_sources()
