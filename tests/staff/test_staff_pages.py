"""Every staff page renders for its role, shows who can see it, and is refused to the others."""

from __future__ import annotations

import html
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance import clock
from appliance.charter import Charter
from appliance.crypto import sshsig
from appliance.desk import releases
from appliance.desk.feeds import receipts
from appliance.desk.follow_up import steps as follow_up
from appliance.settings import Home
from appliance.spool.messages import (
    Attended,
    IncidentNotice,
    ReleasePublished,
    ReportPublished,
)
from appliance.storage import Store
from tests.staff.staff_outline import check_outline
from tests.staff.staff_release import release
from tests.staff.staff_site import Browser, RememberingLedger, handle_of, refused_file

NOW = datetime.now(UTC).replace(microsecond=0)
REFERENCE = "260001"
PAGES = [
    ("coordinator", "/coordinator/queue/"),
    ("coordinator", "/coordinator/queue/due"),
    ("coordinator", "/coordinator/queue/closed"),
    ("coordinator", "/coordinator/news"),
    ("coordinator", f"/coordinator/incidents/{REFERENCE}"),
    ("coordinator", f"/coordinator/incidents/{REFERENCE}/steps/contact-24"),
    ("coordinator", f"/coordinator/incidents/{REFERENCE}/people?find=Person0"),
    ("coordinator", "/coordinator/open"),
    ("coordinator", "/coordinator/corrections/"),
    ("officer", "/corrections/"),
    ("command", "/corrections/"),
    ("command", "/dashboard/"),
    ("hr", "/dashboard/"),
    ("command", "/releases/"),
    ("hr", "/releases/2026-10"),
    ("trustee", "/trustee/"),
    ("trustee", "/trustee/slips/"),
    ("trustee", "/roles/"),
    ("trustee", "/checkpoints/"),
    ("trustee", "/reports/"),
    ("auditor", "/reports/"),
    ("auditor", "/roles/"),
    ("auditor", "/checkpoints/"),
    ("admin", "/status/"),
    ("admin", "/roles/"),
    ("cad", "/receipts/"),
    ("cad", "/receipts/1"),
    ("cad", "/charter/"),
]
REFUSED = [
    ("command", f"/coordinator/incidents/{REFERENCE}"),
    ("admin", "/coordinator/queue/"),
    ("hr", "/coordinator/news"),
    ("trustee", f"/coordinator/incidents/{REFERENCE}"),
    ("coordinator", "/trustee/"),
    ("admin", "/trustee/slips/"),
    ("auditor", "/status/"),
    ("cad", "/dashboard/"),
    ("command", "/receipts/"),
    ("command", "/receipts/all.csv"),
    ("command", "/roles/"),
    ("coordinator", "/reports/"),
]


@pytest.fixture(autouse=True)
def filled(store: Store, home: Home, charter: Charter) -> None:
    """One incident, one release, one report, one receipt."""
    notice = IncidentNotice(
        reference=REFERENCE,
        revision=1,
        kind="suicide",
        occurred=NOW - timedelta(hours=2),
        attended=[Attended(str(number), "responding", NOW, None) for number in (100, 101)],
        unmatched_units=["K9"],
    )
    report = ReportPublished(
        request_id="ab" * 16,
        first_day="2026-10-01",
        last_day="2026-10-31",
        pdf=b"%PDF",
        json=b"{}",
        json_signature=b"sig",
        pdf_signature=b"sig",
        problem="",
    )
    with store.write() as session:
        follow_up.take_notice(session, notice, follow_up.template(charter))
        receipts.store_receipt(session, refused_file(NOW))
        releases.store_release(
            session, ReleasePublished(period="2026-10", release=release(charter.constants.floor), leaf_index=12)
        )
        releases.store_report(session, report)
    key = home.root / "trustee"
    key.write_bytes(sshsig.generate_private_openssh())
    (home.public / "trustee.pub").write_text(sshsig.public_line(sshsig.load_private(key), "trustee"))


@pytest.mark.parametrize(("role", "path"), PAGES)
def test_each_page_renders_for_its_role(browser: Callable[..., Browser], role: str, path: str) -> None:
    answer = browser(role).get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)[:2000]
    if answer.mimetype != "text/html":
        return
    page = answer.get_data(as_text=True)
    check_outline(page)
    assert "Talk to someone now" in page
    assert "Who can see this" in page
    assert "Leave this page" in page
    assert len(page.encode()) < 60_000


