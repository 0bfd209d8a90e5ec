"""What was folded into a signal that no longer stands for it stands for itself again: nothing is lost under another.

A signal stands for those folded into it, and a ticket opened here for its alert, only within its own company, and only
while its source still has it: one that moved, was deleted or was merged away there speaks for nobody else.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Final, Literal, NamedTuple

from django.db.models import F, Q
from django.utils import timezone

from junto.tenants.models import Organization
from junto.tenants.scoping import TenantQuerySet
from signals.models import Signal

State = Signal.State

STANDS_ALONE: Final = "What it was folded into moved to another company, or is gone at its source."
WITHOUT_TICKET: Final = "Its ticket moved to another company, or is gone at its source."


class Stray(NamedTuple):
    """A signal that another one no longer stands for, and the column that still names that one."""

    signal: Signal
    link: Literal["folded_into", "ticket"]


def strays_of(organization: Organization, written: Collection[uuid.UUID] | None) -> list[Stray]:
    """Those of `written`, and those under one of them, that the signal they are under does not stand for; None = all.

    A row of a file stays with its ticket: it tells of nothing that stands anywhere.
    """
    rows: TenantQuerySet[Signal] = Signal.objects.for_organization(organization)
    left = rows.exclude(alert_type="")
    found = [*_loose(rows, "folded_into", written), *_loose(left, "ticket", written)]
    return sorted(found, key=lambda one: (one.signal.source_created_at, one.signal.external_id))


def _loose(
    rows: TenantQuerySet[Signal], link: Literal["folded_into", "ticket"], written: Collection[uuid.UUID] | None
) -> list[Stray]:
    under = rows.exclude(**{link: None})
    if written is not None:
        under = under.filter(Q(**{f"{link}__in": written}) | Q(pk__in=written))
    ended = Q(**{f"{link}__state": State.GONE})
    # a head that was folded further took with it what stood under it: this one was merged by its source
    ended |= Q(**{f"{link}__state": State.MERGED, f"{link}__folded_into": None})
    elsewhere = ~Q(**{f"{link}__company": F("company")}) | Q(company=None) | Q(**{f"{link}__company": None})
    found = under.filter(ended | elsewhere).select_related("connection", "board", "device")
    return [Stray(signal, link) for signal in found.defer("raw", "description", "words")]


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
        setattr(signal, link, None)
        columns: dict[str, object] = {link: None}
        under_another = signal.folded_into_id or signal.ticket_id
        # one that its source merged or deleted stays that; so does the row that a ticket left when it was taken over
        if signal.state == State.MERGED and not signal.merged_into and signal.connection_id and not under_another:
            signal.state, signal.awaits_processors = _begins(signal), True
            signal.state_reason = STANDS_ALONE if link == "folded_into" else WITHOUT_TICKET
            columns |= {"state": signal.state, "state_reason": signal.state_reason, "awaits_processors": True}
        rows.filter(pk=signal.pk).update(**columns, changed_at=timezone.now())
        freed.append(signal)
    return freed


def _begins(signal: Signal) -> State:
    if signal.closed_at_source:
        return State.RESOLVED
    return State.NEEDS_REVIEW if signal.left_out or signal.company_id is None else State.NEW
