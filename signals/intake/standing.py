"""Keeping what stands on signals in approvals true while their source changes them (HOUSE 3)."""

from __future__ import annotations

from collections.abc import Sequence

from approvals.models import Origin
from approvals.services import move_subject, stop_origin
from junto.tenants.actors import Actor
from signals.models import Signal


def tell_origins(signals: Sequence[Signal], *, actor: Actor) -> None:
    """Give the Origin rows of these signals their revision and company; one deleted or merged stops what runs on it."""
    if not signals:
        return
    organization = actor.organization
    by_subject = {signal.origin_subject: signal for signal in signals}
    standing = Origin.objects.for_organization(organization).filter(
        subject__in=by_subject, closed_at=None, stopped_at=None
    )
    moved: set[str] = set()
    for origin in standing:
        signal = by_subject[origin.subject]
        if signal.state == Signal.State.GONE:
            stop_origin(origin=origin, actor=actor, reason="The ticket was deleted at the source.")
        elif signal.state == Signal.State.MERGED:
            stop_origin(origin=origin, actor=actor, reason=signal.state_reason or "The ticket was merged.")
        else:
            moved.add(origin.subject)
    for subject in sorted(moved):
        signal = by_subject[subject]
        move_subject(organization=organization, subject=subject, company=signal.company, revision=signal.revision)
