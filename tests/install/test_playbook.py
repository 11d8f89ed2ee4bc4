"""Promise: what a real run of Ansible reports is what happened, and nothing that `no_log` hides gets out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from provisioning.install import events, playbook
from provisioning.install.events import Counts, Event, PlayStarted, RunEnded, TaskEnded, TaskStarted
from provisioning.install.playbook import Change, Outcome

ANSIBLE = Path(__file__).parents[2] / "ansible"
PROGRAM = Path(sys.executable).parent / "ansible-playbook"
# Nothing listens there, so a host with this port cannot be reached.
NOBODY = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
Tasks = list[dict[str, Any]]


@dataclass
class Run:
    """What a run came to: `said` is the progress, `events` all that was reported, `log` what people read."""

    outcome: Outcome
    said: list[str]
    events: list[Event]
    log: str

    def ended(self, task: str) -> TaskEnded:
        (event,) = [event for event in self.events if isinstance(event, TaskEnded) and event.task == task]
        return event

    @property
    def everything(self) -> str:
        return repr((self.outcome, self.said, self.events, self.log))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """Runs tasks on this machine by the appliance's own ansible.cfg."""
    reported: list[Event] = []
    decode = events.decode

    def kept(lines: Iterable[bytes]) -> Iterator[Event]:
        for event in decode(lines):
            reported.append(event)
            yield event

    monkeypatch.setattr(events, "decode", kept)

    def run(tasks: Tasks, *options: str, program: str | Path = PROGRAM, **play: Any) -> Run:
        reported.clear()
        content = {"name": "Try", "hosts": "localhost", "gather_facts": False, "tasks": tasks, **play}
        (tmp_path / "play.yml").write_text(json.dumps([content]))
        inventory = {"all": {"hosts": {"localhost": {"ansible_connection": "local"}, "away": NOBODY}}}
        (tmp_path / "hosts.json").write_text(json.dumps(inventory))
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
        environment |= {"ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"), "ANSIBLE_ROLES_PATH": str(tmp_path / "roles")}
        command = [program, "-i", tmp_path / "hosts.json", "-e", f"ansible_python_interpreter={sys.executable}"]
        said: list[str] = []
        log = tmp_path / "log"
        outcome = playbook.run([*command, *options, tmp_path / "play.yml"], tmp_path, environment, log, said.append)
        assert log.stat().st_mode & 0o077 == 0
        return Run(outcome, said, list(reported), log.read_text())

    return run


def written(path: Path, **more: Any) -> dict[str, Any]:
    return {"name": "Write", "ansible.builtin.copy": {"content": "new\n", "dest": str(path), "mode": "0644"}, **more}


def failing(words: str, **more: Any) -> dict[str, Any]:
    """A command that fails and says `words` on its standard error."""
    command = {"argv": ["sh", "-c", f"echo {words} >&2; exit 3"]}
    return {"name": "Break", "ansible.builtin.command": command, **more}


@pytest.mark.system
def test_each_kind_of_end_is_reported(run: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "there").write_text("old\n")
    rescue = [{"name": "Mend", "ansible.builtin.stat": {"path": str(tmp_path)}}]
    tasks = [
        {"name": "{{ verb }}", "ansible.builtin.stat": {"path": str(tmp_path)}, "vars": {"verb": "Look"}},
        written(tmp_path / "there"),
        {"name": "Leave out", "ansible.builtin.command": {"argv": ["false"]}, "when": False},
        failing("unimportant", name="Try in vain", ignore_errors=True),
        {"block": [failing("bad luck", name="Need rescue")], "rescue": rescue},
        failing("no {{ item }} left", loop=["room", "time"]),
        {"name": "Never begun", "ansible.builtin.command": {"argv": ["true"]}},
    ]
    result = run(tasks, "--diff")
    ends = [(event.task, event.status, event.changed) for event in result.events if isinstance(event, TaskEnded)]
    assert ends == [
        ("Look", "ok", False),
        ("Write", "ok", True),
        ("Leave out", "skipped", False),
        ("Try in vain", "failed", True),
        ("Need rescue", "failed", True),
        ("Mend", "ok", False),
        ("Break", "failed", True),
    ]
    assert result.events[:2] == [PlayStarted("Try", []), TaskStarted("", "Look")]
    counts = Counts(ok=4, changed=2, failures=1, unreachable=0, skipped=1, rescued=1, ignored=1)
    assert result.events[-1] == RunEnded({"localhost": counts})
    assert [event.task for event in result.events if isinstance(event, TaskEnded) and event.ignored] == ["Try in vain"]
    assert "-old\n+new\n" in result.ended("Write").diff
    assert result.ended("Need rescue").said == "bad luck"
    # Of a loop the failed item says why.
    assert (result.outcome.failed, result.outcome.said) == ("Break", "no time left")
    assert (tmp_path / "there").read_text() == "new\n"
    assert "TASK [Write]" in result.log and "PLAY RECAP" in result.log  # the log stays what people read


