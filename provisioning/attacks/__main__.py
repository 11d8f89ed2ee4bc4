"""`python -m provisioning.attacks [--only AREA]`."""

from __future__ import annotations

from provisioning.measure import main

if __name__ == "__main__":
    main("provisioning.attacks", "attacks.json")
