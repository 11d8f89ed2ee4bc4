"""Reports a run of the playbook as one JSON object per line, and in Ansible's usual words for the log.

Owns: the translation of Ansible's callbacks into the structs of `provisioning/install/events.py`, which `wardwell
apply` and `wardwell config diff` read. Must never see: what `no_log` hides; Ansible removes it from each result before
a callback gets it, except the text of errors and warnings, which is dropped here.
"""

from __future__ import annotations

from typing import Any

from ansible.plugins.callback.default import CallbackModule as Default

from provisioning.install import events

DOCUMENTATION = """
name: wardwell_events
type: stdout
short_description: One JSON object per event, beside the usual output
description:
  - Writes no events unless it is given a descriptor, so that the playbook can also be run by hand.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
options:
  events_descriptor:
    description: Number of the open file descriptor that events are written to.
    type: int
    env:
      - name: WARDWELL_EVENTS
"""


class CallbackModule(Default):
    """Each event is reported before it is printed, because printing takes a result apart."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "wardwell_events"

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: Any = None) -> None:
        super().set_options(task_keys, var_options, direct)
        descriptor = self.get_option("events_descriptor")
        self._report = (lambda _event: None) if descriptor is None else events.writer(descriptor)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._report(events.PlayStarted(play.get_name(), [role.get_name() for role in play.roles]))
        super().v2_playbook_on_play_start(play)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._report(events.TaskStarted(*_names(task)))
        super().v2_playbook_on_task_start(task, is_conditional)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self._report(events.TaskStarted(*_names(task), handler=True))
        super().v2_playbook_on_handler_task_start(task)

    def v2_runner_on_ok(self, result: Any) -> None:
        self._ended("ok", result)
        super().v2_runner_on_ok(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._ended("failed", result, ignored=bool(ignore_errors))
        super().v2_runner_on_failed(result, ignore_errors)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._ended("unreachable", result, ignored=bool(result.task.ignore_unreachable))
        super().v2_runner_on_unreachable(result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._ended("skipped", result)
        super().v2_runner_on_skipped(result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._report(events.RunEnded({host: events.counts(stats.summarize(host)) for host in stats.processed}))
        super().v2_playbook_on_stats(stats)

    def _ended(self, status: events.Status, result: Any, *, ignored: bool = False) -> None:
        changed = result.is_changed()
        parts = result.result.get("results", [result.result]) if changed else []
        diffs = [self._get_diff(part["diff"]) for part in parts if part.get("changed") and part.get("diff")]
        said = "" if status in ("ok", "skipped") else events.said(result.result)
        role, name = _names(result.task, result.task_fields["name"])
        host = result.host.get_name()
        self._report(events.TaskEnded(role, name, host, status, changed, ignored, said, "".join(diffs)))

    def _handle_warnings_and_exception(self, result: Any) -> None:
        # Ansible censors a result, but not the text of an error or warning that belongs to it.
        if "censored" not in result.result:
            super()._handle_warnings_and_exception(result)


def _names(task: Any, name: str = "") -> tuple[str, str]:
    """The task's role, or nothing, and its name: `name` if given, which has its variables filled in."""
    # Ansible offers the role's name only as part of a text for people.
    role = task._role.get_name() if task._role else ""
    return role, name or task.name or task.action