@pytest.mark.parametrize(("role", "path"), REFUSED)
def test_each_page_is_refused_to_others(browser: Callable[..., Browser], role: str, path: str) -> None:
    assert browser(role).get(path).status_code == 403


def test_a_refused_look_is_in_the_log_of_everyone_who_attended(
    browser: Callable[..., Browser], ledger: RememberingLedger
) -> None:
    browser("command").get(f"/coordinator/incidents/{REFERENCE}")
    (entry,) = ledger.appended
    assert [about.handle for about in entry.about] == [handle_of(0), handle_of(1)]
    assert {about.body["outcome"] for about in entry.about} == {"refused"}


def test_nothing_is_shown_when_the_ledger_is_down(browser: Callable[..., Browser], ledger: RememberingLedger) -> None:
    coordinator = browser("coordinator")
    assert "Person00" in coordinator.get(f"/coordinator/incidents/{REFERENCE}").get_data(as_text=True)
    ledger.down = True
    answer = coordinator.get(f"/coordinator/incidents/{REFERENCE}")
    assert answer.status_code == 503
    assert "Person00" not in answer.get_data(as_text=True)


def test_looking_at_an_incident_is_in_everyones_log_first(
    browser: Callable[..., Browser], ledger: RememberingLedger
) -> None:
    browser("coordinator").get(f"/coordinator/incidents/{REFERENCE}")
    categories = [entry.about[0].body["category"] for entry in ledger.appended]
    assert categories == ["attendance", "follow_up"]
    for entry in ledger.appended:
        assert [about.handle for about in entry.about] == [handle_of(0), handle_of(1)]
        assert all(about.body["everyone"] and about.body["incident"] == REFERENCE for about in entry.about)


def test_the_coordinator_offers_to_all_adds_someone_and_closes(
    browser: Callable[..., Browser], store: Store, charter: Charter
) -> None:
    coordinator = browser("coordinator")
    path = f"/coordinator/incidents/{REFERENCE}"
    assert coordinator.post(f"{path}/people", {"handle": handle_of(7), "unit": "K9"}).status_code == 303
    page = coordinator.get(path).get_data(as_text=True)
    assert "Person07" in page and "Units that matched nobody" not in page and "Close for everyone" not in page
    for name, hours in follow_up.template(charter):
        key = follow_up.StepName(name, hours).key
        assert coordinator.post(f"{path}/steps/{key}/all").status_code == 303
    page = coordinator.get(f"{path}?done=offered").get_data(as_text=True)
    assert "3 of 3" in page and "Recorded: offered to all." in page
    assert coordinator.post(f"{path}/close").status_code == 303
    assert "Closed for all" in coordinator.get(path).get_data(as_text=True)
    assert REFERENCE in coordinator.get("/coordinator/queue/closed").get_data(as_text=True)


def test_exceptions_are_not_reached_only(browser: Callable[..., Browser]) -> None:
    coordinator = browser("coordinator")
    path = f"/coordinator/incidents/{REFERENCE}"
    form = {"how": "phone", "not_reached": handle_of(1)}
    assert coordinator.post(f"{path}/steps/contact-24", form).status_code == 303
    assert "Not all reached" in coordinator.get(path).get_data(as_text=True)
    assert coordinator.post(f"{path}/steps/contact-24", {"how": "accepted"}).status_code == 400


def test_the_queue_says_by_etag_whether_it_changed(
    browser: Callable[..., Browser], store: Store, charter: Charter
) -> None:
    coordinator = browser("coordinator")
    first = coordinator.get("/coordinator/news")
    tag = first.headers["ETag"]
    assert f"data-tag='{tag}'" in coordinator.get("/coordinator/queue/").get_data(as_text=True)
    assert coordinator.get("/coordinator/news", **{"If-None-Match": tag}).status_code == 304
    with store.write() as session:
        follow_up.open_by_hand(session, "suicide", NOW - timedelta(hours=1), "c" * 32)
    changed = coordinator.get("/coordinator/news", **{"If-None-Match": tag})
    assert changed.status_code == 200 and len(changed.json["references"]) == 2


