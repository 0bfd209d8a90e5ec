"""Working time, against a reckoning minute by minute; days on which the clocks change among them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.service.worktime import AROUND_THE_CLOCK, Hours, NeverOpen, WorkCalendar

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = WorkCalendar(BERLIN, (((480, 1020),),) * 5 + ((), ()), frozenset({date(2026, 12, 25)}))
#: From ten at night to six, on the evenings of Monday to Saturday.
NIGHTS = WorkCalendar(BERLIN, (((1320, 1800),),) * 6 + ((),), frozenset({date(2026, 12, 25)}))
#: With an hour's break.
BROKEN = WorkCalendar(BERLIN, (((480, 720), (780, 1020)),) * 5 + ((), ()))
#: In Berlin the clocks change on 29 March and 25 October 2026, in New York on 8 March and 1 November.
ZONES = [BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("UTC")]

SPRING, AUTUMN = datetime(2026, 3, 5, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
moments = st.builds(
    lambda start, minutes: start + timedelta(minutes=minutes),
    st.sampled_from([SPRING, AUTUMN]),
    st.integers(0, 33 * 24 * 60),
)
hours: st.SearchStrategy[Hours] = st.one_of(
    st.just(()),
    st.just(((0, 1440),)),
    # breaks, nights, and what a form would refuse: spans that overlap, also into the next day
    st.lists(
        st.tuples(st.integers(0, 1400), st.integers(1, 900)).map(lambda pair: (pair[0], sum(pair))), max_size=3
    ).map(tuple),
)


def has_an_hour(week: tuple[Hours, ...]) -> bool:
    """Whether a week is open for an hour: with a minute of it, twice three days are further away than MOST_DAYS."""
    return sum(max((closes - opens for opens, closes in day), default=0) for day in week) >= 60


calendars = st.builds(
    WorkCalendar,
    zone=st.sampled_from(ZONES),
    days=st.tuples(*[hours] * 7).filter(has_an_hour),
    holidays=st.frozensets(st.dates(date(2026, 3, 20), date(2026, 4, 2)), max_size=2),
)
spans = st.integers(1, 3 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


def by_the_minute(calendar: WorkCalendar, start: datetime, end: datetime) -> timedelta:
    """The same by looking at every minute."""
    worked = 0
    moment = start
    days: dict[date, list[tuple[datetime, datetime]]] = {}
    while moment < end:
        day = moment.astimezone(calendar.zone).date()
        for each in (day - timedelta(days=1), day):
            if each not in days:
                days[each] = calendar.hours_of(each)
        spans = [*days[day - timedelta(days=1)], *days[day]]
        worked += any(opens <= moment < closes for opens, closes in spans)
        moment += timedelta(minutes=1)
    return timedelta(minutes=worked)


@settings(max_examples=40, deadline=None)
@given(calendars, moments, st.integers(0, 4 * 24 * 60))
def test_between_counts_the_minutes_that_are_worked(calendar: WorkCalendar, start: datetime, minutes: int) -> None:
    end = start + timedelta(minutes=minutes)
    assert calendar.between(start, end) == by_the_minute(calendar, start, end)


@settings(max_examples=150, deadline=None)
@given(calendars, moments, spans)
def test_what_is_added_lies_between(calendar: WorkCalendar, start: datetime, worked: timedelta) -> None:
    due = calendar.add(start, worked)
    assert calendar.between(start, due) == worked
    assert calendar.between(start, due - timedelta(minutes=1)) == worked - timedelta(minutes=1)


@settings(max_examples=100, deadline=None)
@given(calendars, moments, spans, spans)
def test_two_steps_lead_where_one_does(calendar: WorkCalendar, start: datetime, one: timedelta, two: timedelta) -> None:
    assert calendar.add(calendar.add(start, one), two) == calendar.add(start, one + two)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-20T16:00+01:00", 2, "2026-11-23T09:00+01:00"),  # over a weekend
        ("2026-12-24T16:30+01:00", 1, "2026-12-28T08:30+01:00"),  # over a holiday and a weekend
        ("2026-03-27T16:00+01:00", 2, "2026-03-30T09:00+02:00"),  # over the night that is an hour shorter
        ("2026-10-23T16:00+02:00", 2, "2026-10-26T09:00+01:00"),  # over the night that is an hour longer
    ],
)
def test_office_hours_keep_to_the_clock_on_the_wall(start: str, hours: int, due: str) -> None:
    assert OFFICE.add(datetime.fromisoformat(start), timedelta(hours=hours)) == datetime.fromisoformat(due)


@pytest.mark.parametrize(
    ("calendar", "start", "hours", "due"),
    [
        (NIGHTS, "2026-11-20T23:00+01:00", 6, "2026-11-21T05:00+01:00"),  # over midnight
        (NIGHTS, "2026-11-21T01:00+01:00", 6, "2026-11-21T23:00+01:00"),  # from within a night into the next
        (NIGHTS, "2026-11-22T03:00+01:00", 4, "2026-11-23T23:00+01:00"),  # Saturday's night ends on Sunday
        (
            NIGHTS,
            "2026-12-24T23:00+01:00",
            8,
            "2026-12-26T23:00+01:00",
        ),  # the eve is worked, the holiday's night is not
        (NIGHTS, "2026-03-28T22:00+01:00", 8, "2026-03-30T23:00+02:00"),  # a night of seven hours
        (NIGHTS, "2026-10-24T22:00+02:00", 9, "2026-10-25T06:00+01:00"),  # a night of nine
        (BROKEN, "2026-11-20T11:00+01:00", 2, "2026-11-20T14:00+01:00"),  # over the break
        (BROKEN, "2026-11-20T12:30+01:00", 4, "2026-11-20T17:00+01:00"),  # from within it
    ],
)
def test_nights_and_breaks(calendar: WorkCalendar, start: str, hours: int, due: str) -> None:
    assert calendar.add(datetime.fromisoformat(start), timedelta(hours=hours)) == datetime.fromisoformat(due)


def test_a_day_worked_around_the_clock_has_23_or_25_hours_when_the_clocks_change() -> None:
    always = WorkCalendar(BERLIN, (((0, 1440),),) * 7)
    assert sum((OFFICE.between(*_day(2026, 3, 29)), always.between(*_day(2026, 3, 29))), timedelta()) == timedelta(
        hours=23
    )
    assert always.between(*_day(2026, 10, 25)) == timedelta(hours=25)


def test_around_the_clock_is_time_as_it_passes() -> None:
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert AROUND_THE_CLOCK.add(start, timedelta(days=2)) == start + timedelta(days=2)


def test_days_before_passes_over_what_is_not_worked() -> None:
    monday = datetime.fromisoformat("2026-11-23T10:00+01:00")
    assert OFFICE.days_before(monday, 2) == datetime.fromisoformat("2026-11-19T10:00+01:00")


def test_where_nothing_is_worked_nothing_is_ever_due() -> None:
    with pytest.raises(NeverOpen):
        WorkCalendar(BERLIN, ((),) * 7).add(datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=1))


def _day(year: int, month: int, day: int) -> tuple[datetime, datetime]:
    start = datetime(year, month, day, tzinfo=BERLIN)
    return start, start + timedelta(days=1)