@pytest.mark.system
def test_a_check_reports_changes_and_makes_none(run: Callable[..., Run], tmp_path: Path) -> None:
    rescue = [{"name": "Mend", "ansible.builtin.stat": {"path": str(tmp_path)}}]
    tasks = [written(tmp_path / "made"), {"block": [{"ansible.builtin.fail": {"msg": "x"}}], "rescue": rescue}]
    # What was rescued did not fail.
    assert run(tasks, "--check").outcome == Outcome([Change("Write")])
    assert not (tmp_path / "made").exists()
    assert run(tasks).outcome == Outcome([Change("Write")])
    assert run(tasks).outcome == Outcome()


@pytest.mark.system
def test_a_host_that_cannot_be_reached_is_a_failure(run: Callable[..., Run]) -> None:
    result = run([{"name": "Ask", "ansible.builtin.ping": {}}], hosts="away")
    assert result.ended("Ask").status == "unreachable"
    assert result.outcome.failed == "Ask"
    assert "Connection refused" in result.outcome.said


@pytest.mark.system
def test_roles_are_counted_and_a_failed_handler_is_named(run: Callable[..., Run], tmp_path: Path) -> None:
    for name in ("first", "second"):
        for kind, content in (
            ("tasks", written(tmp_path / name, notify=f"Restart {name}")),
            ("handlers", failing("no such unit", name=f"Restart {name}")),
        ):
            (tmp_path / "roles" / name / kind).mkdir(parents=True)
            (tmp_path / "roles" / name / kind / "main.yml").write_text(json.dumps([content]))
    result = run([], roles=["first", "second"])
    assert [words.split(",")[0] for words in result.said] == ["first (step 1 of 2", "second (step 2 of 2"]
    assert result.outcome.tasks[:2] == ["first: Write", "second: Write"]
    assert (result.outcome.failed, result.outcome.said) == ("first: Restart first", "no such unit")
    assert TaskStarted("first", "Restart first", handler=True) in result.events


@pytest.mark.system
def test_what_may_hold_a_secret_is_not_reported(run: Callable[..., Run], tmp_path: Path) -> None:
    hidden, shown = "correct-horse-battery", "staple-in-the-open"

    def kinds(secret: str, **more: Any) -> Tasks:
        word = {"content": secret, "dest": str(tmp_path / secret), "mode": "0644"}
        return [
            failing(secret, **more),
            failing("{{ item }}", loop=["x", secret], **more),
            failing("{{ word }}", vars={"word": secret}, **more),
            {"ansible.builtin.copy": word, **more},
            {"ansible.builtin.fail": {"msg": secret}, **more},
            {"ansible.builtin.command": {"argv": ["{{ nothing['" + secret + "'] }}"]}, "vars": {"nothing": {}}, **more},
        ]

    tasks = [*kinds(hidden, no_log=True, ignore_errors=True), *kinds(shown, ignore_errors=True)]
    # The module itself declares this option as secret, and its result repeats the address.
    login = {"url_username": "u", "url_password": hidden, "url": f"http://127.0.0.1:1/{hidden}-{shown}"}
    result = run([*tasks, {"name": "Fetch", "ansible.builtin.uri": login}], "--diff")
    ends = [event for event in result.events if isinstance(event, TaskEnded)]
    assert hidden not in result.everything
    assert [event.said for event in ends[:6]] == [events.HIDDEN] * 3 + [""] + [events.HIDDEN] * 2
    assert [event.changed for event in ends[:6]] == [True] * 4 + [False] * 2
    for event in ends[6:12]:  # the control: of what is not marked, each kind is reported
        assert shown in event.said + event.diff
    assert result.outcome.failed == "Fetch"
    assert f"http://127.0.0.1:1/********-{shown}" in result.log


@pytest.mark.system
def test_a_run_that_does_not_begin_is_a_failure(run: Callable[..., Run], tmp_path: Path) -> None:
    result = run([{"name": "No such module", "ansible.builtin.nothing": {}}])
    assert (result.outcome.failed, result.events) == ("running Ansible", [])
    assert str(tmp_path / "log") in result.outcome.said
    assert "couldn't resolve module" in result.log


def program(folder: Path, script: str) -> Path:
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


END = """echo '{"event":"stats","hosts":{}}' > /dev/fd/$WARDWELL_EVENTS"""


