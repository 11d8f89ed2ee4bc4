"""Builds the officer's private space: `python -m provisioning.build_space`.

Owns: `webapp/space/dist/` (content-addressed files for the browser, `index.html`, `manifest.json` with the SHA-256 of
every file), `webapp/space/dist-node/` (the modules without DOM, for tests and for the demonstration's vaults) and
`webapp/space/.cache/`. The same sources give the same bytes. Must never see: anything of an appliance.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import msgspec

from appliance.charter.model import Charter, load_charter
from appliance.crypto.canonical import canonical
from provisioning import build_skin
from provisioning.packages import MODULES, SPACE, install, node

DIST = SPACE / "dist"
DIST_NODE = SPACE / "dist-node"
CACHE = SPACE / ".cache"
SKIN_SOURCE = build_skin.SOURCE
SKIN = build_skin.TARGET


def charter_words(charter: Charter) -> dict[str, Any]:
    """What pages say of the charter: labels word for word, titles of roles, and its numbers."""
    return {
        "version": charter.version,
        "digest": charter.digest,
        "title": charter.title,
        "constants": msgspec.to_builtins(charter.constants),
        "roles": charter.roles,
        "categories": {
            name: {"title": category.title, "label": charter.label(name)}
            for name, category in charter.categories.items()
        },
    }


def _prepare_cache() -> None:
    CACHE.mkdir(exist_ok=True)
    (CACHE / "charter.json").write_bytes(canonical(charter_words(load_charter())))
    if not (SKIN / "fonts").is_dir():
        build_skin.build()
    shutil.rmtree(CACHE / "fonts", ignore_errors=True)
    shutil.copytree(SKIN / "fonts", CACHE / "fonts")
    for name in ("icons.svg", "icon.svg"):
        shutil.copy(SKIN / name, CACHE / name)
    node(
        MODULES / "sass" / "sass.js",
        "--no-source-map",
        "--style=compressed",
        "--quiet-deps",
        f"--load-path={SKIN_SOURCE}",
        f"--load-path={MODULES}",
        f"{SPACE / 'src' / 'space.scss'}:{CACHE / 'space.css'}",
    )


def manifest(folder: Path) -> dict[str, str]:
    """Name -> SHA-256 (hex) of every file below `folder` but the manifest itself."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def bundle(dist: Path, dist_node: Path) -> dict[str, str]:
    """Bundle the sources, as they are, into two new folders; gives the manifest."""
    for folder in (dist, dist_node):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    node("build.mjs", dist, dist_node)
    files = manifest(dist)
    (dist / "manifest.json").write_text(json.dumps(files, indent=1, sort_keys=True) + "\n")
    return files


def build() -> dict[str, str]:
    """Install packages when the lock changed, check types, bundle, and put the result in place; gives the manifest."""
    install()
    _prepare_cache()
    node(MODULES / "typescript" / "bin" / "tsc", "--noEmit", "-p", ".")
    fresh, fresh_node = CACHE / "dist", CACHE / "dist-node"
    files = bundle(fresh, fresh_node)
    for made, place in ((fresh, DIST), (fresh_node, DIST_NODE)):
        shutil.rmtree(place, ignore_errors=True)
        made.rename(place)
    return files


if __name__ == "__main__":
    build()
