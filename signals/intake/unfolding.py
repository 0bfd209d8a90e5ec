"""What was folded into a signal that no longer stands for it stands for itself again: nothing is lost under another.

A signal stands for those folded into it, and a ticket opened here for its alert, only within its own company, and only
while its source still has it: one that moved, was deleted or was merged away there speaks for nobody else. A ticket
that was closed speaks for none that is open: who closes one of ten in the PSA leaves nine, which no list would show.
Nor does it speak for an alert that stands on: the RMM raises it no second time.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from django.db.models import F, Q
from django.utils import timezone

from junto.tenants.models import Organization
from junto.tenants.scoping import TenantQuerySet
from signals.intake.clearing import PSA
from signals.models import Signal

State = Signal.State
Link = Literal["folded_into", "ticket"]

STANDS_ALONE: Final = "What it was folded into moved to another company, or is gone at its source."
#: What is solved clears a little after its ticket was closed; what stands for longer was not.
CLEARS_WITHIN: Final = timedelta(hours=1)
LINKS: Final[tuple[Link, ...]] = ("folded_into", "ticket")

STILL_OPEN: Final = "The ticket it was folded into is closed, and this one is open at its source."
STILL_STANDS: Final = "Its ticket was closed more than an hour ago, and the alert has not cleared."
WITHOUT_TICKET: Final = "Its ticket moved to another company, or is gone at its source."


class Stray(NamedTuple):
    """A signal that another one no longer stands for, and the column that still names that one."""

    signal: Signal
    link: Link


def linked_with(written: Iterable[Signal]) -> set[uuid.UUID]:
    """Those of `written` that are under another signal, and those under one of them: few, and mostly none.

    By the links alone, as these never leave an organization: SQLite else reads all of the organization's signals.
    """
    given = list(written)
    found = {signal.pk for signal in given if signal.folded_into_id or signal.ticket_id}
    for link in LINKS:
        under = Signal.unscoped.filter(**{f"{link}__in": [signal.pk for signal in given]})
        found.update(under.order_by().values_list("pk", flat=True))
    return found


def strays_of(organization: Organization, among: Collection[uuid.UUID] | None) -> list[Stray]:
    """Those of `among` that the signal they are under does not stand for; None = of all.

    A row of a file stays with its ticket: it tells of nothing that stands anywhere.
    """
    if among is not None and not among:
        return []
    rows: TenantQuerySet[Signal] = Signal.objects.for_organization(organization)
    if among is not None:
        rows = rows.filter(pk__in=among)
    found = [*_loose(rows, "folded_into"), *_loose(rows.exclude(alert_type=""), "ticket"), *_left_open(rows)]
    return sorted(found, key=lambda one: (one.signal.source_created_at, one.signal.external_id))


def _loose(rows: TenantQuerySet[Signal], link: Link) -> list[Stray]:
    ended = Q(**{f"{link}__state": State.GONE})
    # a head that was folded further took with it what stood under it: this one was merged by its source
    ended |= Q(**{f"{link}__state": State.MERGED, f"{link}__folded_into": None})
    elsewhere = ~Q(**{f"{link}__company": F("company")}) | Q(company=None) | Q(**{f"{link}__company": None})
    return [Stray(signal, link) for signal in _lean(rows.exclude(**{link: None}).filter(ended | elsewhere))]


def _left_open(rows: TenantQuerySet[Signal]) -> list[Stray]:
    """Those that are open at their source under a ticket that was closed; an alert after it had its time to clear."""
    over = Q(folded_into__state=State.RESOLVED) | Q(ticket__state=State.RESOLVED)
    under = rows.filter(over, state=State.MERGED, closed_at_source=False).exclude(alert_type="")
    long_ago = timezone.now() - CLEARS_WITHIN
    found = _lean(under.exclude(connection=None))
    return [Stray(each, link) for each in found for link in LINKS if _is_left(each, getattr(each, link), long_ago)]


def _is_left(signal: Signal, over: Signal | None, long_ago: datetime) -> bool:
    if over is None or over.state != State.RESOLVED or not over.closed_at_source:
        return False
    is_ticket = signal.connection is not None and signal.connection.vendor in PSA
    return over.company_id == signal.company_id and (is_ticket or over.source_updated_at < long_ago)


def _lean(rows: TenantQuerySet[Signal]) -> TenantQuerySet[Signal]:
    return rows.select_related("connection", "board", "device", *LINKS).defer("raw", "description", "words")


def unfold(organization: Organization, strays: Sequence[Stray], *, shown: Sequence[Signal]) -> list[Signal]:
    """Let these stand for themselves, as a person's parting does, but free to fold anew; returns them.

    Call under the lock on their companies. Of those that `shown` holds, its own rows are returned and show the new
    state. What its source closed is resolved; what nobody knows the company of waits for a person.
    """
    rows: TenantQuerySet[Signal] = Signal.objects.for_organization(organization)
    known = {signal.pk: signal for signal in shown}
    freed = []
    for stray, link in strays:
        signal = known.setdefault(stray.pk, stray)
        reason = _why_alone(stray, link)
        setattr(signal, link, None)
        columns: dict[str, object] = {link: None}
        under_another = signal.folded_into_id or signal.ticket_id
        # one that its source merged or deleted stays that; so does the row that a ticket left when it was taken over
        if signal.state == State.MERGED and not signal.merged_into and signal.connection_id and not under_another:
            signal.state, signal.awaits_processors = _begins(signal), True
            signal.state_reason = reason
            columns |= {"state": signal.state, "state_reason": signal.state_reason, "awaits_processors": True}
        rows.filter(pk=signal.pk).update(**columns, changed_at=timezone.now())
        freed.append(signal)
    return freed


def _why_alone(stray: Signal, link: Link) -> str:
    over: Signal | None = getattr(stray, link)
    if over is not None and over.state == State.RESOLVED and over.company_id == stray.company_id:
        return STILL_OPEN if stray.connection is not None and stray.connection.vendor in PSA else STILL_STANDS
    return STANDS_ALONE if link == "folded_into" else WITHOUT_TICKET


def _begins(signal: Signal) -> State:
    if signal.closed_at_source:
        return State.RESOLVED
    return State.NEEDS_REVIEW if signal.left_out or signal.company_id is None else State.NEW
