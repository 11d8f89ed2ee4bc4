"""HTML in, PDF/UA out: a child process that runs once and ends.

Owns: WeasyPrint, which is heavy and parses much; it is loaded nowhere else. Reads HTML from standard input, writes the
PDF to standard output. The same HTML gives the same bytes on the same machine: no time, no random identifier. The child
fetches nothing but the two fonts that ship. Must never see: a key.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

from appliance.errors import WardwellError

TIMEOUT_SECONDS = 120


def make_pdf(html: str, fonts: Path) -> bytes:
    """The PDF (pdf/ua-1) of `html`, made in a child. `fonts` is the only folder that it reads fonts from."""
    try:
        child = subprocess.run(
            [sys.executable, "-m", "appliance.press.pdf", str(fonts)],
            input=html.encode(),
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise WardwellError("Making the PDF took too long.", "Ask for a shorter period.") from None
    if child.returncode != 0 or not child.stdout.startswith(b"%PDF-"):
        raise WardwellError("The PDF could not be made.", "Run `wardwell doctor`; the PDF library may be damaged.")
    return child.stdout


def _child() -> None:
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    folder = Path(sys.argv[1]).resolve()

    class OnlyFonts(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            path = Path(url.removeprefix("file://"))
            if not url.startswith("file://") or path.resolve().parent != folder or path.suffix != ".woff2":
                raise ValueError("nothing but the fonts that ship is read")
            return super().fetch(url, headers)

    html = sys.stdin.buffer.read()
    document = HTML(string=html.decode(), url_fetcher=OnlyFonts(), base_url=folder.as_uri() + "/")
    pdf = document.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=hashlib.sha256(html).digest()[:16])
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    _child()
