"""The private space with little work behind its secrets, for tests that open it often and are not about that work.

Owns: a copy of what was built in which the two places that state scrypt's work factor state another. What ships has no
switch for it; `tests/space/test_strength.py` looks at what ships. Must never see: anything but what was built.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from provisioning import packages
from tests.support.cached import ROOT, cached, digest_of

SHIPPED_LOG_N = 18
# Higher than the factors of which tests say that they are too low. 8 MiB and 20 ms; 18 takes 256 MiB and a second.
QUICK_LOG_N = 13
# How bundles state the browser's own least factor and the shared constants': for Node, and minified for the browser.
_STATED = {
    "node": (r"(var LEAST_LOG_N = )(\d+)(;)", r"(\bage_scrypt_log_n: )(\d+)(,)"),
    "browser": (r"(=)(\d+)(,[\w$]+=Math\.max\([\w$]+,[\w$]+\.age_scrypt_log_n\))", r"(\bage_scrypt_log_n:)(\d+)(,)"),
}


def bundles(space: Path) -> dict[Path, str]:
    """The bundles below `webapp/space` that hold the factor, and for whom each is made."""
    for_browser = [path for path in (space / "dist").rglob("*.js") if path.name != "worker.js"]
    return {**dict.fromkeys((space / "dist-node").glob("*.mjs"), "node"), **dict.fromkeys(for_browser, "browser")}


def factors(bundle: Path, kind: str) -> list[int]:
    """Every work factor that a bundle states: its own least one, then the shared constants'."""
    text = bundle.read_text()
    return [int(stated[1]) for pattern in _STATED[kind] for stated in re.findall(pattern, text)]


def _make(code: Path) -> None:
    for part in ("space/dist", "space/dist-node"):
        shutil.copytree(ROOT / "webapp" / part, code / "webapp" / part)
    (code / "webapp" / "desk").symlink_to(ROOT / "webapp" / "desk")
    for bundle, kind in bundles(code / "webapp" / "space").items():
        text = bundle.read_text()
        for pattern in _STATED[kind]:
            text, count = re.subn(pattern, rf"\g<1>{QUICK_LOG_N}\g<3>", text)
            assert count == 1, f"{bundle.name} states the work factor {count} times as {pattern}"
        bundle.write_text(text)


def quick_code() -> Path:
    """A source tree, as far as the front and Node read one, whose private space works little. It has to be built."""
    built = [path for name in ("dist", "dist-node") for path in (packages.SPACE / name).rglob("*") if path.is_file()]
    return cached("space", digest_of([*built, Path(__file__)]), _make)