def test_asking_for_news_does_not_keep_a_session_alive(browser: Callable[..., Browser], charter: Charter) -> None:
    coordinator = browser("coordinator")
    now = clock.now()  # sessions begin now, not when this file was read
    half, whole = (timedelta(minutes=charter.constants.idle_minutes * share) for share in (0.6, 1.1))
    with clock.held(now + half):
        assert coordinator.get("/coordinator/news").status_code == 200
    with clock.held(now + whole):
        assert coordinator.get("/coordinator/news").status_code == 303
    # The control: using a page does.
    used = browser("coordinator", "peer")
    with clock.held(now + half):
        assert used.get("/coordinator/queue/").status_code == 200
    with clock.held(now + whole):
        assert used.get("/coordinator/queue/").status_code == 200


def test_an_incident_is_opened_by_hand(browser: Callable[..., Browser]) -> None:
    coordinator = browser("coordinator")
    day = (NOW - timedelta(days=2)).date().isoformat()
    opened = coordinator.post("/coordinator/open", {"kind": "suicide", "day": day, "time": "10:30"})
    assert opened.status_code == 303
    assert "opened by hand" in coordinator.get(opened.headers["Location"]).get_data(as_text=True)
    for wrong in ({"kind": "party"}, {"day": "yesterday"}, {"day": "2999-01-01"}):
        form = {"kind": "suicide", "day": day, "time": "10:30", **wrong}
        answer = coordinator.post("/coordinator/open", form)
        assert answer.status_code == 400 and "There is a problem" in answer.get_data(as_text=True)


def test_each_absent_cell_carries_its_reason(browser: Callable[..., Browser]) -> None:
    page = browser("command").get("/dashboard/").get_data(as_text=True)
    assert "<strong>Fewer than 20 people</strong>: Agency / Dispatch" in page
    assert "44 of 48 (92%)" in page
    assert "stroke-dasharray" in page


def test_the_release_is_handed_out_byte_for_byte(browser: Callable[..., Browser], charter: Charter) -> None:
    answer = browser("command").get("/releases/2026-10.json")
    assert answer.data == release(charter.constants.floor)


def test_command_sees_nothing_before_the_first_release(browser: Callable[..., Browser], store: Store) -> None:
    from sqlalchemy import delete

    from appliance.desk.models.releases import Release

    with store.write() as session:
        session.execute(delete(Release))
    page = browser("command").get("/dashboard/").get_data(as_text=True)
    assert "has not been published yet" in page and '<svg class="ww-chart"' not in page


def test_a_slip_is_in_the_persons_log_before_there_is_a_code(
    browser: Callable[..., Browser], ledger: RememberingLedger
) -> None:
    trustee = browser("trustee")
    page = trustee.post("/trustee/slips/one", {"person": "105"}).get_data(as_text=True)
    assert "Person05" in page and "SHA256:" in page
    assert [about.handle for about in ledger.appended[-1].about] == [handle_of(5)]
    assert trustee.post("/trustee/slips/one", {"person": "nobody"}).status_code == 400
    ledger.down = True
    assert trustee.post("/trustee/slips/one", {"person": "105"}).status_code == 503


def test_a_code_for_the_past_is_in_the_persons_log_before_it_is_shown(
    browser: Callable[..., Browser], ledger: RememberingLedger
) -> None:
    trustee = browser("trustee")
    page = trustee.post("/trustee/slips/past", {"person": "105"}).get_data(as_text=True)
    assert "Person05" in page and "together with the code of a second person" in page
    assert [about.handle for about in ledger.appended[-1].about] == [handle_of(5)]
    assert trustee.post("/trustee/slips/past", {"person": "nobody"}).status_code == 400
    ledger.down = True
    assert trustee.post("/trustee/slips/past", {"person": "105"}).status_code == 503


def test_slips_for_everyone_are_one_action_and_one_entry_for_all(
    browser: Callable[..., Browser], ledger: RememberingLedger
) -> None:
    page = browser("trustee").post("/trustee/slips/everyone").get_data(as_text=True)
    assert page.count("ww-slip") == 31  # thirty on the roster and the trustee's own local account
    (entry,) = ledger.appended
    assert len(entry.about) == 31 and all(about.body["everyone"] for about in entry.about)


def test_slips_are_refused_to_it_and_the_person_learns_of_it(
    browser: Callable[..., Browser], ledger: RememberingLedger
) -> None:
    assert browser("admin").post("/trustee/slips/one", {"person": "105"}).status_code == 403
    assert ledger.appended[-1].about[0].handle == handle_of(5)


