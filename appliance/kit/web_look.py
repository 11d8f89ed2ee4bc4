"""What a browser is sent by a web site: Chromium with a fresh profile, no cookie, and nobody signed in.

Owns: starting Chromium, asking for the start page and for files, and noting every answer and every request as the
browser saw them. Must never see: a sign-in; the manifest. Playwright and Chromium are not part of the appliance.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate

from appliance.errors import WardwellError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request, Response

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# Nothing of the browser's own may go out, or be taken for the site's doing.
_FLAGS = (
    "--headless=new",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-quic",
    "--disable-gpu",
)
_SECONDS = 30
# An empty page of the site's own origin, answered here: no script of the site runs where files are asked for.
_EMPTY = "/wardwell-web-check"
_FETCH = """async (path) => {
    const answer = await fetch(path, { cache: "no-store", credentials: "include" }).catch(() => null);
    const bytes = new Uint8Array(answer ? await answer.arrayBuffer() : 0);
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return btoa(text);
}"""


@dataclass(frozen=True)
class Visitor:
    """How one visit introduces itself; `name` is how differences speak of it."""

    name: str
    user_agent: str | None
    locale: str


# The same for everyone: two visitors that differ in all that a browser says of itself.
VISITORS = (
    Visitor("Chromium, English", None, "en-US"),
    Visitor(
        "Firefox on Windows, Spanish",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "es-MX",
    ),
)


@dataclass(frozen=True)
class Answer:
    """One answer. Header names in lower case; the body is what the page got, uncompressed, None when it got none.

    Without `exact`, the body of a text went through the browser's decoder, which drops a byte order mark.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    exact: bool


@dataclass
class Visit:
    """What one visitor was sent: files by path, what the start page asked for (whole addresses), and cookies.

    `unanswered` are the paths whose request failed, or led to where the browser refuses to go.
    """

    visitor: Visitor
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)


def origin_of(url: str) -> str:
    """`https://host[:port]` of `url`. Raises WardwellError for what is not the address of a site's start page."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        port = f":{parts.port}" if parts.port not in (None, 443) else ""
    except ValueError:
        host = None
    if not host or parts.scheme != "https" or parts.path not in ("", "/") or parts.query or parts.username:
        raise WardwellError(f"{url} is not the address of a private space.", "Write it as https://my.example.gov/")
    return f"https://{host}{port}"


def look(origin: str, paths: list[str], ca: Path | None) -> list[Visit]:
    """Visit `origin` as each of VISITORS: the start page with all it loads, then each of `paths`.

    Raises WardwellError without Playwright or Chromium, when the certificate does not hold (by the machine's own
    authorities, or by the one in the file `ca`), or when nobody answers.
    """
    pin = _checked_key(origin, ca)
    with _browser(pin if ca else None) as browser:
        return [_visit(browser, origin, paths, visitor) for visitor in VISITORS]


def _checked_key(origin: str, ca: Path | None) -> str:
    """The SHA-256 (base64) of the server's public key, its certificate verified."""
    parts = urlsplit(origin)
    host = str(parts.hostname)
    try:
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
    except (OSError, ssl.SSLError):
        raise WardwellError(f"{ca} is not a certificate in PEM form.", "Give the authority's certificate.") from None
    # Names below .localhost resolve in browsers but not everywhere else (RFC 6761).
    address = "127.0.0.1" if host.endswith(".localhost") else host
    try:
        with (
            socket.create_connection((address, parts.port or 443), _SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as tls,
        ):
            der = tls.getpeercert(binary_form=True)
    except ssl.SSLCertVerificationError as problem:
        raise WardwellError(
            f"The certificate of {host} does not hold: {problem.verify_message}.",
            "If the agency has an authority of its own, give its certificate with --ca.",
        ) from None
    except OSError as problem:
        raise WardwellError(f"{host} does not answer: {problem}.", "Check the address and the network.") from None
    key = load_der_x509_certificate(der or b"").public_key()
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(info).digest()).decode()


@contextlib.contextmanager
def _browser(pin: str | None) -> Iterator[Browser]:
    """Chromium; with `pin` it takes this one key, which was checked against --ca, and no other unknown one."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise WardwellError(
            "Playwright is not installed; it drives the browser of this check.", "Run `pip install playwright`."
        ) from None
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        raise WardwellError("Chromium is not installed.", "Install it: `sudo apt install chromium`.")
    flags = [*_FLAGS, *([f"--ignore-certificate-errors-spki-list={pin}"] if pin else [])]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")  # does not start as root
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=program, args=flags)
        except Error as problem:
            raise WardwellError(
                f"Chromium did not start: {problem.message.splitlines()[0]}", "Start it once by hand."
            ) from None
        try:
            yield browser
        except Error as problem:
            raise WardwellError(
                f"The browser did not get through: {problem.message.splitlines()[0]}", "Try again; then tell agency IT."
            ) from None
        finally:
            browser.close()


def _visit(browser: Browser, origin: str, paths: list[str], visitor: Visitor) -> Visit:
    visit = Visit(visitor)
    # Each its own profile. First as it is, with the page's worker; then the files, past any worker.
    with _profile(browser, visitor, "allow") as (page, cookies):
        responses: list[Response] = []
        page.context.on("request", lambda request: _note(visit, request))
        page.context.on("response", lambda response: responses.append(response))
        page.on("websocket", lambda opened: visit.asked.append(opened.url))
        page.goto(f"{origin}/", wait_until="networkidle", timeout=_SECONDS * 1000)
        for response in responses:
            _keep(visit, origin, response, None)
        visit.cookies += cookies()
    with _profile(browser, visitor, "block") as (page, cookies):
        page.route(f"{origin}{_EMPTY}", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
        page.goto(f"{origin}{_EMPTY}")
        for path in paths:
            with page.expect_request(f"{origin}{path}", timeout=_SECONDS * 1000) as asked:
                body = base64.b64decode(page.evaluate(_FETCH, path))
            # Of a redirect this is the first answer, wherever it leads; none when the browser refuses to go there.
            if answer := asked.value.response():
                _keep(visit, origin, answer, body)
            else:
                visit.unanswered.append(path)
        visit.cookies += cookies()
    return visit


@contextlib.contextmanager
def _profile(browser: Browser, visitor: Visitor, workers: Any) -> Iterator[tuple[Page, Any]]:
    context = browser.new_context(
        user_agent=visitor.user_agent, locale=visitor.locale, service_workers=workers, accept_downloads=False
    )
    try:
        yield context.new_page(), lambda: sorted(str(cookie.get("name")) for cookie in context.cookies())
    finally:
        context.close()


def _note(visit: Visit, request: Request) -> None:
    if not request.url.startswith(("data:", "blob:", "about:")):
        visit.asked.append(request.url)


def _keep(visit: Visit, origin: str, response: Response, exact: bytes | None) -> None:
    from playwright.sync_api import Error

    path = response.url.removeprefix(origin)
    if path == response.url:
        return
    try:
        body = response.body() if exact is None else exact
    except Error:
        body = None  # a redirect, or the script of a worker, whose bytes Chromium does not hand out
    headers = tuple((each["name"].lower(), each["value"]) for each in response.headers_array())
    visit.answers.setdefault(path, []).append(Answer(response.status, headers, body, exact is not None))
