"""The QR code of an authenticator app's secret, drawn here: no other machine ever sees it.

Owns: one function. The drawing uses presentation attributes only, so that the strict style policy holds.
"""

from __future__ import annotations

import segno


def svg(uri: str) -> str:
    """An inline `<svg>` of `uri` with a title; black on white in any theme, since cameras need it."""
    code = segno.make(uri, error="m", micro=False)
    drawn: str = code.svg_inline(
        scale=5, dark="#000", light="#fff", border=4, title="QR code for your authenticator app", omitsize=False
    )
    return drawn
