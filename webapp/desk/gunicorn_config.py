"""How gunicorn runs desk: two workers that share what was loaded before they were forked.

Owns: gunicorn's settings for desk (`gunicorn --config python:webapp.desk.gunicorn_config`). Must never see: a request;
no line is written about any. The application itself is made after forking, and so is every connection to a database.
"""

from __future__ import annotations

import importlib
from typing import Any

from webapp.desk import BLUEPRINTS

worker_class = "gthread"
workers = 2
threads = 4
worker_tmp_dir = "/dev/shm"  # noqa: S108 - gunicorn's own heartbeat files
# For the socket alone: who may ask is decided by the folder that it lies in.
umask = 0


def on_starting(_server: Any) -> None:
    """Load every page's code once instead of once in each worker."""
    for name in BLUEPRINTS:
        importlib.import_module(name)
