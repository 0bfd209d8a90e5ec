"""When a schedule is due: by the clocks of its own time zone, also where these jump."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from runbooks.schedules import MOST_COUNTED, due, next_moment


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("0 3 * * *", "UTC", "2026-11-21 02:59:59", "2026-11-21 03:00"),
        ("0 3 * * *", "UTC", "2026-11-21 03:00", "2026-11-22 03:00"),
        ("0 3 * * *", "Europe/Berlin", "2026-11-21 12:00", "2026-11-22 02:00"),
        ("0 3 * * *", "Europe/Berlin", "2026-07-01 12:00", "2026-07-02 01:00"),
        ("30 7 * * mon", "America/New_York", "2026-11-21 12:00", "2026-11-23 12:30"),
        ("0 0 29 2 *", "UTC", "2026-11-21 12:00", "2028-02-29 00:00"),
    ],
)
def test_the_next_moment_is_read_by_the_clocks_of_the_zone(cron: str, zone: str, after: str, expected: str) -> None:
    assert next_moment(cron, zone, at(after)) == at(expected)


def test_a_time_that_the_clocks_pass_over_in_spring_comes_an_hour_later_by_them() -> None:
    # on 29 March 2026 it is never half past two in Berlin
    assert next_moment("30 2 * * *", "Europe/Berlin", at("2026-03-28 12:00")) == at("2026-03-29 01:30")
    assert next_moment("30 2 * * *", "Europe/Berlin", at("2026-03-29 01:30")) == at("2026-03-30 00:30")


def test_a_time_that_comes_twice_in_autumn_counts_once() -> None:
    # on 25 October 2026 it is half past two twice in Berlin
    first = next_moment("30 2 * * *", "Europe/Berlin", at("2026-10-24 12:00"))
    assert first == at("2026-10-25 00:30")
    assert next_moment("30 2 * * *", "Europe/Berlin", first) == at("2026-10-26 01:30")


def test_nothing_is_due_before_its_time() -> None:
    assert due("0 3 * * *", "UTC", since=at("2026-11-21 03:00"), now=at("2026-11-21 02:59")) is None


def test_the_newest_moment_is_due_and_those_before_it_are_counted() -> None:
    come = due("0 * * * *", "UTC", since=at("2026-11-21 03:00"), now=at("2026-11-21 06:30"))
    assert come is not None
    assert (come.newest, come.missed, come.first) == (at("2026-11-21 06:00"), 3, at("2026-11-21 03:00"))


def test_after_a_very_long_time_the_newest_moment_is_found_without_counting_all() -> None:
    come = due("* * * * *", "UTC", since=at("2020-01-01 00:00"), now=at("2026-11-21 06:30"))
    assert come is not None
    assert (come.newest, come.missed) == (at("2026-11-21 06:30"), MOST_COUNTED + 1)
