"""Reading and setting what was promised: hours, holidays, targets."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from pydantic import JsonValue

from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.models import Organization
from junto.tenants.permissions import Permission, require
from signals.models import Board, ServiceHours, ServiceTarget, Signal
from signals.service.worktime import AROUND_THE_CLOCK, DAY_MINUTES, Hours, WorkCalendar

#: Spans of one weekday.
MOST_SPANS: Final = 6

#: No target lies further away: a year, in minutes.
MOST_MINUTES: Final = 366 * DAY_MINUTES


class PromiseRefused(ValueError):
    """It cannot be promised so; the message says why."""


@dataclass(frozen=True)
class Promises:
    """All that an organization promised, as read at one moment."""

    hours: ServiceHours
    targets: Sequence[ServiceTarget]

    @cached_property
    def calendar(self) -> WorkCalendar:
        """When it works; what cannot be read is as if it were not set."""
        return calendar_of(self.hours)

    @cached_property
    def waiting(self) -> frozenset[str]:
        """Statuses in which the clock stands still, in lower case."""
        return frozenset(str(status).strip().lower() for status in self.hours.waiting_statuses)

    def target_of(self, signal: Signal) -> ServiceTarget | None:
        """The one that fits best: of its board and priority, of its board, of its priority, of all."""
        for place in ((signal.board_id, signal.priority), (signal.board_id, ""), (None, signal.priority), (None, "")):
            if (found := self._by_place.get(place)) is not None:
                return found
        return None

    def calendar_of(self, target: ServiceTarget) -> WorkCalendar:
        """By which hours a target is reckoned."""
        return AROUND_THE_CLOCK if target.around_the_clock else self.calendar

    @cached_property
    def _by_place(self) -> Mapping[tuple[uuid.UUID | None, str], ServiceTarget]:
        return {(target.board_id, target.priority): target for target in self.targets}


def promises_of(organization: Organization) -> Promises:
    """What it promised; two queries."""
    return Promises(hours_of(organization), list(ServiceTarget.objects.for_organization(organization)))


def hours_of(organization: Organization) -> ServiceHours:
    """Its row; one with the defaults, not stored, where nobody set any."""
    row: ServiceHours | None = ServiceHours.objects.for_organization(organization).first()
    return row or ServiceHours(organization=organization)


def calendar_of(hours: ServiceHours) -> WorkCalendar:
    """The hours as a calendar; what cannot be read is left out."""
    days = hours.days if isinstance(hours.days, list) else []
    read = [read_day(each) for each in days[:7]]
    holidays = hours.holidays if isinstance(hours.holidays, dict) else {}
    return WorkCalendar(
        zone=zone_of(hours.time_zone),
        days=(*read, *[()] * (7 - len(read))),
        holidays=frozenset(day for text in holidays if (day := _date(text)) is not None),
    )


def zone_of(name: str) -> ZoneInfo:
    """The zone of that name; UTC where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


@transaction.atomic
def set_hours(
    *,
    actor: Actor,
    time_zone: str,
    days: Sequence[Hours],
    holidays: Mapping[date, str],
    waiting_statuses: Sequence[str],
    at_risk_percent: int,
    stale_days: int,
) -> ServiceHours:
    """Set when the organization works; due times of open tickets are reckoned anew.

    Raises:
        PermissionDenied: `actor` may not manage policies.
        PromiseRefused: no day is worked, or hours overlap.
    """
    require(actor, Permission.MANAGE_POLICIES)
    if not any(days):
        raise PromiseRefused("At least one day must be worked.")
    if overlapping(days) is not None:
        raise PromiseRefused("Hours overlap.")
    row = _own_hours(actor.organization)
    row.time_zone = time_zone
    row.days = [[list(span) for span in hours] or None for hours in days]
    row.holidays = {day.isoformat(): name for day, name in sorted(holidays.items())}
    row.waiting_statuses = list(waiting_statuses)
    row.at_risk_percent, row.stale_days = at_risk_percent, stale_days
    row.told_until = ""
    row.save()
    record(actor, "service.hours_set", actor.organization, {"time_zone": time_zone, "holidays": len(holidays)})
    return row


@transaction.atomic
def set_target(
    *,
    actor: Actor,
    board: Board | None,
    priority: str,
    response_minutes: int | None,
    resolution_minutes: int | None,
    around_the_clock: bool,
) -> ServiceTarget:
    """Promise something for a board (None = all) and priority (empty = all), in place of what was promised there.

    Raises:
        PermissionDenied: `actor` may not manage policies.
        PromiseRefused: nothing is promised, more than a year, or the answer after the solution.
    """
    require(actor, Permission.MANAGE_POLICIES)
    said = [minutes for minutes in (response_minutes, resolution_minutes) if minutes is not None]
    if not said:
        raise PromiseRefused("Say how soon tickets are answered, or solved, or both.")
    if not all(1 <= minutes <= MOST_MINUTES for minutes in said):
        raise PromiseRefused("A target lies between a minute and a year.")
    if response_minutes and resolution_minutes and response_minutes > resolution_minutes:
        raise PromiseRefused("An answer is promised no later than the solution.")
    rows = ServiceTarget.objects.for_organization(actor.organization)
    row = rows.filter(board=board, priority=priority).first() or ServiceTarget(
        organization=actor.organization, board=board, priority=priority
    )
    row.response_minutes, row.resolution_minutes = response_minutes, resolution_minutes
    row.around_the_clock = around_the_clock
    row.save()
    _reckon_anew(actor.organization)
    detail: dict[str, JsonValue] = {
        "board": board.name if board else "",
        "priority": priority,
        "response_minutes": response_minutes,
        "resolution_minutes": resolution_minutes,
    }
    record(actor, "service.target_set", actor.organization, detail)
    return row


@transaction.atomic
def remove_target(*, actor: Actor, target: ServiceTarget) -> None:
    """Promise no longer what it says. Raises PermissionDenied."""
    require(actor, Permission.MANAGE_POLICIES)
    detail: dict[str, JsonValue] = {"board": target.board.name if target.board else "", "priority": target.priority}
    target.delete()
    _reckon_anew(actor.organization)
    record(actor, "service.target_removed", actor.organization, detail)


def _reckon_anew(organization: Organization) -> None:
    row = _own_hours(organization)
    row.told_until = ""
    row.save()


def _own_hours(organization: Organization) -> ServiceHours:
    row: ServiceHours
    row, _ = ServiceHours.objects.for_organization(organization).get_or_create(defaults={"organization": organization})
    return row


def overlapping(days: Sequence[Hours]) -> int | None:
    """The first weekday (0 = Monday) whose hours overlap, among each other or with those of the next day."""
    for number, hours in enumerate(days):
        ends = [opens for opens, _ in hours[1:]]
        following = days[(number + 1) % len(days)]
        ends.append(following[0][0] + DAY_MINUTES if following else 2 * DAY_MINUTES)
        if any(closes > end for (_, closes), end in zip(hours, ends, strict=False)):
            return number
    return None


def read_day(value: object) -> Hours:
    """A weekday as it is stored; what cannot be read is not worked. Older rows hold one span by itself."""
    spans = [value] if isinstance(value, list) and value and isinstance(value[0], int) else value
    if not isinstance(spans, list):
        return ()
    return tuple(sorted(span for each in spans[:MOST_SPANS] if (span := _span(each)) is not None))


def _span(value: object) -> tuple[int, int] | None:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(each, int) for each in value):
        opens, closes = value
        if 0 <= opens < DAY_MINUTES and opens < closes <= opens + DAY_MINUTES:
            return opens, closes
    return None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
