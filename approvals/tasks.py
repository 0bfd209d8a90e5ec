"""What bells and the clock wake: running what was decided, and finding what was forgotten."""

from __future__ import annotations

from uuid import UUID

from django_tasks import task

from approvals.execution import execute_action, reconcile_action, run_read
from approvals.models import Action
from approvals.sweeps import expire_actions, give_up_stale_claims, ring_forgotten


@task
def run_action(action_id: str) -> None:
    """Bring one action a step further, by what its row says: run it, read again, or look for its outcome."""
    action = Action.unscoped.select_related("organization", "company", "origin").filter(pk=UUID(action_id)).first()
    if action is None:
        return
    if action.state == Action.State.APPROVED:
        execute_action(action.pk)
    elif action.state == Action.State.PROPOSED and not action.is_write:
        run_read(action)
    elif action.state == Action.State.UNKNOWN:
        reconcile_action(action.pk)


@task
def sweep_actions(_: str = "") -> None:
    """End what is over, give up what died, ring for what was forgotten. Only the first two change rows."""
    ring_forgotten()
    expire_actions()
    give_up_stale_claims()
