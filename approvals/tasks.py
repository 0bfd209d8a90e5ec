"""What bells and the clock wake: running what was decided, and finding what was forgotten."""

from __future__ import annotations

from uuid import UUID

from django_tasks import task

from approvals.execution import execute_action, reconcile_action, resume_read
from approvals.grants import end_session_grants
from approvals.models import Action
from approvals.origins import stop_company
from approvals.overrides import forget_policies
from approvals.sweeps import (
    drop_records,
    expire_actions,
    forget_blocked_policies,
    give_up_stale_claims,
    ring_forgotten,
    wipe_secrets,
)
from approvals.watching import look_again
from junto.tenants.models import Company, Organization


@task(queue_name="actions")
def run_action(action_id: str) -> None:
    """Bring one action a step further, by what its row says: run it, read again, or look for its outcome."""
    key = UUID(action_id)
    state = Action.unscoped.filter(pk=key).values_list("state", flat=True).first()
    if state == Action.State.APPROVED:
        execute_action(key)
    elif state == Action.State.PROPOSED:
        resume_read(key)
    elif state == Action.State.UNKNOWN:
        reconcile_action(key)


@task(queue_name="actions")
def look_again_at_target(action_id: str) -> None:
    """There is news of what a waiting request is about."""
    look_again(UUID(action_id))


@task(queue_name="actions")
def stop_ended_company(company_id: str) -> None:
    """Work for a company ended: what goes on there stops."""
    company = Company.unscoped.select_related("organization").filter(pk=company_id, is_active=False).first()
    if company is not None:
        stop_company(company)


@task
def forget_tool_policies(key: str) -> None:
    """A tool of an MCP server is blocked (`<organization>/<tool>`): milder policies and session approvals of it end."""
    organization_id, _, tool = key.partition("/")
    organization = Organization.objects.filter(pk=organization_id).first()
    if organization is not None:
        forget_policies(organization=organization, tool=tool)
        end_session_grants(organization=organization, tool=tool)


@task
def sweep_actions(_: str = "") -> None:
    """End what is over, give up what died, wipe what was kept long enough, ring for what was forgotten or not heard."""
    ring_forgotten()
    wipe_secrets()
    drop_records()
    expire_actions()
    give_up_stale_claims()
    forget_blocked_policies()
