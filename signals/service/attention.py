"""Which open tickets need somebody's eye: at risk, breached, stale, bouncing, unhappy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from django.db.models import Count, DateTimeField, Exists, OuterRef, Q, Value
from django.db.models.functions import Coalesce

from junto.tenants.models import Organization
from signals.models import ProcessorResult, ServiceClock, ServiceHours, Signal
from signals.querysets import SignalQuerySet
from signals.service.clocks import clock_of
from signals.service.hours import calendar_of

#: Opened again so often, or moved to another board or owner so often, a ticket bounces.
BOUNCES_REOPENED: Final = 2
BOUNCES_MOVED: Final = 3
#: Bands of the sentiment processor that a mood has fallen to.
UNHAPPY_BANDS: Final = ("negative", "very_negative")
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Attention(StrEnum):
    """Why a ticket needs somebody's eye."""

    AT_RISK = "at_risk"
    BREACHED = "breached"
    STALE = "stale"
    BOUNCING = "bouncing"
    UNHAPPY = "unhappy"


LABELS: Final[dict[Attention, str]] = {
    Attention.AT_RISK: "At risk",
    Attention.BREACHED: "Breached",
    Attention.STALE: "Stale",
    Attention.BOUNCING: "Bouncing",
    Attention.UNHAPPY: "Unhappy",
}


def condition(kind: Attention, *, organization: Organization, hours: ServiceHours, now: datetime) -> Q | Exists:
    """What holds of the signals that need this kind of attention; they are open besides."""
    if kind is Attention.AT_RISK:
        return Q(clock__risk_at__lte=now, clock__due_at__gt=now)
    if kind is Attention.BREACHED:
        return Q(clock__due_at__lte=now)
    if kind is Attention.STALE:
        return Q(source_updated_at__lt=calendar_of(hours).days_before(now, hours.stale_days))
    if kind is Attention.BOUNCING:
        return Q(clock__reopened__gte=BOUNCES_REOPENED) | Q(clock__moved__gte=BOUNCES_MOVED)
    moods = ProcessorResult.objects.for_organization(organization).current()
    # what was felt before it left another company is none of this one's; it is read anew when it comes
    now_here = moods.filter(
        created_at__gte=Coalesce(OuterRef("company_since"), Value(_EVER, output_field=DateTimeField()))
    )
    return Exists(now_here.filter(signal=OuterRef("pk"), processor="sentiment", key__in=UNHAPPY_BANDS))


def needing(signals: SignalQuerySet, kind: Attention, *, hours: ServiceHours, now: datetime) -> SignalQuerySet:
    """Those of them that are open and need this kind of attention."""
    found: SignalQuerySet = signals.filter(state__in=Signal.OPEN)
    return found.filter(condition(kind, organization=hours.organization, hours=hours, now=now))


def count_all(signals: SignalQuerySet, *, hours: ServiceHours, now: datetime) -> dict[Attention, int]:
    """How many of them need each kind of attention; one query."""
    asked = {
        kind.value: Count("pk", filter=Q(condition(kind, organization=hours.organization, hours=hours, now=now)))
        for kind in Attention
    }
    counts = signals.filter(state__in=Signal.OPEN).order_by().aggregate(**asked)
    return {kind: counts[kind.value] for kind in Attention}


@dataclass(frozen=True)
class Due:
    """What is promised next, or what became of it, in words with a tone; `at` = the moment it is about."""

    words: str
    tone: str
    at: datetime | None


def due_of(signal: Signal, *, now: datetime) -> Due | None:
    """What is due next on an open ticket; None where nothing is."""
    clock = clock_of(signal)
    if clock is None or clock.due_at is None or signal.state not in Signal.OPEN:
        return None
    what = ServiceClock.Pending(clock.pending).label
    if clock.due_at <= now:
        return Due(f"{what} overdue", "danger", clock.due_at)
    at_risk = clock.risk_at is not None and clock.risk_at <= now
    return Due(f"{what} due", "warn" if at_risk else "", clock.due_at)


def promised(signal: Signal, *, now: datetime) -> list[tuple[str, Due]]:
    """Each promise on a ticket with how it stands, for its page: label, words, tone and the moment it is or was due."""
    clock = clock_of(signal)
    if clock is None:
        return []
    # a clock from before may hold when a ticket was deleted or merged
    resolved_at = clock.resolved_at if signal.state == Signal.State.RESOLVED else None
    pairs = (
        ("Response", clock.response_due_at, clock.responded_at, False),
        ("Solution", clock.resolution_due_at, resolved_at, clock.waiting_since is not None),
    )
    found = []
    for label, due_at, done_at, stands in pairs:
        if due_at is None:
            continue
        if done_at is not None:
            late = done_at > due_at
            found.append((label, Due("Late" if late else "In time", "warn" if late else "ok", done_at)))
        elif signal.state not in Signal.OPEN:
            continue
        elif stands:
            found.append((label, Due("Waits for somebody else", "", None)))
        elif due_at <= now:
            found.append((label, Due("Overdue since", "danger", due_at)))
        else:
            found.append((label, Due("Due", "", due_at)))
    return found
