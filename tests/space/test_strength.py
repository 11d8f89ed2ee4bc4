"""The work behind secrets as it ships: other tests of the space use a copy of the bundles that works little."""

from __future__ import annotations

import json
from pathlib import Path

from provisioning.packages import SPACE
from tests.space.conftest import NodeTests
from tests.support.quick_space import QUICK_LOG_N, SHIPPED_LOG_N, bundles, factors, quick_code


def test_every_bundle_that_ships_states_the_full_factor_and_the_quick_copy_the_low_one(shipped_library: Path) -> None:
    constants = json.loads((SPACE.parents[1] / "appliance" / "rules" / "constants.json").read_text())
    assert constants["age_scrypt_log_n"] == SHIPPED_LOG_N
    for space, factor in ((SPACE, SHIPPED_LOG_N), (quick_code() / "webapp" / "space", QUICK_LOG_N)):
        stated = {bundle.name: factors(bundle, kind) for bundle, kind in bundles(space).items()}
        assert {"library.mjs", "prepare.mjs"} < set(stated)
        assert len(stated) == 3 and all(found == [factor, factor] for found in stated.values()), stated


def test_the_shipped_library_makes_and_opens_nothing_weaker(run_node_tests: NodeTests, shipped_library: Path) -> None:
    run_node_tests("strength.test.mjs", shipped_library)
