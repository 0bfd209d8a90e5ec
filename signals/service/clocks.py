"""Keeping each open ticket's clock: when an answer and a solution are due, and how often it came back or was moved.

Clocks follow the feed of changes, so a burst of tickets costs nothing at ingest. When hours or targets are set, all
open tickets are gone through anew.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

from django.db.models import Min, Q

from integrations.models import Contact
from junto.tenants.models import Organization
from signals.authors import is_by_client, spellings
from signals.models import ServiceClock, ServiceHours, ServiceTarget, Signal, SignalNote, SignalTime
from signals.rest.feed import BadCursor, Cursor
from signals.service.hours import Promises, promises_of
from signals.service.worktime import NeverOpen, WorkCalendar

#: Tickets whose clocks are kept together.
PAGE: Final = 500
#: Seconds after which others get their turn on this thread.
TURN_SECONDS: Final = 10.0
_BEGINNING: Final = Cursor(datetime(1970, 1, 1, tzinfo=UTC))
_KEPT: Final = (
    "response_due_at",
    "responded_at",
    "resolution_due_at",
    "resolved_at",
    "pending",
    "due_at",
    "risk_at",
    "waiting_since",
    "waits",
    "reopened",
    "moved",
    "seen_open",
    "seen_board",
    "seen_assignee",
)

Pending = ServiceClock.Pending


def keep_clocks(organization: Organization, *, seconds: float = TURN_SECONDS) -> int:
    """Bring the clocks of what changed up to date, for so long at most; how many were looked at."""
    ends = monotonic() + seconds
    kept = 0
    while monotonic() < ends:
        promises = promises_of(organization)
        before = promises.hours.told_until
        signals = _changed(organization, before)
        _keep(signals, promises)
        kept += len(signals)
        if signals:
            _go_on(promises.hours, before, str(Cursor(signals[-1].changed_at, signals[-1].pk)))
        if len(signals) < PAGE:
            break
    return kept


def are_behind(organization: Organization) -> bool:
    """Whether clocks of tickets that changed, or all of them since hours or targets were set, are not kept yet."""
    return bool(_changed(organization, promises_of(organization).hours.told_until, most=1))


def _changed(organization: Organization, until: str, *, most: int = PAGE) -> list[Signal]:
    """What changed behind the cursor and has a clock, or should have one."""
    try:
        cursor = Cursor.parse(until) if until else _BEGINNING
    except BadCursor:
        cursor = _BEGINNING
    rows = Signal.objects.for_organization(organization).filter(Q(state__in=Signal.OPEN) | Q(clock__isnull=False))
    found = cursor.of(rows).select_related("clock", "contact").defer("raw", "description", "words")
    return list(found[:most])


def _go_on(hours: ServiceHours, before: str, until: str) -> None:
    """Remember how far we are, unless somebody set hours or targets meanwhile: then it begins anew."""
    if hours._state.adding:
        hours.told_until = until
        ServiceHours.objects.bulk_create([hours], ignore_conflicts=True)
        return
    rows = ServiceHours.objects.for_organization(hours.organization).filter(pk=hours.pk, told_until=before)
    rows.update(told_until=until)


def _keep(signals: Sequence[Signal], promises: Promises) -> None:
    if not signals:
        return
    unanswered = [each for each in signals if (held := clock_of(each)) is None or held.responded_at is None]
    answers = _first_answers(unanswered)
    clocks = []
    for signal in signals:
        clock = clock_of(signal) or ServiceClock(
            organization_id=signal.organization_id,
            signal=signal,
            seen_board=signal.board_id,
            seen_assignee=signal.assignee,
        )
        clock.responded_at = clock.responded_at or answers.get(signal.pk)
        _count(clock, signal)
        _reckon(clock, signal, promises)
        clocks.append(clock)
    ServiceClock.objects.bulk_create(clocks, update_conflicts=True, unique_fields=["signal"], update_fields=list(_KEPT))


def clock_of(signal: Signal) -> ServiceClock | None:
    """Its clock; None where it has none (yet). A query unless it was selected along."""
    found: ServiceClock | None = getattr(signal, "clock", None)
    return found


def _first_answers(signals: Sequence[Signal]) -> Mapping[uuid.UUID, datetime]:
    """When somebody of ours first answered: a note the client sees and did not write itself, or time booked."""
    if not signals:
        return {}
    organization = signals[0].organization
    asked = {each.pk: each for each in signals}
    found: dict[uuid.UUID, datetime] = {}
    rows = SignalNote.objects.for_organization(organization).filter(signal__in=asked, internal=False)
    notes = list(rows.order_by("written_at").values_list("signal_id", "author", "by_client", "written_at"))
    people = _people(organization, [asked[signal_id] for signal_id, _, told, _ in notes if told is None])
    for signal_id, author, told, at in notes:
        if not is_by_client(told, author, people.get(signal_id, ())):
            found.setdefault(signal_id, at)
    times = SignalTime.objects.for_organization(organization).filter(signal__in=asked).order_by()
    for signal_id, at in times.values_list("signal_id").annotate(Min("started_at")):
        found[signal_id] = min(at, found.get(signal_id, at))
    return found


def _people(organization: Organization, signals: Sequence[Signal]) -> Mapping[uuid.UUID, Collection[str]]:
    """Everybody known at each signal's company, gone ones too, as authors.py compares them, and its own contact."""
    companies = {each.company_id for each in signals if each.company_id is not None}
    contacts = Contact.objects.for_organization(organization).filter(company_id__in=companies) if companies else ()
    names: dict[uuid.UUID | None, set[str]] = defaultdict(set)
    for contact in contacts:
        names[contact.company_id] |= spellings([contact.name, contact.email])
    own = {each.pk: spellings([each.contact.name, each.contact.email]) if each.contact else set() for each in signals}
    return {each.pk: names[each.company_id] | own[each.pk] for each in signals}


