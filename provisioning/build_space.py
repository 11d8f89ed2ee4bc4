"""Builds the officer's private space: `python -m provisioning.build_space`.

Owns: `webapp/space/dist/` (content-addressed files for the browser, `index.html`, and `manifest.json`: SHA-256, size
and headers of each, which a release signs and `wardwell kit web-check` compares), `webapp/space/dist-node/` (the
modules without DOM, for tests and for the demonstration's vaults) and `webapp/space/.cache/`. The same sources give
the same bytes. Must never see: anything of an appliance.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from appliance.charter.schema import Charter, load_charter
from appliance.crypto.canonical import canonical
from provisioning import build_skin, space_front
from provisioning.packages import MODULES, SPACE, install, node

DIST = SPACE / "dist"
DIST_NODE = SPACE / "dist-node"
CACHE = SPACE / ".cache"
ROOT = Path(__file__).resolve().parents[1]
MANIFEST = "manifest.json"
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


def digests(folder: Path) -> dict[str, str]:
    """Name -> SHA-256 (hex) of every file below `folder` but the manifest."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def manifest(folder: Path) -> dict[str, Any]:
    """What the front serves of a release: every file below `folder`, and which paths each appliance writes itself.

    Format: docs/web-check.md. KeyError for a file whose ending the front has no type for.
    """
    files: dict[str, Any] = {}
    for name, digest in digests(folder).items():
        path = f"/{name}"
        content = {"Content-Type": space_front.CONTENT_TYPES[path.rpartition(".")[2]]}
        size = (folder / name).stat().st_size
        files[path] = {"sha256": digest, "size": size, "headers": content | space_front.headers_of(path)}
    files["/"] = files["/index.html"]
    return {
        "kind": "wardwell-space",
        "version": tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"],
        "files": files,
        "published": {path: space_front.headers_of(path) for path in space_front.PUBLISHED},
        "published_below": list(space_front.PUBLISHED_BELOW),
    }


def bundle(dist: Path, dist_node: Path) -> dict[str, Any]:
    """Bundle the sources, as they are, into two new folders; gives the manifest."""
    for folder in (dist, dist_node):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    node("build.mjs", dist, dist_node)
    made = manifest(dist)
    (dist / MANIFEST).write_text(json.dumps(made, indent=1, sort_keys=True) + "\n")
    return made


def build() -> dict[str, Any]:
    """Install packages when the lock changed, check types, bundle, and put the result in place; gives the manifest."""
    install()
    _prepare_cache()
    node(MODULES / "typescript" / "bin" / "tsc", "--noEmit", "-p", ".")
    fresh, fresh_node = CACHE / "dist", CACHE / "dist-node"
    made_manifest = bundle(fresh, fresh_node)
    for made, place in ((fresh, DIST), (fresh_node, DIST_NODE)):
        shutil.rmtree(place, ignore_errors=True)
        made.rename(place)
    return made_manifest


if __name__ == "__main__":
    build()
