"""What a processor was not sure of holds its ticket for review until a person answers (docs/adr/0012).

Answered, dismissed or told by now, the ticket is new again. What already waits for a company, or was too large to be
kept whole, waits on for that.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from approvals.models import StaleState
from junto.bells import ring
from junto.tenants.scoping import TenantQuerySet
from signals.models import ReviewItem, Signal
from signals.processors import PROCESSORS
from signals.processors.base import AnyProcessor
from signals.processors.router import PROPOSED

_STATES = Signal.State
_NOUNS = {processor.slug: processor.noun or processor.label for processor in PROCESSORS}
#: Processors whose value says what a ticket is or where it belongs: while it is in doubt, nothing begins unattended.
DECISIVE = tuple(processor.slug for processor in PROCESSORS if processor.decisive)


def may_begin() -> Q:
    """Signals on which the agent may begin by itself: new ones, and those held for review by nothing but a doubt."""
    asked = ReviewItem.unscoped.filter(signal=OuterRef("pk"), state=ReviewItem.State.OPEN)
    in_doubt = Q(state=_STATES.NEEDS_REVIEW, company__isnull=False, left_out="") & Q(Exists(asked))
    return Q(state=_STATES.NEW) | in_doubt


def may_begin_unattended(signal: Signal) -> bool:
    """Whether nothing that is in doubt forbids a run that nobody asked for. Sessions may prepare it all the same."""
    asked = set(_asked(signal).values_list("processor", flat=True))
    if signal.state == _STATES.NEEDS_REVIEW and (signal.left_out or not asked):
        return False
    return asked.isdisjoint(DECISIVE)


@transaction.atomic
def reconsider(signal: Signal) -> None:
    """Hold the signal for review, or make it new again, by what is in doubt now; does nothing in other states."""
    signal.refresh_from_db(fields=["state", "state_reason", "company", "left_out"])
    if signal.company_id is None or signal.left_out:
        return
    asked = list(_asked(signal).order_by("created_at").values_list("processor", "result__reason"))
    proposed = all(reason.startswith(PROPOSED) for _, reason in asked)
    nouns = ", ".join(_NOUNS.get(slug, slug).lower() for slug, _ in asked)
    reason = f"{'Proposed' if proposed else 'Not sure'}: {nouns}."[:300] if asked else ""
    held = (_STATES.NEEDS_REVIEW, reason) if asked else (_STATES.NEW, "")
    if signal.state not in (_STATES.NEW, _STATES.NEEDS_REVIEW) or (signal.state, signal.state_reason) == held:
        return
    if signal.state == _STATES.NEW and not asked:
        return  # what it says of itself is of something else, as that its alert cleared
    try:
        signal.move(to=held[0], frm=[_STATES.NEW, _STATES.NEEDS_REVIEW], reason=reason)
    except StaleState:  # somebody began on it meanwhile
        return
    ring("signal.changed", str(signal.pk))


@transaction.atomic
def forget(processor: AnyProcessor, signals: TenantQuerySet[Signal]) -> None:
    """Ask nobody any more what `processor` was not sure of; of these signals, what nothing else holds is new again."""
    now = timezone.now()
    open_ones = signals.filter(state__in=Signal.OPEN)
    asked = ReviewItem.unscoped.filter(processor=processor.slug, state=ReviewItem.State.OPEN)
    asked.filter(signal__in=open_ones).update(state=ReviewItem.State.DROPPED, closed_at=now)
    others = ReviewItem.unscoped.filter(signal=OuterRef("pk"), state=ReviewItem.State.OPEN)
    held = open_ones.filter(~Exists(others), state=_STATES.NEEDS_REVIEW, company__isnull=False, left_out="")
    held.update(state=_STATES.NEW, state_reason="", changed_at=now)


def _asked(signal: Signal) -> TenantQuerySet[ReviewItem]:
    rows: TenantQuerySet[ReviewItem] = ReviewItem.objects.for_organization(signal.organization)
    return rows.filter(signal=signal, state=ReviewItem.State.OPEN)
