"""A release as press writes it, small enough to read: for the pages that show one."""

from __future__ import annotations

from appliance.crypto.canonical import canonical


def release(floor: int) -> bytes:
    """A release in press's format, with a shown and an absent cell."""
    why = "fewer than 20 people"
    groups = [
        {"path": "Agency", "name": "Agency", "depth": 0, "headcount": 40, "reason": ""},
        {"path": "Agency/Dispatch", "name": "Dispatch", "depth": 1, "headcount": None, "reason": why},
    ]
    cells = [
        {"group": "Agency", "value": 92, "of": 48, "text": "44 of 48 (92%)", "reason": ""},
        {"group": "Agency/Dispatch", "value": None, "of": None, "text": "", "reason": why},
    ]
    return canonical(
        {
            "v": 1,
            "agency": "Test Agency",
            "period": "2026-10",
            "made_at": "2026-11-01T08:00:00Z",
            "charter_digest": "00",
            "floor": floor,
            "roster_version": 3,
            "notice": "",
            "groups": groups,
            "indicators": [
                {
                    "id": "steps_on_time",
                    "title": "Follow-up steps done on time",
                    "unit": "percent of the steps due in the month",
                    "why": "Because.",
                    "cells": cells,
                }
            ],
            "practices": [{"title": "Charter", "value": "Version 1"}],
            "epsilon": 0,
            "epsilon_words": "No noise.",
            "inputs": {"intake": None, "desk": None, "practices": None},
        }
    )
