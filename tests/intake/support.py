"""Small feeds and rosters for intake's tests, in the layout of the `san-luis-obispo` profile."""

from __future__ import annotations

from pathlib import Path

from appliance.intake.models import RosterRow
from appliance.intake.profile.feed_profile import SHIPPED
from appliance.intake.serve import Watcher
from appliance.storage import Store

HEADER = (
    "case_number,date,received,dispatched,arrived,cleared,type,grid_location,location,address,observed_crime,"
    "responsible_officer,units,description,call_comments,clearance_code"
)
NARRATIVE, ADDRESS, CALLER = "ZZNARRATIVEZZ", "ZZADDRESSZZ", "ZZCALLERZZ"


def row(
    number: str, units: str = "4201", kind: str = "Deceased Subj", arrived: str = "10:12", day: str = "10/14/26"
) -> str:
    """One CSV row with marker words in every free-text cell."""
    return (
        f'{number},{day},10:01,10:03,{arrived},,{kind},PN1,{ADDRESS},{ADDRESS},,"Alder, A","{units}\r",'
        f"{NARRATIVE},{CALLER},No Report"
    )


def feed(*rows: str) -> bytes:
    return ("\r\n".join([HEADER, *rows]) + "\r\n").encode()


def profile_file(folder: Path, **changes: str) -> Path:
    """The `san-luis-obispo` profile with some of its top-level lines changed, as an administrator's own file."""
    lines = (SHIPPED / "san-luis-obispo.toml").read_text().splitlines()
    for name, value in changes.items():
        place = next(number for number, line in enumerate(lines) if line.startswith(f"{name} = "))
        lines[place] = f"{name} = {value}"
    path = folder / "own.toml"
    path.write_text("\n".join(lines))
    return path


def file(folder: Path, name: str, *rows: str) -> Path:
    path = folder / name
    path.write_bytes(feed(*rows))
    return path


def roster(store: Store, count: int = 30) -> None:
    """`count` people with the call signs 4201, 4202, … in two watches."""
    with store.write() as session:
        session.add_all(
            RosterRow(
                person_id=f"E{number:04d}",
                handle=f"{number:032x}",
                name="Alder, A" if number == 1 else f"Person, {number}",
                call_sign=f"42{number:02d}",
                unit="Watch A" if number % 2 else "Watch B",
                division="Patrol",
                roster_version=1,
            )
            for number in range(1, count + 1)
        )


def let_settle(watcher: Watcher) -> None:
    """What the watcher has seen has kept still for two seconds longer: enough for a file that nobody has open."""
    for drop in watcher.drops:
        drop._seen = {name: (size, at, since - 2.0) for name, (size, at, since) in drop._seen.items()}
