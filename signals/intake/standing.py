"""Keeping what stands on signals in approvals true while their source, or a person, changes them (HOUSE 3)."""

from __future__ import annotations

from collections.abc import Sequence

from approvals.models import Action, Origin
from approvals.services import move_subject, stop_origin
from junto.tenants.actors import Actor
from signals.models import Signal
from signals.write_back.wishes import PUT_BACK


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


def end_requests(signal: Signal, *, actor: Actor) -> None:
    """Withdraw what was asked for by hand, or by a rule, on a signal that `actor` closes and that nobody decided yet.

    What was approved still runs, and what is to be put back at the source still waits: closing takes back neither.
    """
    asked = Origin.objects.for_organization(signal.organization).filter(
        subject=signal.origin_subject, kind=Origin.Kind.BY_HAND, stopped_at=None, closed_at=None
    )
    waiting = asked.filter(actions__state=Action.State.WAITING).exclude(key__startswith=PUT_BACK)
    for origin in waiting.exclude(actions__state=Action.State.APPROVED).distinct():
        stop_origin(origin=origin, actor=actor, reason=f"{actor.label} closed the signal before this was decided.")
