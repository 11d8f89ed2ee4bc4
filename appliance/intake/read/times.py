"""Agency-local times of a call: wraps past midnight, the hours that the clock change repeats or skips, odd blanks.

Owns: turning "23:58" of "09/14/21", or a full time, into whole seconds since 1970. Must never see: anything but times.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from appliance.intake.records import seconds

# What feeds write where a time is missing (seen in real exports).
_BLANK = frozenset(
    ["", "null", "(null)", "none", "nan", "n/a", "na", "-", "--", "\\n", "0", "9999", "99:99", "99:99:99", "999999"]
)
# A time of day as "clock" reads it: 6:51, 06:51:33, 0651, 651, 065133, 6:51 PM.
_CLOCK = re.compile(r"(\d{1,2}):?(\d{2})(?::?(\d{2})(?:\.\d+)?)?\s*([AaPp])?\.?(?:[Mm]\.?)?")
# 24:00 or 2400 at the end of a full time: midnight of the next day.
_MIDNIGHT = re.compile(r"(?<=[ T])24:?00(?::?00)?(?=$|[Z+-])")
# A later step of a call that seems earlier by more than this happened the next day; by less, two clocks disagree.
_WRAP = timedelta(hours=1)
_DAY = timedelta(days=1)
_WRAP_SECONDS, _DAY_SECONDS = 3600, 86_400
_MIDNIGHTS = frozenset({"24:00", "2400", "24:00:00", "240000"})
# A format whose day and time of day are two words, without a zone: each half is then one of few.
_TWO_WORDS = re.compile(r"((?:[^% T]|%[dmyYbBj])+)([ T])((?:[^%]|%[HIMSpf])+)")


def is_blank(text: str) -> bool:
    """Whether a cell holds no time."""
    return text.strip().lower() in _BLANK


class Day(NamedTuple):
    """A wall day: its midnight without a zone, and in seconds since 1970 when no clock changes from the day before to
    the day after.

    Then any time of it is that midnight and what has passed since, and the zone need not be asked.
    """

    wall: datetime
    even: int | None

    def at(self, span: int) -> datetime:
        """The wall time `span` seconds after midnight."""
        return self.wall + timedelta(seconds=span)


@lru_cache(maxsize=4096)
def day_of(wall: datetime, zone: ZoneInfo) -> Day:
    """The day of `zone` that begins at `wall`, a midnight."""
    try:
        hours = [wall + timedelta(hours=hour) for hour in range(-24, 49)]
        offsets = {zone.utcoffset(wall_hour.replace(fold=fold)) for wall_hour in hours for fold in (0, 1)}
        return Day(wall, seconds(to_utc(wall, zone)) if len(offsets) == 1 else None)
    except OverflowError:
        # The first or the last days of the calendar.
        return Day(wall, None)


@lru_cache(maxsize=4096)
def wall_day(text: str, date_format: str) -> datetime:
    """The wall day in a cell, at midnight and without a zone. Raises ValueError."""
    moment = datetime.strptime(text, date_format)  # noqa: DTZ007 - a wall day; the zone is added by `to_utc`
    # Exports write days as midnights; whatever time stands there is not the call's.
    return datetime.combine(moment.date(), time(0))


def wall_time(text: str, time_format: str) -> tuple[time, int]:
    """A time of day and how many days to add (24:00 and 2400 are midnight of the next day). Raises ValueError."""
    text = text.strip()
    if text in _MIDNIGHTS:
        return time(0), 1
    if time_format == "clock":
        return _clock(text), 0
    return datetime.strptime(text, time_format).time(), 0  # noqa: DTZ007 - a wall time; the zone is added by `to_utc`


@lru_cache(maxsize=100_000)
def passed(text: str, time_format: str) -> int | None:
    """How many whole seconds after midnight a time of day is; None for a blank. Raises ValueError."""
    if is_blank(text):
        return None
    moment, days = wall_time(text, time_format)
    return days * _DAY_SECONDS + moment.hour * 3600 + moment.minute * 60 + moment.second


def is_clock(text: str) -> bool:
    """Whether a cell is a time of day and nothing else."""
    return _CLOCK.fullmatch(text.strip()) is not None


def _clock(text: str) -> time:
    """A time of day in any usual spelling. Raises ValueError."""
    if text.isdecimal() and len(text) <= 2:
        # Spreadsheets drop the zeros in front: 45 was 0045.
        return time(0, int(text))
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError("no time of day")
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if match[4]:
        if not 1 <= hour <= 12:
            raise ValueError("no hour of a twelve-hour clock")
        hour = hour % 12 + (12 if match[4] in "pP" else 0)
    # A leap second is the last second that clocks can show.
    return time(hour, minute, min(second, 59) if second == 60 else second)


def has_day(time_format: str) -> bool:
    """Whether a time written so says its day, or only the time of day."""
    return time_format == "iso" or any(mark in time_format for mark in ("%d", "%j", "%x", "%c"))


@lru_cache(maxsize=64)
def _two_words(time_format: str) -> tuple[str, str, str]:
    """The format of the day, what follows it, and the format of the time of day; ("", "", "") when they are not two."""
    match = _TWO_WORDS.fullmatch(time_format)
    return (match[1], match[2], match[3]) if match else ("", "", "")


def wall_moment(text: str, time_format: str, zone: ZoneInfo) -> tuple[Day, int] | int:
    """A full time, ISO 8601 when `time_format` is "iso": the wall day of `zone` and whole seconds after its midnight.

    Seconds since 1970 where it says its own offset. Raises ValueError.
    """
    text = text.strip()
    day_format, between, clock_format = _two_words(time_format)
    day, _, clock_time = text.partition(between or " ")
    # The end of a day and words with other blanks around them are for the whole of the text to tell.
    if between and clock_time not in _MIDNIGHTS and not clock_time[:1].isspace():
        try:
            span = passed(clock_time, clock_format)
            if span is not None:
                return day_of(wall_day(day, day_format), zone), span
        except (ValueError, OverflowError):
            pass
    return _whole(text, time_format, zone)


def _whole(text: str, time_format: str, zone: ZoneInfo) -> tuple[Day, int] | int:
    read = datetime.fromisoformat if time_format == "iso" else lambda text_: datetime.strptime(text_, time_format)  # noqa: DTZ007
    days = 0
    if _MIDNIGHT.search(text):
        text, days = _MIDNIGHT.sub(lambda text_: "00" + text_[0][2:], text), 1
    moment = read(text)
    try:
        moment += timedelta(days=days)
        if moment.tzinfo is not None:
            return seconds(moment.astimezone(UTC))
        day = day_of(datetime(moment.year, moment.month, moment.day), zone)  # noqa: DTZ001 - a wall day
        return day, (moment - day.wall).seconds
    except OverflowError:
        raise ValueError("outside of the calendar") from None


def moment(text: str, time_format: str, zone: ZoneInfo, began: int | None = None) -> int:
    """A full time in seconds since 1970. Raises ValueError.

    Of a wall time that happens twice the first, or the second where only that is not before the call `began`.
    """
    moment = wall_moment(text, time_format, zone)
    if isinstance(moment, int):
        return moment
    day, span = moment
    if day.even is not None:
        return day.even + span
    first, second = _both(day, span, zone)
    return second if began is not None and first < began <= second else first


def _both(day: Day, span: int, zone: ZoneInfo) -> tuple[int, int]:
    """Both moments of a wall time: alike but for an hour that is repeated (the later second) or skipped."""
    wall = day.at(span)
    try:
        return seconds(to_utc(wall, zone)), seconds(wall.replace(tzinfo=zone, fold=1))
    except OverflowError:
        raise ValueError("outside of the calendar") from None


def to_utc(wall: datetime, zone: ZoneInfo) -> datetime:
    """A naive wall time of `zone` as UTC. An hour that happens twice is taken as the first; a skipped one moves on."""
    return wall.replace(tzinfo=zone).astimezone(UTC)


def after(start: datetime, wall: datetime, zone: ZoneInfo) -> datetime:
    """A later step of a call that began at `start` (UTC), given only as wall time on the call's day."""
    moment = to_utc(wall, zone)
    if moment < start:
        # On the night when an hour happens twice, the second one may be meant.
        second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
        if second > moment and second >= start:
            return second
    if moment < start - _WRAP:
        return to_utc(wall + _DAY, zone)
    if moment > start + _DAY - _WRAP:
        # Just after midnight, a clock that is a little behind still shows the day before.
        return to_utc(wall - _DAY, zone)
    return moment


