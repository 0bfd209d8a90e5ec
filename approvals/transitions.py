"""Every move of an action: the row, its audit entry and its bell, in one transaction (I14)."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models.functions import Now

from approvals.models import Action, StaleState
from approvals.querysets import ActionQuerySet
from junto.audit.services import record
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.models import Organization


def enter(action: Action, *, actor: Actor, detail: Mapping[str, object] | None = None) -> Action:
    """Write a new action in the state it was given. Call inside a transaction."""
    action.save(force_insert=True)
    _tell(action, actor, detail)
    return action


def move(
    action: Action,
    *,
    to: Action.State,
    frm: Action.State | tuple[Action.State, ...],
    actor: Actor,
    detail: Mapping[str, object] | None = None,
    within: ActionQuerySet | None = None,
    **changes: object,
) -> Action:
    """Move an action by compare-and-set; `changes` are written with it. Call inside a transaction.

    `within` holds further conditions of the one UPDATE.

    Raises:
        StaleState: it was no longer in `frm`.
    """
    action.move(to=to, frm=frm, within=within, **changes)
    _tell(action, actor, detail)
    return action


def expire(action: Action) -> Action:
    """End a request or an approval whose time is over; anything else stays as it is."""
    waiting, approved = Action.State.WAITING, Action.State.APPROVED
    reason = "Nobody decided in time." if action.state == waiting else "It could not be run in time."
    # asked in the same statement, by the database's clock: a decision may have come in between
    over = Action.objects.for_organization(action.organization).filter(expires_at__lte=Now())
    try:
        with transaction.atomic():
            return move(
                action,
                to=Action.State.EXPIRED,
                frm=waiting if action.state == waiting else approved,
                actor=worker(action.organization),
                within=over,
                reason=reason,
            )
    except StaleState:
        return action


def worker(organization: Organization) -> Actor:
    """The actor that audit entries name where no person acted."""
    return Actor.system("worker", organization)


def _tell(action: Action, actor: Actor, detail: Mapping[str, object] | None) -> None:
    facts: dict[str, object] = {
        "tool": action.tool,
        "title": action.title,
        "digest": action.digest,
        "company": str(action.company_id),
        "origin": str(action.origin_id),
    }
    if action.reason:
        facts["reason"] = action.reason
    record(actor, f"action.{action.state}", action, {**facts, **(detail or {})})
    ring("action.changed", str(action.pk))
    if action.state == Action.State.APPROVED:
        ring("action.approved", str(action.pk))
