"""No module of the private space imports itself through others, types included: each can be read from the bottom up."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from provisioning import packages

RULE = "suspicious/noImportCycles"


def circles(project: Path) -> list[str]:
    """`FILE:LINE` of each import below `project` that is part of a circle; `project` holds a `biome.json`."""
    done = subprocess.run(
        [str(packages.NODE), str(packages.BIOME), "lint", f"--only={RULE}", "--reporter=github", "."],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # 1: something is reported. A configuration that Biome cannot read ends with 1 as well, but on the error stream.
    assert done.returncode in (0, 1) and (done.stdout or not done.returncode), done.stderr
    reported = re.findall(rf"::\w+ title=lint/{RULE},file=([^,]+),line=(\d+)", done.stdout)
    return [f"{(project / file).relative_to(project)}:{line}" for file, line in reported]


def test_no_module_imports_itself_through_others(library: Path) -> None:
    assert circles(packages.SPACE) == []


def test_a_circle_of_types_is_reported(library: Path, tmp_path: Path) -> None:
    shutil.copy(packages.SPACE / "biome.json", tmp_path)
    (tmp_path / "first.ts").write_text('import type { B } from "./second.js";\nexport type A = B[];\n')
    (tmp_path / "second.ts").write_text("export interface B {\n  readonly b: string;\n}\n")
    assert circles(tmp_path) == []
    (tmp_path / "second.ts").write_text(
        'import type { A } from "./first.js";\nexport interface B {\n  readonly a: A;\n}\n'
    )
    assert circles(tmp_path) == ["first.ts:1", "second.ts:1"]
