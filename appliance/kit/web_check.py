"""`wardwell kit web-check`: whether the private space that a browser is sent is the one that was released.

Owns: the comparison of two visits with a release manifest, and how a difference is named. Must never see: a sign-in,
or anything of a person. What it cannot show: that the same is sent to an officer tomorrow (docs/web-check.md).
"""

from __future__ import annotations

import codecs
import hashlib
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from appliance.crypto import sshsig
from appliance.errors import WardwellError
from appliance.kit import web_look, web_manifest
from appliance.kit.web_look import Answer, Visit

# What belongs to the way of an answer, not to what is answered. Anything else that is not stated is a difference.
_OF_THE_WAY = frozenset(
    {"accept-ranges", "connection", "content-encoding", "content-length", "date", "etag", "keep-alive"}
    | {"last-modified", "server", "transfer-encoding", "vary"}
)
_POLICY = "Content-Security-Policy"
_STATED = "/manifest.json"
# The witness writes here at any moment; everything else that is published is the same for two visits in one minute.
_MOVING = "/witness/"


@dataclass(frozen=True, order=True)
class Difference:
    """`kind` is one of: unsigned, site, altered, missing, added, header, cookie, differs."""

    path: str
    kind: str
    said: str


@dataclass(frozen=True)
class Result:
    """Every difference, each with the visitors that met it; and the hosts that the site claims for itself."""

    differences: dict[Difference, list[str]]
    hosts: web_manifest.Hosts | None
    loaded: int


def compare(origin: str, read: web_manifest.Read, visits: list[Visit], site_keys: dict[str, str]) -> Result:
    """Compare `visits` of `origin` with the manifest; `site_key` is the trustee's public key line, or None."""
    paths_of: dict[Difference, list[str]] = {}
    if read.unsigned:
        paths_of[Difference("the manifest", "unsigned", read.unsigned)] = [visit.visitor.name for visit in visits]
    site = None
    for visit in visits:
        site, problems = _site(origin, visit, site_keys)
        for difference in [*problems, *_of_visit(origin, read, visit, site)]:
            names = paths_of.setdefault(difference, [])
            names += [visit.visitor.name] if visit.visitor.name not in names else []
    for difference in _between(read.manifest, visits):
        paths_of[difference] = [visit.visitor.name for visit in visits]
    loaded = len({address for visit in visits for address in visit.asked})
    return Result(dict(sorted(paths_of.items())), site.hosts if site else None, loaded)


def _site(origin: str, visit: Visit, keys: dict[str, str]) -> tuple[web_manifest.Site | None, list[Difference]]:
    """The site's values as this visitor was sent them, and what is wrong with them."""
    content = _content(visit, "/site.json")
    site = web_manifest.site_of(content) if content is not None else None
    if content is None or site is None:
        return None, [
            Difference("/site.json", "missing", "the site's own values are not there, so its hosts are unknown")
        ]
    differences = []
    if origin != f"https://{site.hosts.space}":
        differences.append(Difference("/site.json", "site", f"it is for https://{site.hosts.space}, another site"))
    for signer, key in keys.items():
        signature = _content(visit, f"/site.json.{signer}.sig") or b""
        try:
            sshsig.verify(key, content, signature, web_manifest.SITE_NAMESPACE)
        except WardwellError as problem:
            problem_text = f"not signed by the {signer}'s key that you gave: {problem.message}"
            differences.append(Difference("/site.json", "site", problem_text))
    return site, differences


def _content(visit: Visit, path: str) -> bytes | None:
    """What was last sent for `path`, None unless it was there."""
    responses = visit.answers.get(path, [])
    return responses[-1].body if responses and responses[-1].status == 200 else None


def _of_visit(origin: str, read: web_manifest.Read, visit: Visit, site: web_manifest.Site | None) -> list[Difference]:
    manifest, differences = read.manifest, []
    for path, file in manifest.files.items():
        for response in visit.answers.get(path, []):
            differences += _file(path, file, response)
            differences += _headers(path, _filled(file.headers, site), response, frozenset())
    for path, headers in manifest.published.items():
        for response in visit.answers.get(path, []):
            # Not every agency has each of them.
            if response.status not in (200, 404):
                differences.append(Difference(path, "missing", f"answered with {response.status}"))
            differences += _headers(path, _filled(headers, site), response, frozenset({"content-type"}))
    for path in visit.unanswered:
        differences.append(
            Difference(path, "missing", "no answer, or one that leads to where the browser refuses to go")
        )
    for response in visit.answers.get(_STATED, []):
        if response.body != read.content:
            differences.append(
                Difference(_STATED, "altered", "the site states another release than the manifest you gave")
            )
    for address in visit.asked:
        path = address.removeprefix(origin).partition("#")[0]
        if path == address or not manifest.knows(path):
            differences.append(Difference(path, "added", "loaded by the start page, and no part of the release"))
    differences += [Difference("/", "cookie", f"{name} was set") for name in visit.cookies]
    return differences


def _file(path: str, file: web_manifest.File, response: Answer) -> list[Difference]:
    if response.status != 200:
        return [Difference(path, "missing", f"answered with {response.status}")]
    if response.body is None:
        return []
    digest = hashlib.sha256(response.body).hexdigest()
    marked = hashlib.sha256(codecs.BOM_UTF8 + response.body).hexdigest()
    if digest == file.sha256 or (marked == file.sha256 and not response.exact):
        return []
    sizes = (
        f"{len(response.body)} bytes with SHA-256 {digest[:16]}…, released were {file.size} with {file.sha256[:16]}…"
    )
    return [Difference(path, "altered", sizes)]


