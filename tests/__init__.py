"""Tests of all of Wardwell."""

from pathlib import Path

import pytest

# Helpers say what they compared when they fail, as test files do. Said before any of them is imported.
pytest.register_assert_rewrite(*(f"tests.{path.name}" for path in Path(__file__).parent.iterdir() if path.is_dir()))
