"""What every staff page must be, whoever may see it: its outline, its labels, nothing inline."""

from __future__ import annotations

import itertools
from html.parser import HTMLParser


class Outline(HTMLParser):
    """What an accessible page must have: one h1, one main, labels for fields, no id twice, headings in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.labels: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.mains = 0
        self.inline: list[str] = []
        self.title = ""
        self._in_title = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag in {"h1", "h2", "h3"}:
            self.headings.append(int(tag[1]))
        if tag == "label":
            self.labels.add(str(found.get("for")))
        if tag in {"input", "select", "textarea"} and found.get("type") != "hidden":
            self.fields.append(found)
        self.mains += tag == "main"
        self.inline += [name for name in found if name == "style" or name.startswith("on")]
        self.inline += ["script"] if tag == "script" and "src" not in found else []
        self._in_title = tag == "title" and not self.title

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data


def check_outline(page: str) -> None:
    outline = Outline(page)
    assert outline.headings.count(1) == 1 and outline.headings[0] in (1, 2)
    in_main = outline.headings[outline.headings.index(1) :]
    assert all(b - a <= 1 for a, b in itertools.pairwise(in_main))
    assert outline.mains == 1
    assert len(outline.ids) == len(set(outline.ids))
    assert [field for field in outline.fields if field.get("id") not in outline.labels] == []
    assert outline.inline == []  # nothing that the Content-Security-Policy would refuse
    assert outline.title.endswith("Wardwell")
