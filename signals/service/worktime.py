"""Working time: which moment is so much of it away, and how much of it lies between two moments. Pure.

A night belongs to the day on which it begins: its hours end beyond 24:00, and a holiday takes those that begin on it.
Hours are local wall time, so a day on which the clocks change is longer or shorter only where the change lies within
its hours. Every moment that comes in or goes out is aware; those that go out are in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

#: Spans of a weekday in minutes from local midnight, in their order; an end beyond a day is on the next.
Hours = tuple[tuple[int, int], ...]

DAY_MINUTES: Final = 24 * 60
#: No due time lies further away, in days.
MOST_DAYS: Final = 3660


class NeverOpen(ValueError):
    """So much working time does not come within MOST_DAYS."""


@dataclass(frozen=True)
class WorkCalendar:
    """When people work. `days` are Monday to Sunday; a holiday is not worked at all."""

    zone: ZoneInfo
    days: tuple[Hours, ...]
    holidays: frozenset[date] = field(default_factory=frozenset)

    def is_worked(self, day: date) -> bool:
        """Whether there are hours on that local day."""
        return bool(self.days[day.weekday()]) and day not in self.holidays

    def hours_of(self, day: date) -> list[tuple[datetime, datetime]]:
        """The hours that begin on that local day, in their order; none where it is not worked."""
        if not self.is_worked(day):
            return []
        hours = self.days[day.weekday()]
        found = sorted((self._moment(day, opens), self._moment(day, closes)) for opens, closes in hours)
        # not those within the hour that a change of the clocks leaves out
        return [span for span in found if span[0] < span[1]]

    def add(self, start: datetime, worked: timedelta) -> datetime:
        """The moment at which `worked` has passed since `start`.

        Raises:
            NeverOpen: it never does, as nothing is worked.
        """
        left = worked
        for opens, closes in self._from(_day_before(start.astimezone(self.zone).date()), MOST_DAYS):
            begin = max(opens, start)
            if closes <= begin:
                continue
            if closes - begin >= left:
                return (begin + left).astimezone(UTC)
            left -= closes - begin
        raise NeverOpen(f"{worked} of working time do not come after {start}.")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much working time lies from `start` to `end`; none where the end is not later."""
        first = _day_before(start.astimezone(self.zone).date())
        days = (end.astimezone(self.zone).date() - first).days + 1
        found = timedelta()
        for opens, closes in self._from(first, days):
            found += max(min(closes, end) - max(opens, start), timedelta())
        return found

    def days_before(self, moment: datetime, days: int) -> datetime:
        """The same wall time so many worked days earlier; where nothing is worked, so many days."""
        local = moment.astimezone(self.zone)
        if not any(self.days):
            return (moment - timedelta(days=days)).astimezone(UTC)
        day, left = local.date(), days
        for _ in range(MOST_DAYS):
            if left <= 0:
                break
            day -= timedelta(days=1)
            left -= 1 if self.is_worked(day) else 0
        return datetime.combine(day, local.time(), self.zone).astimezone(UTC)

    def _from(self, first: date, days: int) -> Iterator[tuple[datetime, datetime]]:
        """The hours that begin on these days, each minute once."""
        so_far: datetime | None = None
        for number in range(days):
            for opens, closes in self.hours_of(first + timedelta(days=number)):
                if so_far is None or so_far < closes:
                    yield (opens if so_far is None else max(opens, so_far)), closes
                    so_far = closes

    def _moment(self, day: date, minutes: int) -> datetime:
        days, rest = divmod(minutes, DAY_MINUTES)
        wall = datetime.combine(day + timedelta(days=days), time(*divmod(rest, 60)), self.zone)
        return wall.astimezone(UTC)


#: Every hour of every day.
AROUND_THE_CLOCK: Final = WorkCalendar(ZoneInfo("UTC"), (((0, DAY_MINUTES),),) * 7)


def _day_before(day: date) -> date:
    # its night may reach into the day
    return day - timedelta(days=1)