def _filled(headers: dict[str, str], site: web_manifest.Site | None) -> dict[str, str]:
    """The headers with the agency's hosts; without hosts the policy, which names them, cannot be compared."""
    if site is None:
        return {name: value for name, value in headers.items() if name != _POLICY}
    policy = headers[_POLICY].replace("{desk}", site.hosts.desk).replace("{post}", site.hosts.post)
    return {**headers, _POLICY: policy}


def _headers(path: str, stated: dict[str, str], response: Answer, allowed: frozenset[str]) -> list[Difference]:
    differences = []
    for name, value in stated.items():
        sent = [given for key, given in response.headers if key == name.lower()]
        # Of a file that is not there, only its type differs.
        if sent == [value] or (name == "Content-Type" and response.status != 200):
            continue
        words = _changed(name, " and ".join(sent), value) if sent else f"{name} is missing"
        differences.append(Difference(path, "header", words))
    known = {name.lower() for name in (*stated, _POLICY)} | _OF_THE_WAY | allowed
    for name, value in response.headers:
        if name == "set-cookie":
            differences.append(Difference(path, "cookie", f"{value.partition('=')[0]} is set with it"))
        elif name not in known:
            differences.append(Difference(path, "header", f"{name} is added: {value!r}"))
    return differences


def _changed(name: str, sent: str, stated: str) -> str:
    """How two values differ; of a policy only the directives that do."""
    was, now = ([part.strip() for part in value.split(";")] for value in (stated, sent))
    if name != _POLICY or set(was) == set(now):
        return f"{name} is {sent!r}, not {stated!r}"
    more = "; ".join(part for part in now if part not in was) or "nothing"
    less = "; ".join(part for part in was if part not in now) or "nothing"
    return f"{name} has {more!r} instead of {less!r}"


def _between(manifest: web_manifest.Manifest, visits: list[Visit]) -> list[Difference]:
    """Published files that are not the same for every visitor; those of the release are compared with it already."""
    return [
        Difference(path, "differs", "not the same for every visitor")
        for path in manifest.published
        if not path.startswith(_MOVING) and len({_content(visit, path) for visit in visits}) > 1
    ]


@click.command("web-check")
@click.argument("url")
@click.option(
    "--manifest", required=True, type=click.Path(path_type=Path), help="space-manifest.json, from a bundle you checked."
)
@click.option("--key", type=click.Path(path_type=Path), help="release.pub, from where the release key was published.")
@click.option("--signature", type=click.Path(path_type=Path), help="The manifest's signature (default: MANIFEST.sig).")
@click.option("--site-key", type=click.Path(path_type=Path), help="trustee.pub, which site.json must be signed by.")
@click.option("--agency-key", type=click.Path(path_type=Path), help="agency.pub, which must have signed it too.")
@click.option("--ca", type=click.Path(path_type=Path), help="The agency's own authority (PEM), if it has one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of sentences.")
def web_check(
    url: str,
    manifest: Path,
    key: Path | None,
    signature: Path | None,
    site_key: Path | None,
    agency_key: Path | None,
    ca: Path | None,
    as_json: bool,
) -> None:
    """Compare what a browser is sent at URL with a release; exit code 1 when anything differs.

    Visits twice with Chromium, as two unlike visitors, without cookies and signed in as nobody. Needs Playwright
    (`pip install playwright`) and Chromium.
    """
    origin = web_look.origin_of(url)
    read = web_manifest.read(manifest, signature, key)
    given = {"trustee": site_key, "agency": agency_key}
    lines = {signer: web_manifest.key_line(path) for signer, path in given.items() if path}
    paths = [*read.manifest.files, *read.manifest.published, _STATED]
    result = compare(origin, read, web_look.look(origin, paths, ca), lines)
    if as_json:
        click.echo(json.dumps(_as_json(origin, read, result, sorted(lines)), indent=1))
    else:
        _show(origin, read, result, sorted(lines))
    sys.exit(1 if result.differences else 0)


def _as_json(origin: str, read: web_manifest.Read, result: Result, site_checked: list[str]) -> dict[str, object]:
    return {
        "equal": not result.differences,
        "url": f"{origin}/",
        "release": read.manifest.version,
        "files": len(read.manifest.files),
        "site_checked": site_checked,
        "differences": [asdict(each) | {"visitors": names} for each, names in result.differences.items()],
    }


def _show(origin: str, read: web_manifest.Read, result: Result, site_checked: list[str]) -> None:
    manifest, everyone = read.manifest, len(web_look.VISITORS)
    click.echo(f"{origin}/ and the private space of release {manifest.version}:")
    # What is wrong in the same way everywhere is said once; --json says it for each path.
    alike: dict[tuple[str, str, str], list[str]] = {}
    for each, names in result.differences.items():
        whom = "" if len(names) == everyone else f" (only for {', '.join(names)})"
        alike.setdefault((each.kind, each.said, whom), []).append(each.path)
    for (kind, words, whom), paths in alike.items():
        where = paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
        click.echo(f"  {kind:<9} {where}: {words}{whom}")
    if result.differences:
        count = len(alike)
        click.echo(f"{count} difference{'s' if count > 1 else ''}. Nobody should open a private space here until it is")
        click.echo("explained. Keep this output, and ask the officers' trustee and agency IT.")
        return
    click.echo(f"  equal: {len(manifest.files)} files in every byte and header, for two unlike visitors; no cookie;")
    click.echo(f"  the start page asked for {result.loaded} addresses, all of the release or published by the agency.")
    if result.hosts:
        click.echo(f"  Its pages may talk to {result.hosts.desk} and {result.hosts.post}, as site.json says.")
    for signer, option in (("trustee", "--site-key"), ("agency", "--agency-key")):
        if signer not in site_checked:
            click.echo(f"  The {signer}'s signature of site.json was not checked: give the key with {option}.")