def step(start: int, day: Day, span: int, zone: ZoneInfo) -> int:
    """As `after`, of the wall time `span` seconds after the midnight of `day`; in seconds since 1970."""
    if day.even is None:
        return seconds(after(datetime.fromtimestamp(start, UTC), day.at(span), zone))
    moment = day.even + span
    if moment < start - _WRAP_SECONDS:
        return moment + _DAY_SECONDS
    if moment > start + _DAY_SECONDS - _WRAP_SECONDS:
        return moment - _DAY_SECONDS
    return moment


def local_day(moment: int, zone: ZoneInfo) -> Day:
    """The wall day of `zone` at a moment."""
    local = datetime.fromtimestamp(moment, zone)
    return day_of(datetime(local.year, local.month, local.day), zone)  # noqa: DTZ001 - a wall day


class WallClock:
    """Begins of one file's calls in file order, so that neighbours tell the two hours of an autumn night apart.

    `flagged` counts the times of a repeated or skipped hour that the neighbours could not settle.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone, self.flagged = zone, 0
        self._last: int | None = None

    def settle_moment(self, text: str, time_format: str) -> int:
        """As `settle`, of a full time; one with an offset of its own is not in doubt. Raises ValueError."""
        moment = wall_moment(text, time_format, self.zone)
        if isinstance(moment, int):
            self._last = moment
            return moment
        return self.settle(*moment)

    def settle(self, day: Day, span: int) -> int:
        """The wall time `span` seconds after midnight, in seconds since 1970.

        Of a repeated hour the first, unless the call above is later.
        """
        if day.even is not None:
            self._last = day.even + span
            return self._last
        return self._choose(*_both(day, span, self.zone))

    def place(self, wall: datetime, began: datetime | None) -> datetime:
        """A naive wall time as UTC: as `settle`, or a later step of a call that `began` then, as `moment`."""
        first, second = to_utc(wall, self.zone), wall.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        if began is not None:
            return second if first < began <= second else first
        return second if self._choose(seconds(first), seconds(second)) != seconds(first) else first

    def _choose(self, first: int, second: int) -> int:
        chosen = first
        if second > first:
            if self._last is None:
                self.flagged += 1
            elif first < self._last <= second + _WRAP_SECONDS:
                chosen = second
            elif first < self._last:
                self.flagged += 1
        elif second < first:
            # The hour that the spring night skips: a clock that had not been set yet.
            self.flagged += 1
        self._last = chosen
        return chosen
