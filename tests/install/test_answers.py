"""Answers: what is right becomes settings and variables; what is wrong is named before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import msgspec
import pytest
import yaml

from appliance.errors import Refused
from appliance.settings import Settings
from provisioning.install import answers
from tests.support.waiting import LOOPBACK

ROLES = Path(__file__).parents[2] / "ansible" / "roles"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 eye@trustee"


def _decode(tables: dict[str, Any]) -> answers.Answers:
    return answers.decode(answers.toml(tables).encode(), "answers.toml")


def test_right_answers_become_settings_that_an_appliance_reads(tables: dict[str, Any]) -> None:
    tables["feeds"] = [{"name": "cad", "profile": "csv", "public_key": "ssh-ed25519 AAAA"}]
    text = answers.toml(answers.settings(_decode(tables)))
    settings = msgspec.toml.decode(text, type=Settings)
    assert settings.hosts.desk == "desk.wellness.harborview.example"
    assert settings.hosts.space == "my.wellness.harborview.example"
    assert (settings.custody, settings.demonstration) == ("shares", False)
    assert settings.directory.user_filter == Settings().directory.user_filter  # not answered: the default
    assert [feed.name for feed in settings.feeds] == ["cad"]


def test_a_name_with_quotes_survives(tables: dict[str, Any]) -> None:
    tables["agency"] = 'Sheriff\'s "Office" \\ Überlingen'
    text = answers.toml(answers.settings(_decode(tables)))
    assert msgspec.toml.decode(text, type=Settings).agency == tables["agency"]


def test_there_are_twelve_questions_and_all_are_answers(tables: dict[str, Any]) -> None:
    assert len(answers.QUESTIONS) == 12
    flat = {**tables, **{f"directory.{name}": 1 for name in tables["directory"]}, "data_device": ""}
    assert all(question.key in flat for question in answers.QUESTIONS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"direktory": {}}, r"unknown answer direktory.*Did you mean directory"),
        ({"directory": {"urll": "x"}}, r"unknown answer directory\.urll.*directory\.url"),
        ({"agency": " "}, "no name"),
        ({"address": "192.0.2.300"}, "not an IP address"),
        ({"domain": "Wellness"}, "not a DNS name"),
        ({"admin_networks": []}, "No network"),
        ({"admin_networks": ["192.0.2.7/24"]}, "not a network"),
        ({"time_server": ""}, "No time server"),
        ({"time_zone": "Mars/Olympus"}, "not a time zone"),
        ({"data_device": "sdb"}, "not a device"),
        ({"witness": "nowhere"}, "witness"),
        ({"agency": 7}, "agency"),
        ({"witness_key": KEY}, "Only one of witness_key"),
        ({"witness_networks": ["192.0.2.0/24"]}, "Only one of witness_key"),
        ({"witness_key": "AAAA", "witness_networks": ["192.0.2.0/24"]}, "not a public SSH key"),
        ({"witness_key": f"{KEY}\n{KEY}", "witness_networks": ["192.0.2.0/24"]}, "not a public SSH key"),
        ({"witness_key": f'command="sh" {KEY}', "witness_networks": ["192.0.2.0/24"]}, "not a public SSH key"),
        ({"witness_key": KEY, "witness_networks": ["trustee"]}, "not a network"),
        ({"witness": "here", "witness_key": KEY, "witness_networks": ["192.0.2.0/24"]}, "The witness runs here"),
        ({"backup": {"pull_key": KEY}}, r"Only one of backup\.pull_key"),
        ({"backup": {"pull_key": KEY, "pull_networks": ["192.0.2.1/24"]}}, "not a network"),
        ({"backup": {"pul_key": KEY}}, r"unknown answer backup\.pul_key.*backup\.pull_key"),
        ({"feeds": [{"name": "CAD 1", "profile": "csv", "public_key": "k"}]}, "cannot name a feed"),
        ({"feeds": [{"name": "cad", "profile": "csv"}]}, "no way to sign in"),
        ({"feeds": [{"name": "cad", "profile": "csv", "key": "k"}]}, r"unknown answer feeds\.key"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wrong_answer_is_named(tables: dict[str, Any], change: dict[str, Any], words: str) -> None:
    _decode(tables)  # the control
    for key, value in change.items():
        tables[key] = {**tables[key], **value} if key == "directory" else value
    with pytest.raises(Refused, match=words):
        _decode(tables)


def test_plain_ldap_is_refused(tables: dict[str, Any]) -> None:
    tables["directory"]["url"] = "ldap://192.0.2.8"
    with pytest.raises(Refused, match="ldaps"):
        _decode(tables)


@LOOPBACK
def test_variables_hold_addresses_and_no_secret(tables: dict[str, Any]) -> None:
    tables["time_server"] = "localhost"
    made = answers.variables(_decode(tables), "ssh-ed25519 AAAA admin")
    assert made["wardwell_directory_addresses"] == ["192.0.2.8"]
    assert made["wardwell_directory_port"] == 636
    assert made["wardwell_pinned_names"] == [
        {"name": "localhost", "addresses": made["wardwell_pinned_names"][0]["addresses"]}
    ]
    assert "127.0.0.1" in made["wardwell_pinned_names"][0]["addresses"]
    assert "bind-secret" not in str(made)
    assert made["wardwell_syslog"] == {}


@LOOPBACK
def test_a_name_without_an_address_is_refused(tables: dict[str, Any]) -> None:
    tables["time_server"] = "time.invalid"
    with pytest.raises(Refused, match=r"time\.invalid has no address"):
        answers.variables(_decode(tables), "key")


@LOOPBACK
def test_health_events_stay_here_unless_a_host_is_named(tables: dict[str, Any]) -> None:
    assert answers.relay_settings(_decode(tables)) == {}
    tables["syslog"] = {"host": "logs.agency.example", "address": "192.0.2.5", "ca_file": "/ca.pem"}
    given = _decode(tables)
    assert answers.relay_settings(given)["syslog"]["port"] == 6514
    assert answers.variables(given, "key")["wardwell_syslog"] == {"address": "192.0.2.5", "port": 6514}


@LOOPBACK
def test_who_may_fetch_is_told_to_the_roles_and_not_to_the_settings(tables: dict[str, Any]) -> None:
    assert answers.variables(_decode(tables), "key")["wardwell_witness_key"] == ""  # the control
    tables |= {"witness_key": f"{KEY}\n", "witness_networks": ["192.0.2.64/28"]}
    tables["backup"] = {"keep_days": 30, "pull_key": KEY, "pull_networks": ["192.0.2.80/32"]}
    made = answers.variables(_decode(tables), "key")
    assert (made["wardwell_witness_key"], made["wardwell_witness_networks"]) == (KEY, ["192.0.2.64/28"])
    assert (made["wardwell_pull_key"], made["wardwell_pull_networks"]) == (KEY, ["192.0.2.80/32"])
    settings = msgspec.toml.decode(answers.toml(answers.settings(_decode(tables))), type=Settings)
    assert settings.backup.keep_days == 30


def test_the_witness_account_is_locked_unless_it_has_a_key() -> None:
    tasks = yaml.safe_load((ROLES / "ssh" / "tasks" / "drop.yml").read_text())
    (account,) = [
        task["ansible.builtin.user"]
        for task in tasks
        if task.get("ansible.builtin.user", {}).get("name") == "wardwell-witness"
    ]
    locked = jinja2.Template(account["password_lock"])
    assert (locked.render(ssh_witness_key=""), locked.render(ssh_witness_key=KEY)) == ("True", "False")
