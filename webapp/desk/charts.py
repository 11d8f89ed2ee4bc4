"""One kind of chart: labeled bars, drawn on the server as SVG.

Owns: the geometry; `templates/components/chart.html` writes it out. Presentation attributes carry every color, since
print needs them; classes let the theme change them. Values stand beside the bars, a figure that is not shown is a
dashed outline with its reason, and color alone says nothing. Must never see: a figure that is not in a release.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 640  # drawing units; text is sized so that it reads at half a page's width
ROW = 58
LABEL_SIZE = 20
BAR_HEIGHT = 24
TEXT_ROOM = 210  # kept free at the right for the value's words


@dataclass(frozen=True)
class Bar:
    """One bar. `value` None means that nothing is shown, for `reason`; `text` is the figure in words."""

    label: str
    value: int | None
    text: str
    reason: str = ""
    depth: int = 0


@dataclass(frozen=True)
class DrawnBar:
    """A bar with its place, in drawing units."""

    bar: Bar
    x: int
    y: int
    width: int


@dataclass(frozen=True)
class Chart:
    """A drawn chart: `title` and `description` are read aloud, `rows` are the table beside it."""

    id: str
    title: str
    description: str
    height: int
    bars: list[DrawnBar]

    width: int = WIDTH
    label_size: int = LABEL_SIZE
    bar_height: int = BAR_HEIGHT


def bar_chart(identifier: str, title: str, bars: Sequence[Bar], most: int | None = None) -> Chart:
    """Lay out horizontal bars, one under the other, each under its label.

    `most` is the value of a full bar (100 for percentages); without it the largest value is.
    """
    full = max(most or 0, *(bar.value or 0 for bar in bars), 1)
    room = WIDTH - TEXT_ROOM
    drawn = [
        DrawnBar(bar, 0, index * ROW + 28, max(2, round(room * bar.value / full)) if bar.value is not None else room)
        for index, bar in enumerate(bars)
    ]
    return Chart(identifier, title, _description(bars), len(bars) * ROW + 4, drawn)


def _description(bars: Sequence[Bar]) -> str:
    sentences = [f"{bar.label}: {bar.text if bar.value is not None else f'not shown, {bar.reason}'}" for bar in bars]
    return ". ".join(sentences) + "." if sentences else "There is nothing to show."
