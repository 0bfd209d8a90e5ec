"""Telling people of what a processor found, where an Admin asked for that: an escalation without a rule, once each."""

from __future__ import annotations

from junto.audit.services import record
from junto.bells import ring
from junto.inbox.services import notify
from junto.tenants.actors import Actor
from junto.tenants.models import Membership
from junto.tenants.permissions import Permission
from signals.models import EscalationFiring, ProcessorResult, Signal


def escalate_finding(result: ProcessorResult, signal: Signal, *, words: str) -> EscalationFiring:
    """Write the escalation down and tell whoever may see escalations, and this ticket. Call it in a transaction.

    It stands on the ticket's page with the processor's reason, as that of a rule does.
    """
    told = _told(signal)
    firing = EscalationFiring(
        organization=signal.organization,
        signal=signal,
        result=result,
        words=words[:80],
        reason=f"{result.reason} ({round(result.confidence * 100)} % sure.)"[:300],
        told=[member.user.display_name for member in told],
    )
    firing.save(force_insert=True)
    record(Actor.system("processor", signal.organization), "signal.escalated", signal, {"rule": words})
    ring("signal.escalated", str(signal.pk))
    notify(
        members=told,
        kind="signal.escalated",
        title=f"{words}: {signal}",
        body=signal.company.name if signal.company else "Company not known",
        path=f"signals/{signal.pk}/",
        subject=f"signal:{signal.pk}:{result.pk.hex[:8]}",
    )
    return firing


def _told(signal: Signal) -> list[Membership]:
    """The members who may see escalations, and tickets of this company."""
    rows = Membership.objects.for_organization(signal.organization).filter(is_active=True, user__is_active=True)
    where = signal.company or signal.organization
    found = []
    for member in rows.select_related("user", "organization").order_by("user__last_name", "pk"):
        actor = Actor.person(member)
        if actor.can(Permission.VIEW_ESCALATIONS) and actor.can(Permission.VIEW_WORK, where):
            found.append(member)
    return found
