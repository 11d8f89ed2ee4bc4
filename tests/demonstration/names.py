"""Word lists of the demonstration agency. Owns: invented names. Must never see: a real person's record."""

from __future__ import annotations

import tomllib
from pathlib import Path

_LISTS = {
    name: text.split() for name, text in tomllib.loads((Path(__file__).parent / "names.toml").read_text()).items()
}
GIVEN, FAMILY, WORDS = _LISTS["given"], _LISTS["family"], _LISTS["words"]
