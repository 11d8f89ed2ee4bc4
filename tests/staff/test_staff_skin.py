"""The look keeps its promises: contrast in light and dark, small files, one small script, no foreign fonts or marks."""

from __future__ import annotations

import gzip
import re

import pytest

from provisioning.build_skin import SOURCE, TARGET

TEXT = [
    ("govuk-text-colour", "ww-page"),
    ("govuk-text-colour", "ww-card"),
    ("govuk-secondary-text-colour", "ww-page"),
    ("govuk-secondary-text-colour", "ww-card"),
    ("govuk-link-colour", "ww-page"),
    ("govuk-link-colour", "ww-card"),
    ("govuk-link-visited-colour", "ww-page"),
    ("govuk-link-hover-colour", "ww-card"),
    ("govuk-error-colour", "ww-page"),
    ("govuk-surface-text-colour", "govuk-surface-background-colour"),
    ("ww-head-text", "ww-head"),
    ("ww-head-text", "ww-button"),
    ("ww-head-text", "ww-button-hover"),
    ("ww-head-text", "ww-crisis"),
    ("ww-head-text", "ww-crisis-hover"),
    ("ww-head-text", "ww-leave"),
    ("ww-quiet-text", "ww-quiet"),
    ("ww-quiet-text", "ww-quiet-hover"),
    ("ww-yes", "ww-page"),
    ("ww-no", "ww-page"),
    *((f"ww-tag-{kind}-text", f"ww-tag-{kind}") for kind in ("plain", "new", "soon", "late", "done")),
]
EDGES = [("govuk-input-border-colour", "ww-page"), ("govuk-input-border-colour", "ww-card"), ("ww-bar", "ww-card")]


def colors(mode: str) -> dict[str, str]:
    """Custom properties of a mode; dark ones override light ones."""
    light, dark = (SOURCE / "_colors.scss").read_text().split("@media (prefers-color-scheme: dark)")
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light))
    return found | dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", dark)) if mode == "dark" else found


def contrast(first: str, second: str) -> float:
    """WCAG 2.2, contrast ratio of two #rrggbb colors."""

    def luminance(color: str) -> float:
        channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_contrast(mode: str) -> None:
    found = colors(mode)
    poor = [(a, b, round(contrast(found[a], found[b]), 2)) for a, b in TEXT if contrast(found[a], found[b]) < 4.5]
    poor += [(a, b, round(contrast(found[a], found[b]), 2)) for a, b in EDGES if contrast(found[a], found[b]) < 3]
    assert poor == []
    assert round(contrast("#000000", "#ffffff")) == 21 and contrast("#777777", "#888888") < 3  # the control


def test_a_cold_page_stays_within_its_budget() -> None:
    script = (TARGET / "desk.js").read_bytes()
    assert len(script) <= 20 * 1024
    texts = sum(len(gzip.compress((TARGET / name).read_bytes())) for name in ("skin.css", "desk.js", "icons.svg"))
    fonts = sum(path.stat().st_size for path in (TARGET / "fonts").glob("*.woff2"))
    assert texts + fonts + 10 * 1024 <= 100 * 1024


def test_nothing_foreign_and_no_html_is_written() -> None:
    style, script = (TARGET / "skin.css").read_text(), (TARGET / "desk.js").read_text()
    assert "GDS Transport" not in style and "crown" not in style
    assert re.findall(r"url\(([^)]*)\)", style) and all(
        url.strip("\"'").startswith("fonts/public-sans-") for url in re.findall(r"url\(([^)]*)\)", style)
    )
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", script)
    assert "http" not in re.sub(r"https?://www\.w3\.org[^\"']*", "", script)
