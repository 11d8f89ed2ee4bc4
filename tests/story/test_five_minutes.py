"""The five minutes of the README, walked by seven people in seven browsers, against the running demonstration."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.story.people import Person, Private, Staff, accessible
from tests.support.system import System
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.system, pytest.mark.timeout(420)]

QUESTION = "I keep seeing the ZZOFFICERWORDSZZ when I close my eyes."
CONTENT_TYPE = "(address) => fetch(address, { method: 'HEAD' }).then((r) => r.headers.get('content-type') ?? '')"
# The part of an address that says which incident, month or file; pages that differ only there are one kind.
WHICH_ONE = re.compile(r"CI-[\w-]+|[0-9a-f]{8,}|\d{4}-\d\d(-\d\d)?|(?<=/)\d+$|(?<=steps/)[\w-]+")
ALIAS = "Quiet Heron 7"
ANSWER = "Thank you for writing. That is common after such a call. ZZCLINICIANWORDSZZ"


def test_the_main_job_from_a_cad_drop_to_confidential_support(
    agency: System, open_browser: Callable[..., Any], tmp_path: Path
) -> None:
    # 0:00 Given anyone at a workstation, the charter says who sees what, before any sign-in.
    anyone = Person(agency, open_browser, "anyone")
    anyone.go("/charter")
    anyone.heading(re.compile("who", re.IGNORECASE))
    anyone.sees("Only you")
    accessible(anyone.page)
    anyone.close()

    # 0:40 When a critical incident arrives, the coordinator offers to all in one action.
    dropped = agency.demo("drop").stdout
    found = re.search(r"call (\S+),", dropped)
    assert found, dropped
    number = found.group(1)
    coordinator = Staff(agency, open_browser, "coordinator")
    coordinator.sign_in()
    link = coordinator.page.locator(f'a[href$="CI-{number}"]')

    def arrived() -> bool:
        coordinator.page.reload()
        return link.count() > 0

    until(arrived, seconds=30, every=1)
    accessible(coordinator.page)
    link.first.click()
    coordinator.sees("People who attended")
    accessible(coordinator.page)
    offers = coordinator.page.get_by_role("button", name=re.compile("^Offered to all"))
    waiting = offers.count()
    offers.first.click()
    expect(offers).to_have_count(waiting - 1)

    # 1:30 Then the officer sees that call, why it counts, and the coordinator's look seconds ago.
    officer = Private(agency, open_browser, "officer")
    officer.unlock()
    accessible(officer.page)
    officer.open("Exposure")
    officer.sees("Weight 10 of 10")
    accessible(officer.page)
    officer.open("Who looked")
    officer.sees(agency.person("coordinator").display.split(" ")[-1])
    accessible(officer.page)

    # 2:30 The officer writes to the clinician; nothing leaves before the lock.
    clinician_name = agency.person("clinician").display
    officer.open("Support")
    accessible(officer.page)
    officer.click(re.compile(f"Write.*{re.escape(clinician_name)}"))
    officer.sees("This is not for emergencies")
    accessible(officer.page)
    officer.click("I understand, continue")
    officer.page.get_by_label("Name to write under").fill(ALIAS)
    officer.page.get_by_label("Message").fill(QUESTION)
    accessible(officer.page)
    officer.click("Put into the queue")
    officer.sees("leaves when you lock")
    officer.lock()
    agency.demo("next-day")

    clinician = Private(agency, open_browser, "clinician")
    clinician.unlock()
    clinician.open("Inbox")
    clinician.click(f"Open {ALIAS}")
    clinician.sees("ZZOFFICERWORDSZZ")
    accessible(clinician.page)
    clinician.page.get_by_label("Write", exact=True).fill(ANSWER)
    clinician.click("Put into the queue")
    clinician.lock()
    agency.demo("next-day")

    officer.unlock()
    officer.open("Support")
    officer.page.get_by_role("listitem").filter(has_text="They wrote").get_by_role("button").click()
    officer.sees("ZZCLINICIANWORDSZZ")
    accessible(officer.page)
    officer.lock()

    # 3:10 Root searches everything and finds nothing that was typed; forgeries are detected; what it did learn is said.
    attack = agency.demo("attack", "ZZOFFICERWORDSZZ").stdout
    for words in ("not found anywhere", "detected", "What root did learn", "Every promise held."):
        assert words in attack, attack

    # 4:10 The chief sees one release; an absent cell says why.
    agency.await_release()
    command = Staff(agency, open_browser, "command")
    command.sign_in()
    command.heading("Program dashboard")
    command.sees("Fewer than 20 people")
    accessible(command.page)

    # 4:30 The auditor exports a report; ssh-keygen accepts it, and refuses it with one byte flipped.
    auditor = Staff(agency, open_browser, "auditor")
    auditor.sign_in()
    auditor.heading("Signed reports")
    # The answer to the form is a page of its own; reloading before it is there would end the request.
    with auditor.page.expect_navigation():
        auditor.click("Make a report")

    def made() -> bool:
        auditor.page.reload()
        return auditor.page.get_by_role("link", name=re.compile("^JSON")).count() > 0

    until(made, seconds=60, every=1)
    accessible(auditor.page)
    files = {}
    for part in ("JSON", "Signature of the JSON"):
        with auditor.page.expect_download() as download:
            auditor.click(re.compile(rf"^{part}\b"), role="link")
        files[part] = tmp_path / part.replace(" ", "-")
        download.value.save_as(files[part])
    key = auditor.page.get_by_text(re.compile("^echo 'wardwell-report")).inner_text()
    (tmp_path / "allowed_signers").write_text(re.search("'(.*)'", key).group(1) + "\n")  # type: ignore[union-attr]

    def verify(report: bytes) -> int:
        return subprocess.run(
            [
                *("ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-I", "wardwell-report"),
                *("-n", "wardwell-report", "-s", str(files["Signature of the JSON"])),
            ],
            cwd=tmp_path,
            input=report,
            capture_output=True,
            check=False,
        ).returncode

    report = files["JSON"].read_bytes()
    assert verify(report) == 0
    flipped = bytearray(report)
    flipped[len(flipped) // 2] ^= 1
    assert verify(bytes(flipped)) != 0
    for person in (coordinator, officer, clinician, command, auditor):
        person.close()


@pytest.mark.parametrize("role", ["coordinator", "command", "hr", "trustee", "auditor", "admin", "cad"])
def test_every_page_of_a_role_is_accessible(agency: System, open_browser: Callable[..., Any], role: str) -> None:
    """Every kind of page that the role can reach by following links, once each."""
    agency.await_release()
    person = Staff(agency, open_browser, role)
    person.sign_in()
    waiting, seen = ["/"], set()
    while waiting:
        address = waiting.pop(0)
        kind = WHICH_ONE.sub("*", address.partition("?")[0])
        if kind in seen or kind == "/leave":
            continue
        seen.add(kind)
        if "text/html" not in person.page.evaluate(CONTENT_TYPE, address):
            continue  # a download
        person.page.goto(agency.url("desk", address))
        accessible(person.page)
        links = person.page.locator("nav a[href^='/'], main a[href^='/']")
        waiting += [links.nth(at).get_attribute("href") or "/" for at in range(links.count())]
    assert len(seen) > 1
    person.close()


@pytest.mark.parametrize("path", ["/crisis/", "/family/", "/resources/", "/directory/", "/charter/"])
def test_pages_before_sign_in_are_accessible(agency: System, open_browser: Callable[..., Any], path: str) -> None:
    person = Private(agency, open_browser, "anyone")
    person.go(path)
    expect(person.page.get_by_role("heading", level=1)).to_be_visible()
    accessible(person.page)
    person.close()
