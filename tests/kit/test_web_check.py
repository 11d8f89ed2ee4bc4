"""`wardwell kit web-check` against the real front: a clean one passes; each kind of difference is told by its name."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.crypto.authority import Authority
from appliance.kit import web_look
from appliance.kit.web_check import web_check
from tests.support.release_site import Site, running

pytestmark = [pytest.mark.system, pytest.mark.browser]
SCRIPT = "/assets/space-"


def test_what_was_released_is_equal(site: Site) -> None:
    kit = site.home.root / "kit"
    code, said = site.run("--site-key", str(kit / "trustee.pub"), "--agency-key", str(kit / "agency.pub"))
    assert code == 0, said
    assert "equal: " in said and "not checked" not in said
    assert site.check() == (0, [])


def test_an_altered_byte_in_the_script_is_named(site: Site) -> None:
    content = site.script.read_bytes()
    site.script.write_bytes(content + b" ")
    code, said = site.run()
    assert code == 1
    assert re.search(rf"altered +{SCRIPT}\S+: {len(content) + 1} bytes .*{len(content)} with", said)


def test_an_added_script_is_named(site: Site) -> None:
    (site.dist / "assets" / "more.js").write_text("0")
    page = site.dist / "index.html"
    page.write_text(page.read_text().replace("</head>", '<script src="/assets/more.js"></script></head>'))
    assert site.check() == (1, ["altered /", "added /assets/more.js", "altered /index.html"])


def test_a_request_to_a_third_party_is_named(site: Site) -> None:
    page = site.dist / "index.html"
    site.served(lambda text: text.replace("img-src 'self'", "img-src 'self' https:"))
    page.write_text(page.read_text().replace("<noscript>", '<img src="https://elsewhere.localhost/i.png"><noscript>'))
    code, found = site.check()
    assert code == 1 and "added https://elsewhere.localhost/i.png" in found


def test_what_the_worker_asks_for_is_named(site: Site) -> None:
    worker = site.dist / "worker.js"
    worker.write_text(worker.read_text().replace('cache.add(new Request("/crisis/"', 'cache.add(new Request("/more"'))
    assert site.check() == (1, ["added /more", "altered /worker.js"])


def test_a_redirect_is_named(site: Site) -> None:
    site.in_space("        rewrite ^/worker.js$ https://elsewhere.localhost/ redirect;")
    code, found = site.check()
    assert code == 1 and "missing /worker.js" in found


def test_a_redirect_that_the_browser_does_not_follow_is_named(site: Site) -> None:
    # The start page does not load it, so nothing else would tell.
    site.in_space("        rewrite ^/manifest.json$ http://elsewhere.example/ redirect;")
    assert site.check() == (1, ["missing /manifest.json"])


def test_a_missing_file_is_named(site: Site) -> None:
    (site.dist / "worker.js").unlink()
    assert site.check() == (1, ["missing /worker.js"])


def test_a_changed_policy_is_named_on_every_path(site: Site) -> None:
    site.served(
        lambda text: text.replace(
            "script-src 'self'; style-src 'self'; img-src", "script-src *; style-src 'self'; img-src"
        )
    )
    code, said = site.run()
    assert code == 1
    lines = [line for line in said.splitlines() if line.startswith("  header")]
    assert len(lines) == 1
    assert re.search(
        r"/ and \d+ more: Content-Security-Policy has .script-src \*. instead of .script-src 'self'", lines[0]
    )
    assert "altered" not in said


def test_a_policy_that_lets_pages_talk_to_another_host_is_named(site: Site) -> None:
    site.served(
        lambda text: text.replace(
            "connect-src 'self' https://", "connect-src 'self' https://elsewhere.example https://"
        )
    )
    code, found = site.check()
    assert code == 1 and "header /" in found


def test_a_missing_header_is_named(site: Site) -> None:
    site.served(lambda text: re.sub(r' +add_header Cross-Origin-Embedder-Policy "require-corp" always;\n', "", text))
    code, said = site.run()
    assert code == 1 and "Cross-Origin-Embedder-Policy is missing" in said


def test_an_added_header_is_named(site: Site) -> None:
    site.in_space('        add_header Alt-Svc "h3=elsewhere:443" always;')
    code, said = site.run()
    assert code == 1 and "alt-svc is added: 'h3=elsewhere:443'" in said


def test_a_cookie_is_named(site: Site) -> None:
    site.in_space('        add_header Set-Cookie "who=1; Secure; Path=/" always;')
    code, said = site.run()
    assert code == 1
    assert "who was set" in said and "who is set with it" in said


@pytest.mark.parametrize(("agent", "visitor"), [("Firefox", 1), ("Chrome", 0)])
def test_what_only_one_visitor_is_sent_is_named_with_the_visitor(site: Site, agent: str, visitor: int) -> None:
    shutil.copytree(site.dist, site.code / "other")
    (site.code / "other" / site.script.relative_to(site.dist)).write_text("0")
    site.in_space(
        f"        set $which {site.dist};\n        if ($http_user_agent ~ {agent}) {{ set $which {site.code}/other; }}"
    )
    site.served(lambda text: text.replace(f"        root {site.dist};\n", "        root $which;\n"))
    code, found = site.check()
    name = f"/{site.script.relative_to(site.dist)}"
    assert (code, found) == (1, [f"altered {name} {[web_look.VISITORS[visitor].name]}"])


def test_site_values_that_differ_between_visitors_are_named(site: Site) -> None:
    (site.home.public / "two").mkdir()
    (site.home.public / "two" / "trustee.pub").write_text("another")
    public = site.home.public
    site.in_space(
        f"        set $which {public};\n        if ($http_user_agent ~ Firefox) {{ set $which {public}/two; }}"
    )
    site.served(lambda text: text.replace(f"/trustee.pub {{ root {public}; }}", "/trustee.pub { root $which; }"))
    assert site.check() == (1, ["differs /trustee.pub"])


def test_a_tampered_manifest_and_a_wrong_key_are_named(site: Site) -> None:
    kit = site.home.root / "kit"
    assert site.check(key="other.pub") == (1, ["unsigned the manifest"])
    # The manifest of who altered the script: everything fits but the signature.
    (kit / "t.json").write_bytes((kit / "m.json").read_bytes() + b" ")
    (site.dist / "manifest.json").write_bytes((kit / "t.json").read_bytes())
    shutil.copy(kit / "m.json.sig", kit / "t.json.sig")
    assert site.check(manifest="t.json") == (1, ["unsigned the manifest"])
    # And against the one that was signed, the site states another release.
    assert site.check() == (1, ["altered /manifest.json"])


def test_site_values_not_signed_by_the_given_key_are_named(site: Site) -> None:
    for option in ("--site-key", "--agency-key"):
        assert site.check(option, str(site.home.root / "kit" / "other.pub")) == (1, ["site /site.json"])


def test_a_server_with_another_certificate_is_not_looked_at(site: Site, tmp_path: Path) -> None:
    other = Authority(tmp_path / "else").ca_file
    with running(site):
        manifest = str(site.home.root / "kit" / "m.json")
        address = f"https://{site.hosts.space}/"
        done = CliRunner().invoke(web_check, [address, "--manifest", manifest, "--ca", str(other)])
    assert done.exit_code == 1 and "certificate" in str(done.exception)
