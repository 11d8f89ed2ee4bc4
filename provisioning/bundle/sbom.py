"""The bill of materials: every third-party package in a bundle, as CycloneDX JSON.

Owns: how each kind of package is named (purl). Must never see: an appliance. The bill has no time in it, so that two
builds give the same bytes; the manifest has the time.
"""

from __future__ import annotations

import email.parser
import hashlib
import json
import subprocess
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL


def make(version: str, commit: str, debs: Path, wheels: Path, npm_lock: Path) -> bytes:
    """The bill for these folders and npm's lock, as indented JSON."""
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"wardwell:{version}:{commit}"))
    root = Component(name="wardwell", version=version, bom_ref="wardwell", type=ComponentType.APPLICATION)
    bom.metadata = BomMetaData(component=root)
    components = [*_debian(debs), *_python(wheels), *_npm(npm_lock)]
    bom.components.update(components)
    bom.register_dependency(root, components)
    bill = json.loads(JsonV1Dot6(bom).output_as_string())
    bill["metadata"].pop("timestamp", None)
    return json.dumps(bill, indent=1, sort_keys=True).encode() + b"\n"


def _component(purl: PackageURL, file: Path | None = None) -> Component:
    digests = [HashType(alg=HashAlgorithm.SHA_256, content=_sha256(file))] if file else []
    return Component(
        name=purl.name,
        version=purl.version,
        purl=purl,
        bom_ref=purl.to_string(),
        hashes=digests,
        type=ComponentType.LIBRARY,
    )


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _debian(debs: Path) -> Iterator[Component]:
    for path in sorted(debs.glob("*.deb")):
        shown = ["dpkg-deb", "--show", "--showformat=${Package} ${Version} ${Architecture}", str(path)]
        name, version, architecture = subprocess.check_output(shown, text=True).split()
        yield _component(PackageURL("deb", "debian", name, version, {"arch": architecture}), path)


def _python(wheels: Path) -> Iterator[Component]:
    for path in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(path) as wheel:
            member = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
            metadata = email.parser.BytesHeaderParser().parsebytes(wheel.read(member))
        yield _component(PackageURL("pypi", None, str(metadata["Name"]).lower(), str(metadata["Version"])), path)


def _npm(lock: Path) -> Iterator[Component]:
    """The packages in the browser code: everything in the lock that is not for building alone."""
    for path, entry in sorted(json.loads(lock.read_bytes())["packages"].items()):
        if path and not entry.get("dev"):
            scope, _, name = path.rpartition("node_modules/")[2].rpartition("/")
            yield _component(PackageURL("npm", scope or None, name, entry["version"]))
