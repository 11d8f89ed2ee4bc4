"""Taking the signed papers in: everything is checked before anything changes; a second run goes on where one stopped.

Owns: the order of the founding, and what root puts into `public/`. Must never see: a private key, a slip; the papers
carry hashes. After this, the two keys are pinned: papers signed by others are refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from appliance import durable
from appliance.charter.schema import Charter
from appliance.crypto import sshsig
from appliance.crypto.canonical import canonical
from appliance.crypto.notes import Verifier
from appliance.crypto.trusted_keys import founding_leaf, signer_key
from appliance.errors import Refused, WardwellError
from appliance.founding import papers
from appliance.founding.run_as import run_as
from appliance.settings import Home

RunAs = Callable[[Home, str, Sequence[str | Path]], str]


def keys_in(folder: Path) -> dict[str, str]:
    """Signer -> fingerprint of the public key that lies with the papers. Raises Refused."""
    try:
        return {signer: sshsig.fingerprint(_read(folder / f"{signer}.pub").decode()) for signer in papers.SIGNERS}
    except UnicodeDecodeError:
        raise Refused("A public key with the papers is damaged.", "Have the papers signed again.") from None
    except WardwellError as problem:
        raise Refused(problem.message, problem.fix) from None


def check(home: Home, folder: Path, expected: dict[str, str]) -> None:
    """Check every paper in `folder` against the two fingerprints that people read from paper. Raises Refused."""
    try:
        _check(home, folder, expected)
    except Refused:
        raise
    except WardwellError as problem:
        raise Refused(problem.message, problem.fix) from None


def _check(home: Home, folder: Path, expected: dict[str, str]) -> None:
    from appliance.desk.people import founding_document
    from appliance.desk.roster import publication

    keys, leaf = keys_in(folder), _founding_leaf(home)
    for signer, fingerprint in keys.items():
        if fingerprint != expected[signer].strip():
            raise Refused(
                f"The key that came with the papers is not the {signer}'s.", "Compare the fingerprint with its paper."
            )
        pinned = home.public / f"{signer}.pub"
        other = pinned.exists() and sshsig.fingerprint(pinned.read_text()) != fingerprint
        if other or (leaf is not None and sshsig.fingerprint(leaf[signer]) != fingerprint):
            raise Refused(f"This appliance was founded with another key of the {signer}.", "Have that key sign.")
    if keys["agency"] == keys["trustee"]:
        raise Refused("Agency and trustee signed with one key.", "Each signs with a key of their own.")
    lines = {signer: _read(folder / f"{signer}.pub").decode().strip() for signer in papers.SIGNERS}
    for name, namespace in papers.BY_BOTH.items():
        for signer, line in lines.items():
            sshsig.verify(line, _read(folder / name), _read(folder / f"{name}.{signer}.sig"), namespace)
    _check_site(home, _read(folder / papers.SITE), Charter(_read(folder / papers.CHARTER), papers.CHARTER))
    people = {row.person_id for row in publication.read_file(folder / papers.ROSTER)[0]}
    founding_document.check(founding_document.read_file(folder / papers.FOUNDING), people)


def _founding_leaf(home: Home) -> dict[str, str] | None:
    """What the log was founded with, by the key that the ledger published: papers may come to mend `site.json`."""
    path = home.public / "ledger" / "vkey"
    return founding_leaf(home, Verifier.parse(path.read_text())) if path.exists() else None


def _check_site(home: Home, text: bytes, charter: Charter) -> None:
    """The signed `site.json` is what this appliance would write now; the witness's key alone it cannot know.

    And none that is older than the public one: browsers would refuse it.
    """
    try:
        stated = json.loads(text)
        witness, version = str(stated["witness_vkey"]), int(stated["version"])
    except (ValueError, KeyError, TypeError):
        raise Refused("site.json is damaged.", "Write it again with `wardwell found request`.") from None
    if papers.site(home, home.settings(), charter, witness, version) != canonical(stated):
        raise Refused(
            "The signed site.json does not match this appliance: its keys, hosts or charter differ.",
            "Write it again with `wardwell found request`, and have both sign that one.",
        )
    try:
        published = papers.published_version(home)
    except WardwellError:
        # What both signed replaces a damaged one.
        published = 0
    unchanged = version == published and text == (home.public / papers.SITE).read_bytes()
    if not unchanged and version <= published:
        raise Refused(
            f"The signed site.json has version {version}, the public one {published}; browsers accept no older one.",
            "Write it again with `wardwell found request`, and have both sign that one.",
        )


def accept(home: Home, folder: Path, expected: dict[str, str], say: Callable[[str], None], run: RunAs = run_as) -> None:
    """Found the appliance on the papers in `folder`. Raises Refused before anything changed, WardwellError later."""
    check(home, folder, expected)
    say("the papers are signed by both")
    signatures = [f"{name}.{signer}.sig" for name in (papers.CHARTER, papers.SITE) for signer in papers.SIGNERS]
    # site.json last: what it names is there before anyone can believe it.
    names = [*(f"{signer}.pub" for signer in papers.SIGNERS), papers.CHARTER, *signatures]
    for name in (*names, papers.SITE):
        publish(home.public / name, _read(folder / name))
    if not home.production:
        publish(home.charter_file, _read(folder / papers.CHARTER))
    say("charter and site file are public")
    carry_out(home, folder, run)
    say("charter entered into the access log, roster taken, role holders in office")


def carry_out(home: Home, folder: Path, run: RunAs = run_as) -> None:
    """Enter the charter, take the roster, carry out the founding document. Repeating it changes nothing."""
    run(home, "desk", ["charter", "enter"])
    run(home, "desk", ["desk", "roster", "take", folder / papers.ROSTER])
    run(home, "desk", ["desk", "found", folder / papers.FOUNDING])


def accept_key_list(home: Home, folder: Path) -> int:
    """Publish the supporters' key list in `folder`, signed by the trustee; how many are on it. Raises Refused."""
    from appliance.kit.keylist import NAME, read_list, verify_list

    try:
        listed = verify_list(folder, signer_key(home, "trustee"))
        published = read_list(home.public)
    except WardwellError as problem:
        raise Refused(problem.message, problem.fix) from None
    if published is not None and listed.version < published.version:
        raise Refused("This list is older than the published one.", "Fetch the trustee's newest list.")
    # Each browser checks the signature with the list: one that asks between the two files refuses, and asks again.
    for name in (f"{NAME}.sig", NAME):
        publish(home.public / name, _read(folder / name))
    return len(listed.supporters)


def publish(path: Path, data: bytes) -> None:
    """Put a file of root's into `public/`, readable by all."""

    if not path.exists() or path.read_bytes() != data:
        durable.replace(path, data, mode=0o644)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise Refused(f"{path.name} is missing among the papers.", "Have it written and signed again.") from None