def _count(clock: ServiceClock, signal: Signal) -> None:
    """Whether it was opened again or moved since it was last looked at."""
    is_open = signal.state in Signal.OPEN
    clock.reopened += is_open and not clock.seen_open
    clock.moved += (clock.seen_board, clock.seen_assignee) != (signal.board_id, signal.assignee)
    clock.seen_open, clock.seen_board, clock.seen_assignee = is_open, signal.board_id, signal.assignee
    # deleted, merged or dismissed, it is over and not solved
    solved = signal.state == Signal.State.RESOLVED
    clock.resolved_at = (clock.resolved_at or signal.source_updated_at) if solved else None


@dataclass(frozen=True)
class _Due:
    pending: Pending
    due_at: datetime
    risk_at: datetime


def _reckon(clock: ServiceClock, signal: Signal, promises: Promises) -> None:
    target = promises.target_of(signal)
    clock.response_due_at = clock.resolution_due_at = clock.due_at = clock.risk_at = None
    clock.pending = Pending.NOTHING
    _wait(clock, signal, promises)
    if target is None:
        return
    response = _due(Pending.RESPONSE, target.response_minutes, signal, promises, target)
    waited = _waited(clock, promises.calendar_of(target))
    resolution = _due(Pending.RESOLUTION, target.resolution_minutes, signal, promises, target, waited=waited)
    clock.response_due_at = response.due_at if response else None
    clock.resolution_due_at = resolution.due_at if resolution else None
    if signal.state not in Signal.OPEN:
        return
    open_ones = [
        each
        for each, settled in ((response, clock.responded_at), (resolution, clock.waiting_since))
        if each is not None and settled is None
    ]
    if open_ones:
        next_one = min(open_ones, key=lambda each: each.due_at)
        clock.pending, clock.due_at = next_one.pending, next_one.due_at
        clock.risk_at = min(each.risk_at for each in open_ones)


def _wait(clock: ServiceClock, signal: Signal, promises: Promises) -> None:
    """Let the clock stand still while the ticket waits for somebody else, and note from when to when it did."""
    waits = signal.state in Signal.OPEN and signal.source_status.strip().lower() in promises.waiting
    if waits:
        clock.waiting_since = clock.waiting_since or signal.source_updated_at
    elif clock.waiting_since is not None:
        if clock.waiting_since < signal.source_updated_at:
            clock.waits.append([clock.waiting_since.isoformat(), signal.source_updated_at.isoformat()])
        clock.waiting_since = None


def _waited(clock: ServiceClock, calendar: WorkCalendar) -> timedelta:
    """For how long it waited, by this calendar."""
    spans = [[datetime.fromisoformat(moment) for moment in span] for span in clock.waits]
    return sum((calendar.between(*span) for span in spans), timedelta(seconds=clock.waited_seconds))


def _due(
    pending: Pending,
    minutes: int | None,
    signal: Signal,
    promises: Promises,
    target: ServiceTarget,
    *,
    waited: timedelta = timedelta(),
) -> _Due | None:
    if minutes is None:
        return None
    calendar, whole = promises.calendar_of(target), timedelta(minutes=minutes)
    until_risk = whole * promises.hours.at_risk_percent / 100
    start = signal.source_created_at
    try:
        return _Due(pending, calendar.add(start, whole + waited), calendar.add(start, until_risk + waited))
    except NeverOpen:
        return None
