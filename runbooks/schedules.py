"""When a schedule is due: cron expressions read in a time zone. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

#: R and H make croniter choose for itself, anew each time.
_CHOSEN_BY_CHANCE: Final = re.compile(r"(?<![a-z])[rh](?![a-z])", re.IGNORECASE)
#: Missed moments that are counted one by one; of more it is only said that they were more.
MOST_COUNTED = 1000


@dataclass(frozen=True)
class Due:
    """What a schedule asks for now. `newest` is the last moment that came; `missed` counts those before it."""

    newest: datetime
    missed: int
    first: datetime


def cron_problem(cron: str) -> str:
    """Why an expression names no moments that can be told beforehand; empty where it does."""
    if len(cron.split()) != 5 or _CHOSEN_BY_CHANCE.search(cron) or not croniter.is_valid(cron):
        return "Five fields are expected: minute, hour, day, month, weekday, such as 0 3 * * mon."
    try:
        croniter(cron, datetime(2000, 1, 1)).get_next(datetime)  # noqa: DTZ001  (by no clock in particular)
    except CroniterBadDateError:
        return "No such day ever comes: look at day and month."
    return ""


def comes_within(cron: str, gap: timedelta) -> bool:
    """Whether two moments of an expression, looked at over a whole day and its midnight, are less than `gap` apart."""
    minute, hour = cron.split()[:2]
    begin = datetime(2000, 1, 1)  # noqa: DTZ001  (by no clock in particular)
    steps = croniter(f"{minute} {hour} * * *", begin - timedelta(minutes=1))
    earlier: datetime = steps.get_next(datetime)
    while earlier < begin + timedelta(days=1):
        later: datetime = steps.get_next(datetime)
        if later - earlier < gap:
            return True
        earlier = later
    return False


def next_moment(cron: str, time_zone: str, after: datetime) -> datetime:
    """The first moment after `after` that the expression names by the clocks of the time zone, in UTC.

    A time that the clocks pass over in spring comes at the next there is; one that comes twice in autumn counts once.
    """
    return next(_moments(cron, time_zone, after))


def due(cron: str, time_zone: str, *, since: datetime, now: datetime) -> Due | None:
    """The moments from `since` on that came by `now`; None where none did."""
    newest = first = None
    count = 0
    if since <= now:
        newest = first = since
        for moment in _moments(cron, time_zone, since):
            if moment > now:
                break
            newest, count = moment, count + 1
            if count > MOST_COUNTED:
                newest = _last(cron, time_zone, now)
                break
    return Due(newest, count, first) if newest and first else None


def _moments(cron: str, time_zone: str, after: datetime) -> Iterator[datetime]:
    """In order. Reckoned without a zone and placed in it afterwards, so that no jump of the clocks confuses it."""
    zone = ZoneInfo(time_zone)
    steps = croniter(cron, after.astimezone(zone).replace(tzinfo=None))
    last = after
    while True:
        moment = _in_zone(steps.get_next(datetime), zone)
        if moment > last:
            last = moment
            yield moment


def _last(cron: str, time_zone: str, now: datetime) -> datetime:
    zone = ZoneInfo(time_zone)
    # croniter looks strictly before what it starts from
    steps = croniter(cron, (now + timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None))
    while True:
        moment = _in_zone(steps.get_prev(datetime), zone)
        if moment <= now:
            return moment


def _in_zone(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)