def test_a_role_needs_two_people(browser: Callable[..., Browser], store: Store) -> None:
    admin, trustee = browser("admin"), browser("trustee")
    assert admin.post("/roles/propose", {"person": "103", "role": "peer"}).status_code == 303
    assert "Countersign" not in admin.get("/roles/").get_data(as_text=True)
    page = trustee.get("/roles/").get_data(as_text=True)
    (path,) = re.findall(r'action="(/roles/[0-9]+/countersign)"', page)
    assert admin.post(path).status_code == 403
    assert trustee.post(path).status_code == 303
    assert "Person03" in browser("auditor").get("/roles/").get_data(as_text=True)


def test_the_auditor_asks_for_a_report_and_downloads_it(browser: Callable[..., Browser], home: Home) -> None:
    auditor = browser("auditor")
    form = {"first": "2026-10-01", "last": "2026-10-31"}
    assert auditor.post("/reports/", form).status_code == 303
    assert len(list(home.spool("desk", "press").glob("*.json"))) == 1
    assert "Being made" in auditor.get("/reports/").get_data(as_text=True)
    answer = auditor.get(f"/reports/{'ab' * 16}/pdf")
    assert answer.data == b"%PDF" and "2026-10-01" in answer.headers["Content-Disposition"]
    assert auditor.get(f"/reports/{'ab' * 16}/problem").status_code == 400
    assert auditor.post("/reports/", {"first": "2026-10-31", "last": "2026-10-01"}).status_code == 400


@pytest.mark.parametrize(("hour", "days"), [(6, ["2026-09-01", "2026-09-30"]), (8, ["2026-10-01", "2026-10-31"])])
def test_the_month_that_a_report_is_proposed_for_is_over_where_the_agency_is(
    browser: Callable[..., Browser], hour: int, days: list[str]
) -> None:
    """Around midnight in California, before and after it, on the first of November in Greenwich both times."""
    with clock.held(datetime(2026, 11, 1, hour, 30, tzinfo=UTC)):
        page = browser("auditor").get("/reports/").get_data(as_text=True)
    assert re.findall(r'type="date" value="([0-9-]+)"', page) == days


def test_the_printed_commands_verify_a_report_and_refuse_a_flipped_byte(
    browser: Callable[..., Browser], home: Home, tmp_path: Path
) -> None:
    (home.root / "report").write_bytes(sshsig.generate_private_openssh())
    private = sshsig.load_private(home.root / "report")
    (home.public / "press").mkdir()
    (home.public / "press" / "report.pub").write_text(sshsig.public_line(private, "wardwell-report") + "\n")
    page = html.unescape(browser("auditor").get("/reports/").get_data(as_text=True))
    signers, verify = re.findall(r"<pre>(.*?)</pre>", page)
    report = tmp_path / "REPORT.json"
    report.write_bytes(b"{}")
    (tmp_path / "REPORT.json.sig").write_bytes(sshsig.sign(private, b"{}", "wardwell-report"))
    run = f"{signers} && {verify}"
    assert subprocess.run(["sh", "-c", run], cwd=tmp_path, capture_output=True).returncode == 0
    report.write_bytes(b"{]")
    assert subprocess.run(["sh", "-c", run], cwd=tmp_path, capture_output=True).returncode != 0


def test_leaving_ends_the_session_and_shows_a_neutral_page(browser: Callable[..., Browser]) -> None:
    coordinator = browser("coordinator")
    left = coordinator.get("/leave").get_data(as_text=True)
    assert "Wardwell" not in left
    assert coordinator.get("/coordinator/queue/").status_code == 303


def test_everyone_starts_at_the_own_first_page(browser: Callable[..., Browser]) -> None:
    assert browser("trustee").get("/").headers["Location"] == "/trustee/"
    assert browser().get("/").headers["Location"] == "/sign-in"
    assert "private space" in browser("officer").get("/").get_data(as_text=True)


def test_the_charter_page_is_for_everyone_and_says_what_the_charter_says(
    browser: Callable[..., Browser], charter: Charter
) -> None:
    page = browser().get("/charter/").get_data(as_text=True)
    check_outline(page)
    for name, category in charter.categories.items():
        row = page.split(f">{category.title}<br>")[1].split("</tr>")[0]
        assert row.count(">Yes<") == len(charter.roles_that_see(name))


def test_a_session_near_its_end_is_told_so(browser: Callable[..., Browser], charter: Charter) -> None:
    page = browser("cad").get("/receipts/").get_data(as_text=True)
    assert f'data-idle-seconds="{charter.constants.idle_minutes * 60}"' in page
    assert charter.constants.idle_warning_seconds >= 60
