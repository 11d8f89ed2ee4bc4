"""What the appliance is for, from end to end: a CAD export arrives, and an officer reads the exposure in a browser.

The same on every machine that can be founded: the container of every change, the emulated machine of the longer proof.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from playwright.sync_api import expect

from tests.appliance import exports
from tests.appliance.agency import Agency
from tests.appliance.story import Story
from tests.story.people import Private, Staff


def exports_arrive(agency: Agency, folder: Path) -> None:
    """From OpenSSH's client, and from one that looks, renames and sets times. Neither reads or lists anything back."""
    first, second = exports.write_files(agency, folder)
    done = exports.plainly(agency, first)
    assert done.returncode == 0, done.stderr
    exports.fussily(agency, second)
    # The control: what was put cannot be read back or listed.
    assert exports.sftp(agency, f"get {first.name} {folder}/back\n").returncode != 0
    assert "Permission denied" in exports.sftp(agency, "ls\n").stderr


def an_officer_reads_the_exposure(story: Story, patience: float) -> None:
    """A slip from the trustee, a space, and the call stands in it. `patience`: seconds for a page."""
    people = story.workstations
    expect.set_options(timeout=patience * 1000)
    with people.browser() as browser:
        trustee = Staff(people, browser.new_context, "trustee")  # type: ignore[arg-type]
        trustee.page.set_default_timeout(patience * 1000)
        trustee.sign_in()
        trustee.go("/trustee/slips/")
        form = trustee.page.get_by_role("region", name="For one person")
        form.get_by_label("Employee number or local sign-in name").fill(people.person("officer").number)
        trustee.click("Print one slip")
        slip = re.search(r"(?:[0-9A-Z]{5}-){3}[0-9A-Z]{5}", trustee.page.content())
        assert slip
        people.person("officer").slip = slip.group()
        people.enrol("officer", story.trustee_fingerprint())
        story.witness()
        officer = Private(people, browser.new_context, "officer")  # type: ignore[arg-type]
        officer.page.set_default_timeout(patience * 1000)
        deadline = time.monotonic() + patience * 5
        while True:
            officer.unlock()
            officer.open("Exposure")
            if officer.page.get_by_text("Weight 10 of 10").count():
                break
            officer.lock()
            assert time.monotonic() < deadline, officer.page.content()[:4000]
            story.witness()
