"""Promise: gunicorn loads desk's code before it forks, and nothing that a fork must not share."""

from __future__ import annotations

import subprocess
import sys

_LOADED = (
    "import os, sys, threading; from webapp.desk import BLUEPRINTS, gunicorn_config;"
    "before = all(name in sys.modules for name in BLUEPRINTS); gunicorn_config.on_starting(None);"
    "files = [os.readlink(f'/proc/self/fd/{name}') for name in os.listdir('/proc/self/fd') if int(name) > 2"
    " and os.path.exists(f'/proc/self/fd/{name}')];"
    "print(before, all(name in sys.modules for name in BLUEPRINTS), threading.active_count(),"
    " [file for file in files if file.endswith('.db')])"
)


def test_workers_share_code_and_no_thread_or_database() -> None:
    done = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False True 1 []"
