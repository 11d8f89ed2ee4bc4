"""`python -m tests.demonstration.attacks [--only AREA]`."""

from __future__ import annotations

from tests.demonstration.measure import main

if __name__ == "__main__":
    main("tests.demonstration.attacks", "attacks.json")
