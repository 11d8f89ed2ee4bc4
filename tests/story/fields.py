"""The fields for words of the private space, found in its sources, and typing into them while noting which.

A field that somebody adds is in `in_sources()` at once, and the hunt fails until it is typed into as well.
"""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page

from provisioning.packages import SPACE

# The components that make a field out of what a page says; their own inputs have no name of their own.
_MAKERS = {"parts.tsx", "text_area.tsx", "words_field.tsx"}
_TAG = re.compile(r"<(?:Field|TextArea|WordsField|input|textarea)\b((?:=>|[^>])*)")
_ID = re.compile(r"""\bid=(?:"([^"]+)"|\{`([^`]+)`\})""")
_COUNTED = re.compile(r"\$\{[^}]*\}")
# What cannot hold a word. How the answers in these travel is what the two worlds compare.
_WORDLESS = re.compile(r"""\btype="(?:range|radio|checkbox)\"""")


def in_sources() -> set[str]:
    """Every field as `page/id`; `*` stands for what a page counts. Fails at one whose id cannot be read."""
    found = set()
    for path in (SPACE / "src").rglob("*.tsx"):
        text = path.read_text()
        for tag in _TAG.finditer(text):
            if path.name in _MAKERS or _WORDLESS.search(tag[1]):
                continue
            name = _ID.search(tag[1])
            assert name, f"a field without an id in {path.name}"
            found.add(f"{path.stem}/{name[1] or _COUNTED.sub('*', name[2])}")
    return found


class Typist:
    """Types into fields of one browser, and notes which."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.typed: set[str] = set()

    def field(self, name: str, number: int = 0) -> Locator:
        """The field `page/id`, the `number`th where a page counts. Noted as typed into."""
        self.typed.add(name)
        found = self.page.locator(f"[id='{name.split('/')[1].replace('*', str(number))}']")
        if found.get_attribute("type") != "file":
            # Or the browser's maker may be sent what is checked or completed.
            looked_over = [found.get_attribute(one) for one in ("spellcheck", "writingsuggestions")]
            assert looked_over == ["false", "false"], name
        return found

    def fill(self, name: str, words: str, number: int = 0) -> None:
        self.field(name, number).fill(words)
