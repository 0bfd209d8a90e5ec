"""News of what a waiting request is about: its target is looked at again, and what changed withdraws it (PRODUCT 7)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from approvals.drift import drift, has_news
from approvals.execution import look_at_target
from approvals.models import Action, Origin, StaleState
from approvals.transitions import move, worker
from integrations.errors import IntegrationError, TargetRefused
from integrations.toolbox import toolbox

#: Seconds after the last look at which a target with news is looked at again: its system gave no answer then, or the
#: bell was lost.
LOOK_AGAIN_SECONDS = 60


def due_for_a_look() -> QuerySet[Action]:
    """Requests with news that no bell brought to a look, or that could not be looked at a while ago."""
    idle = Q(observed_at=None) | Q(observed_at__lte=Now() - timedelta(seconds=LOOK_AGAIN_SECONDS))
    return Action.unscoped.filter(idle, has_news())


def look_again(action_id: UUID) -> Action:
    """Withdraw a waiting request whose target is not as it was; returns it as it is then. Safe to call at any time.

    A system that gives no answer withdraws nothing: the claim looks by itself, and the sweep tries again.
    """
    action = Action.unscoped.select_related("organization", "company", "origin").get(pk=action_id)
    tools = toolbox(action.organization)
    if action.state != Action.State.WAITING or not action.is_write or action.tool not in tools:
        return action
    rows = Action.objects.for_organization(action.organization).filter(pk=action.pk)
    try:
        target_state = look_at_target(action, tools.get(action.tool))
    except TargetRefused as problem:
        return _withdraw(action, [str(problem)])
    except IntegrationError:
        rows.update(observed_at=Now())
        return action
    changed = drift(action, target_state)
    if changed:
        return _withdraw(action, changed)
    rows.filter(state=Action.State.WAITING).update(seen_revision=action.origin.revision, observed_at=Now())
    return action


def _withdraw(action: Action, changed: list[str]) -> Action:
    """End it, unless somebody decided meanwhile: then the claim sees what changed."""
    try:
        with transaction.atomic():
            # the origin first, as everywhere
            Origin.objects.for_organization(action.organization).select_for_update().get(pk=action.origin_id)
            return move(
                action,
                to=Action.State.DRIFTED,
                frm=Action.State.WAITING,
                actor=worker(action.organization),
                reason="\n".join(changed),
            )
    except StaleState:
        action.refresh_from_db()
    return action
