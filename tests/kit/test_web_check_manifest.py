"""The release manifest: what nginx sends and what it states come from one source; stock tools check its signatures."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from appliance.crypto import sshsig
from appliance.errors import WardwellError
from appliance.kit import web_manifest
from appliance.settings import Home, Hosts
from provisioning import build_space, front, space_front
from provisioning.bundle import build, keys

NAMES = ("release.pub", "release.minisign.pub")


@pytest.fixture(scope="module")
def release_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "keys"
    keys.make(folder)
    return folder


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>")
    (folder / "assets" / "space-0123456789abcdef.js").write_text("0")
    (folder / "manifest.json").write_text(json.dumps(build_space.manifest(folder)))
    return folder


@pytest.fixture
def laid(dist: Path, tmp_path: Path, release_keys: Path) -> Path:
    """`space-manifest.json` as a bundle holds it."""
    build.lay_space_manifest(dist, tmp_path, release_keys, "0.1.0")
    return tmp_path / build.SPACE_MANIFEST


def test_it_states_every_file_and_every_header(dist: Path, laid: Path, release_keys: Path) -> None:
    read = web_manifest.read(laid, None, release_keys / "release.pub")
    assert read.unsigned == ""
    assert read.content == (dist / "manifest.json").read_bytes()
    assert set(read.manifest.files) == {"/", "/index.html", "/assets/space-0123456789abcdef.js"}
    page, script = read.manifest.files["/"], read.manifest.files["/assets/space-0123456789abcdef.js"]
    assert page.size == len("<!doctype html>")
    assert page.headers["Cache-Control"] == "no-cache" and "immutable" in script.headers["Cache-Control"]
    for name in ("Opener", "Embedder", "Resource"):
        assert f"Cross-Origin-{name}-Policy" in page.headers
    assert "form-action 'none'" in space_front.headers_of("/crisis/")["Content-Security-Policy"]


def test_the_front_is_rendered_from_what_the_manifest_states(tmp_path: Path) -> None:
    hosts = Hosts()
    certificates = dict.fromkeys(front.ROLES, front.Certificate(tmp_path / "c", tmp_path / "k"))
    text = front.render(Home(tmp_path), hosts, certificates)
    served = text[text.index("# --- space:") :]
    assert re.findall(r"add_header (\S+) ", served) == list(space_front.HEADERS)
    for value in space_front.headers_of("/").values():
        assert value.replace("{desk}", hosts.desk).replace("{post}", hosts.post) in served
    assert set(re.findall(r"location = (\S+) ", served)) == set(space_front.PUBLISHED)
    below = {f"/{name}/" for name in re.findall(r"location /([\w-]+)/? ", served)}
    assert below == set(space_front.PUBLISHED_BELOW)
    assert "@" not in re.sub(r"location @\w+|= @\w+", "", served)


def test_the_content_types_are_those_of_the_front() -> None:
    template = front.TEMPLATE.read_text()
    types = re.search(r"types \{(.*?)\}", template, re.DOTALL)
    charset = re.search(r"charset_types ([^;]+);", template)
    assert types and charset
    by_ending = {e: line.split()[0] for line in types[1].split(";") if line.strip() for e in line.split()[1:]}
    for ending, stated in space_front.CONTENT_TYPES.items():
        with_charset = by_ending[ending] in (*charset[1].split(), "text/html")  # text/html always is
        assert stated == by_ending[ending] + ("; charset=utf-8" if with_charset else "")


def test_stock_tools_accept_both_signatures_and_refuse_an_altered_manifest(laid: Path, release_keys: Path) -> None:
    signers = laid.with_name("signers")
    signers.write_text(f"release {(release_keys / 'release.pub').read_text()}")
    signature = f"{laid}.sig"
    ssh = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        str(signers),
        "-I",
        "release",
        "-n",
        "wardwell/v1/space",
        "-s",
        signature,
    ]
    mini = ["minisign", "-V", "-p", str(release_keys / "release.minisign.pub"), "-m", str(laid)]

    def accepted() -> list[bool]:
        content = laid.read_bytes()
        return [
            subprocess.run(ssh, input=content, capture_output=True, check=False).returncode == 0,
            subprocess.run(mini, capture_output=True, check=False).returncode == 0,
        ]

    assert accepted() == [True, True]
    laid.write_bytes(laid.read_bytes().replace(b"no-cache", b"no-cachE"))
    assert accepted() == [False, False]


def test_a_manifest_counts_only_with_the_release_keys_signature(laid: Path, release_keys: Path, tmp_path: Path) -> None:
    key, other = release_keys / "release.pub", tmp_path / "other.pub"
    (tmp_path / "other").write_bytes(sshsig.generate_private_openssh())
    other.write_text(sshsig.public_line(sshsig.load_private(tmp_path / "other"), ""))
    assert web_manifest.read(laid, None, key).unsigned == ""
    assert "another key" in web_manifest.read(laid, None, other).unsigned
    assert "no release key" in web_manifest.read(laid, None, None).unsigned
    assert "unsigned" in web_manifest.read(laid, tmp_path / "none.sig", key).unsigned
    # A signature of the same key over something else.
    private = sshsig.load_private(release_keys / "release")
    wrong = tmp_path / "wrong.sig"
    wrong.write_bytes(sshsig.sign(private, laid.read_bytes(), "wardwell/v1/release"))
    assert "not for wardwell/v1/space" in web_manifest.read(laid, wrong, key).unsigned
    laid.write_bytes(laid.read_bytes() + b" ")
    assert "altered" in web_manifest.read(laid, None, key).unsigned


@pytest.mark.parametrize("content", ["", "[]", '{"kind": "x"}', '{"product": "wardwell"}'])
def test_what_is_no_manifest_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(content)
    with pytest.raises(WardwellError, match="not a release manifest"):
        web_manifest.read(tmp_path / "m.json", None, None)
