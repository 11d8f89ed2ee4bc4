"""Compiled page templates for tests, which make an application each: compiled once per process, not per application.

Owns: a cache in memory. Must never see: what a page shows; it keeps code, not values.
"""

from __future__ import annotations

from types import CodeType

import pytest
from flask import Flask
from flask.templating import Environment
from jinja2.bccache import Bucket, BytecodeCache


class CompiledTemplates(BytecodeCache):
    """The templates of the applications of one name, which have the same options and extensions."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


def share_between_applications(patch: pytest.MonkeyPatch) -> None:
    """Give every Flask application that is made from now on the compiled templates of the earlier ones of its name."""
    caches: dict[str, CompiledTemplates] = {}
    create = Flask.create_jinja_environment

    def create_with_cache(app: Flask) -> Environment:
        environment = create(app)
        environment.bytecode_cache = caches.setdefault(app.import_name, CompiledTemplates())
        return environment

    patch.setattr(Flask, "create_jinja_environment", create_with_cache)