@pytest.mark.parametrize(
    ("script", "failed"),
    [
        (END, ""),  # the control
        (":", "running Ansible"),
        (f"{END}; exit 1", "running Ansible"),
        (END.replace("stats", "surprise"), "running Ansible"),
        ("printf '{' > /dev/fd/$WARDWELL_EVENTS; kill -9 $$", "running Ansible"),
    ],
)
def test_only_a_run_that_reports_its_end_succeeded(
    run: Callable[..., Run], tmp_path: Path, script: str, failed: str
) -> None:
    assert run([], program=program(tmp_path, script)).outcome.failed == failed


@pytest.mark.system
@pytest.mark.parametrize("mode", ["r", "w"])
def test_nothing_runs_that_could_not_be_reported(run: Callable[..., Run], tmp_path: Path, mode: str) -> None:
    # Opened for reading, nothing can be written to it; for writing is the control.
    redirect = {"r": "<", "w": ">"}[mode]
    begun = program(tmp_path, f'exec 9{redirect}/dev/null; WARDWELL_EVENTS=9 exec {PROGRAM} "$@"')
    run([written(tmp_path / "made")], program=begun)
    assert (tmp_path / "made").exists() == (mode == "w")


def follow(*middle: Event, failures: int = 0) -> tuple[Outcome, list[str]]:
    """A run whose role `layout` changed something and whose role `base` reported `middle`."""
    made = TaskEnded("layout", "Make the groups", "localhost", "ok", changed=True)
    begun: list[Event] = [PlayStarted("Try", ["layout", "base"]), TaskStarted("layout", made.task), made]
    counts = Counts(ok=2, changed=1, failures=failures, unreachable=0, skipped=0, rescued=0, ignored=0)
    said: list[str] = []
    reported = [*begun, TaskStarted("base", "Refuse"), *middle, RunEnded({"localhost": counts})]
    outcome, ended = playbook.follow(reported, said.append)
    assert ended
    return outcome, said


def failure(said: str, **more: Any) -> TaskEnded:
    return TaskEnded("base", "Refuse", "localhost", "failed", said=said, **more)


def test_each_role_is_said_and_each_change_named_once() -> None:
    outcome, said = follow(TaskEnded("base", "Refuse", "localhost", "ok"))
    assert said == ["layout (step 1 of 2, 0:00 min)", "base (step 2 of 2, 0:00 min)"]
    assert outcome == Outcome([Change("layout: Make the groups")])


def test_what_failed_is_named_with_what_it_said() -> None:
    outcome, _ = follow(failure("no room left"), failures=1)
    assert (outcome.failed, outcome.said) == ("base: Refuse", "no room left")


def test_a_failed_handler_is_named_and_its_role_not_said_again() -> None:
    handler = TaskEnded("layout", "Restart it", "localhost", "failed", said="no such unit")
    outcome, said = follow(TaskStarted("layout", "Restart it", handler=True), handler, failures=1)
    assert (outcome.failed, outcome.said) == ("layout: Restart it", "no such unit")
    assert len(said) == 2


def test_what_was_ignored_did_not_fail() -> None:
    assert not follow(failure("x", ignored=True))[0].failed
    assert follow(failure("y"), failure("x", ignored=True), failures=1)[0].said == "y"


def test_a_run_that_was_killed_names_the_last_failure() -> None:
    outcome, ended = playbook.follow([PlayStarted("Try", ["base"]), failure("why")], print)
    assert (outcome.failed, outcome.said, ended) == ("base: Refuse", "why", False)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"msg": "no room left"}, "no room left"),
        ({"stderr": "no room left\n", "msg": "non-zero"}, "no room left"),
        ({"module_stderr": "no room left", "stderr": "x", "msg": "MODULE FAILURE"}, "no room left"),
        ({"results": [{"failed": True, "msg": "no room left"}, {"msg": "fine"}], "msg": "some failed"}, "no room left"),
        ({"msg": "x" * 500 + "the end"}, "x" * 393 + "the end"),
        ({"censored": "by no_log", "stderr": "secret"}, events.HIDDEN),
        ({"results": [{"censored": "by no_log", "msg": "secret"}]}, events.HIDDEN),
        ({}, ""),
    ],
)
def test_a_failure_is_said_in_what_a_person_can_use(result: dict[str, Any], said: str) -> None:
    assert events.said(result) == said


def test_events_are_one_object_a_line_and_nothing_else_is_read() -> None:
    line = msgspec.json.encode(TaskStarted("base", "Write"))
    assert line == b'{"event":"task","role":"base","task":"Write","handler":false}'
    assert list(events.decode([line])) == [TaskStarted("base", "Write")]
    for wrong in (
        b"PLAY RECAP",
        b'{"event":"surprise"}',
        b'{"event":"result","role":"","task":"","host":"","status":"?"}',
    ):
        with pytest.raises(msgspec.DecodeError):
            list(events.decode([wrong]))
