"""Node's own tests of the modules without DOM, one file per module."""

from __future__ import annotations

import pytest

from tests.space.conftest import NodeTests


@pytest.mark.parametrize("name", ["hpke", "vault", "secrets", "merge", "versions", "choices", "freshness"])
def test_node(run_node_tests: NodeTests, name: str) -> None:
    run_node_tests(f"{name}.test.mjs")
