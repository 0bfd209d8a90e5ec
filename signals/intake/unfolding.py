"""What was folded into a signal that no longer stands for it stands for itself again: nothing is lost under another.

A signal stands for those folded into it only within its own company, and only while its source still has it: one that
moved, was deleted or was merged away there speaks for nobody else.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Final

from django.db.models import F, Q
from django.utils import timezone

from junto.tenants.models import Organization
from junto.tenants.scoping import TenantQuerySet
from signals.models import Signal

State = Signal.State

STANDS_ALONE: Final = "What it was folded into moved to another company, or is gone at its source."


def strays_of(organization: Organization, written: Collection[uuid.UUID]) -> list[Signal]:
    """Those of `written`, and those folded into one of them, that what they are folded into does not stand for."""
    rows: TenantQuerySet[Signal] = Signal.objects.for_organization(organization).exclude(folded_into=None)
    rows = rows.filter(Q(folded_into__in=written) | Q(pk__in=written))
    ended = Q(folded_into__state=State.GONE)
    # a head that was folded further took with it what stood under it: this one was merged by its source
    ended |= Q(folded_into__state=State.MERGED, folded_into__folded_into=None)
    elsewhere = ~Q(folded_into__company=F("company")) | Q(company=None) | Q(folded_into__company=None)
    found = rows.filter(ended | elsewhere).select_related("connection", "board", "device")
    return list(found.defer("raw", "description", "words").order_by("source_created_at", "external_id"))


def unfold(organization: Organization, strays: Sequence[Signal], *, shown: Sequence[Signal]) -> list[Signal]:
    """Let these stand for themselves, as a person's parting does, but free to fold anew; returns them.

    Call under the lock on their companies. Of those that `shown` holds, its own rows are returned and show the new
    state. What its source closed is resolved; what nobody knows the company of waits for a person.
    """
    rows: TenantQuerySet[Signal] = Signal.objects.for_organization(organization)
    known = {signal.pk: signal for signal in shown}
    freed = []
    for stray in strays:
        signal = known.get(stray.pk, stray)
        signal.folded_into = None
        columns: dict[str, object] = {"folded_into": None}
        # one that its source merged or deleted stays that, and so does the ticket that its alert took over
        if signal.state == State.MERGED and not signal.merged_into and signal.connection_id and not signal.ticket_id:
            signal.state, signal.state_reason, signal.awaits_processors = _begins(signal), STANDS_ALONE, True
            columns |= {"state": signal.state, "state_reason": STANDS_ALONE, "awaits_processors": True}
        rows.filter(pk=signal.pk).update(**columns, changed_at=timezone.now())
        freed.append(signal)
    return freed


def _begins(signal: Signal) -> State:
    if signal.closed_at_source:
        return State.RESOLVED
    return State.NEEDS_REVIEW if signal.left_out or signal.company_id is None else State.NEW
