"""What `wardwell render` writes for production."""

from __future__ import annotations

import configparser
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance import settings
from appliance.crypto.authority import Authority
from appliance.settings import COMPARTMENTS, PRODUCTION, Home, Hosts
from provisioning import front, render
from provisioning.cli import wardwell

ROOT = Path(__file__).resolve().parents[2]
HOSTS = Hosts("desk.agency.example", "post.agency.example", "my.agency.example")


@pytest.fixture
def production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The production home with settings in a scratch folder."""
    monkeypatch.setattr(settings, "CONFIGURATION", tmp_path)
    monkeypatch.delenv("WARDWELL_HOME", raising=False)
    (tmp_path / "wardwell.toml").write_text(
        'agency = "Test"\naddress = "192.0.2.7"\ncustody = "shares"\n[hosts]\n'
        f'desk = "{HOSTS.desk}"\npost = "{HOSTS.post}"\nspace = "{HOSTS.space}"\n'
    )
    return Home.find()


def test_each_compartment_gets_its_own_programs_and_no_other(tmp_path: Path) -> None:
    done = CliRunner().invoke(wardwell, ["render", "supervisor", "--to", str(tmp_path)])
    assert done.exit_code == 0, done.output
    programs = {}
    for name in COMPARTMENTS:
        parser = configparser.RawConfigParser()
        parser.read(tmp_path / f"{name}.conf")
        programs[name] = {section[8:] for section in parser.sections() if section.startswith("program:")}
        assert parser["supervisord"]["umask"] == "027"
        assert parser["supervisord"]["environment"].startswith('WARDWELL_HOME="/var/lib/wardwell"')
        assert parser["supervisord"]["childlogdir"] == f"/var/lib/wardwell/log/{name}"
        commands = [parser[section]["command"] for section in parser.sections() if section.startswith("program:")]
        assert {parser[section]["startretries"] for section in parser.sections() if "program:" in section} == {
            "1000000"
        }
        assert all(command.startswith("/opt/wardwell/current/venv/bin/") for command in commands)
    assert programs == {
        "desk": {"desk", "desk-work"},
        "post": {"post", "post-work"},
        "intake": {"intake"},
        "ledger": {"ledger"},
        "press": {"press"},
    }


def test_rendering_again_changes_nothing(tmp_path: Path) -> None:
    arguments = ["render", "supervisor", "--to", str(tmp_path)]
    assert CliRunner().invoke(wardwell, arguments).output.count("written ") == 5
    assert CliRunner().invoke(wardwell, arguments).output.count("unchanged ") == 5


@pytest.fixture
def units(tmp_path: Path) -> list[str]:
    """The command that writes the units, for a folder `made` of the test's."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "src").symlink_to(ROOT)
    return ["render", "units", "--to", str(tmp_path / "made"), "--code", str(tmp_path / "code")]


def said(output: str, word: str) -> list[str]:
    return re.findall(rf"^{word} +\S+/made/(\S+)$", output, re.MULTILINE)


def test_units_are_written_as_they_are_in_the_source_and_only_where_they_differ(
    units: list[str], tmp_path: Path
) -> None:
    made, source = tmp_path / "made", ROOT / "systemd"
    assert CliRunner().invoke(wardwell, units).exit_code == 0
    wanted = {path.relative_to(source): path.read_text() for path in source.rglob("*") if path.is_file()}
    del wanted[Path("masked")]
    assert {path.relative_to(made): path.read_text() for path in made.rglob("*") if path.is_file()} == wanted
    (made / "wardwell@.service").write_text("changed by hand")
    assert said(CliRunner().invoke(wardwell, [*units, "--preview"]).output, "differs") == ["wardwell@.service"]
    assert (made / "wardwell@.service").read_text() == "changed by hand"
    assert said(CliRunner().invoke(wardwell, units).output, "written") == ["wardwell@.service"]
    assert (made / "wardwell@.service").read_text() == wanted[Path("wardwell@.service")]


def test_what_never_runs_is_masked_and_nothing_else_is(units: list[str], tmp_path: Path) -> None:
    made = tmp_path / "made"
    CliRunner().invoke(wardwell, units)
    masked = re.findall(r"^[a-z].*$", (ROOT / "systemd" / "masked").read_text(), re.MULTILINE)
    links = {path.name: path.readlink() for path in made.rglob("*") if path.is_symlink()}
    assert links == {name: Path("/dev/null") for name in masked} and "apt-daily.timer" in links
    (made / "debug-shell.service").unlink()
    (made / "debug-shell.service").write_text(shell := "[Service]\nExecStart=/bin/sh\n")
    (made / "wardwell-relay.service").unlink()
    (made / "wardwell-relay.service").symlink_to("/dev/null")
    by_hand = {"debug-shell.service", "wardwell-relay.service"}
    assert set(said(CliRunner().invoke(wardwell, [*units, "--preview"]).output, "differs")) == by_hand
    assert set(said(CliRunner().invoke(wardwell, units).output, "written")) == by_hand
    assert (made / "debug-shell.service").is_symlink() and not (made / "wardwell-relay.service").is_symlink()
    assert (made / "debug-shell.service.replaced").read_text() == shell


def test_the_front_of_production_listens_where_told_and_falls_to_the_sealed_page(production: Home) -> None:
    files = render.front_files(production)
    text = files["nginx.conf"]
    assert re.findall(r"listen (\S+) ssl", text).count("192.0.2.7:443") == 4
    assert "user root" not in text and "root /srv/wardwell/site;" in text
    assert "/opt/wardwell/current/src/webapp/space/dist" in text
    assert text.count("if (!-e /run/wardwell/unsealed)") == 2  # post and space
    assert "proxy_pass http://unix:/run/wardwell/sockets/sealed/sealed.sock;" in text
    assert text.count("access_log") == 2 and "$remote_addr" not in text
    assert "https://desk.agency.example/" in files["sealed.html"] and "@" not in files["sealed.html"]
    assert text.count("if (-e /run/wardwell/maintenance)") == 3 and "@" not in files["maintenance.html"]


def test_a_demonstration_is_never_sealed(tmp_path: Path) -> None:
    certificate = front.Certificate(tmp_path / "c", tmp_path / "k")
    text = front.render(Home(tmp_path), HOSTS, dict.fromkeys(front.ROLES, certificate))
    assert "sealed" not in text


@pytest.mark.system
def test_nginx_accepts_what_is_rendered(production: Home, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "demo")
    certificates = {role: front.Certificate(*authority.server(role, getattr(HOSTS, role))) for role in front.ROLES}
    text = front.render(production, HOSTS, certificates).replace("/run/wardwell/front", str(tmp_path))
    path = tmp_path / "nginx.conf"
    path.write_text(text)
    done = subprocess.run(
        [front.NGINX, "-t", "-e", "stderr", "-c", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_production_is_what_lies_at_its_root() -> None:
    assert Home(PRODUCTION).production and not Home(PRODUCTION / "x").production
