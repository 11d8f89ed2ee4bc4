"""Boot a copy of a root with the scanners in it, and read what they say.

The scanners are no part of the appliance: they are added to a copy from the outside, before it is booted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.appliance.rootfs import Layer, stock
from tests.appliance.scoring.retarget import retarget
from tests.appliance.ssh import Shell

CONTENT = "usr/share/xml/scap/ssg/content/ssg-debian11-ds.xml"
PROFILES = [f"anssi_np_nt28_{level}" for level in ("minimal", "average", "high", "restrictive")] + ["standard"]
_PREFIX = "xccdf_org.ssgproject.content_"


@dataclass
class Score:
    """OpenSCAP's score by its default model, 0 to 100, and the rules that failed."""

    value: float
    failed: list[str]


def add_scanners(layer: Layer) -> None:
    """Install them in a root that is not booted. Needs the package sources of this machine."""
    resolver = Path("/etc/resolv.conf").read_text()
    # Where the stock root came from; the installation takes the network's package sources away.
    (layer.folder / "sources.list").write_text((stock() / "etc/apt/sources.list").read_text())
    layer.with_mounted(f"cp {layer.folder}/sources.list {layer.merged}/root/sources.list")
    layer.in_chroot(
        f"rm -f /etc/resolv.conf; printf '%s' '{resolver}' >/etc/resolv.conf; cd /etc/apt;"
        " mkdir -p /root/apt; mv sources.list sources.list.d /root/apt/ 2>/dev/null || :; mkdir -p sources.list.d;"
        " mv /root/sources.list sources.list; apt-get -qq update;"
        " DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends"
        " lynis openscap-scanner ssg-debderived ssg-debian >/dev/null;"
        " rm -rf sources.list sources.list.d /etc/resolv.conf; mv /root/apt/* . ; rmdir /root/apt;"
        " systemctl disable lynis.timer 2>/dev/null || :; rm -rf /var/lib/apt/lists/*",
        timeout=900,
    )
    text = (layer.with_mounted(f"cat {layer.merged}/{CONTENT}")).strip()
    for name, chrony in (("debian12", False), ("debian12-chrony", True)):
        (layer.folder / f"{name}.xml").write_text(retarget(text, chrony=chrony))
        layer.with_mounted(f"cp {layer.folder}/{name}.xml {layer.merged}/root/{name}.xml")


def openscap(shell: Shell, content: str = "debian12", profile: str = "anssi_np_nt28_high") -> Score:
    """One evaluation in the booted machine."""
    evaluate = f"oscap xccdf eval --profile {_PREFIX}profile_{profile} --results /tmp/results.xml /root/{content}.xml"
    # It ends with 2 when a rule failed.
    shell.run(f"{evaluate} >/tmp/results.txt 2>/dev/null || test $? = 2", timeout=900)
    value = re.search(r"<score[^>]*>([0-9.]+)", shell.output("grep -o '<score[^>]*>[^<]*' /tmp/results.xml"))
    rules = re.findall(r"content_rule_(\S+)\s.*?Result\s+(\S+)", shell.output("cat /tmp/results.txt"), re.DOTALL)
    assert value and rules, "OpenSCAP said nothing"
    # A rule may also not apply, or not be selected.
    failed = [rule for rule, result in rules if result in ("fail", "error", "unknown")]
    return Score(float(value.group(1)), sorted(failed))


def lynis(shell: Shell) -> tuple[int, list[str]]:
    """Lynis's hardening index, and the tests behind its suggestions and warnings. About a quarter of an hour."""
    shell.run("lynis audit system --quiet --no-colors >/dev/null 2>&1 || :", timeout=3600)
    report = shell.output("cat /var/log/lynis-report.dat")
    index = re.search(r"^hardening_index=(\d+)$", report, re.MULTILINE)
    assert index, "Lynis said nothing"
    return int(index.group(1)), sorted(
        set(re.findall(r"^(?:suggestion|warning)\[\]=([A-Z0-9-]+)", report, re.MULTILINE))
    )
