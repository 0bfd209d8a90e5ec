"""How much one run may use before it parks for a person (I15): every limit stands here.

The numbers are TRUST's defaults; tokens, money and time are ours. They hold for the time since a person last spoke in
the session: whoever writes in it, starts it or gives it its course renews them (`renew_budgets`).
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models.functions import Now

from approvals.models import Action, Origin
from junto.tenants.models import Organization

#: Answers of the model.
MAX_STEPS = 50
#: Tokens that its model calls may read and write together.
MAX_TOKENS = 2_000_000
#: What its model calls may cost, in millionths of a US cent: 5 $.
MAX_COST_MICROCENTS = 500 * 1_000_000
#: Seconds of work, waiting for people left out.
MAX_WORK_SECONDS = 60 * 60
#: Calls of one answer that are taken up.
MAX_CALLS_AT_ONCE = 20
#: Tool calls, reads and writes together, that one origin may propose.
MAX_CALLS = 100
#: Writes that may leave for one origin.
MAX_WRITES = 10
#: Writes that may leave unattended for one organization within an hour.
MAX_UNATTENDED_AN_HOUR = 100


def renew_budgets(*, origin_id: UUID, organization: Organization) -> None:
    """A person spoke: calls, changes and questions in vain are counted from here on."""
    rows = Origin.objects.for_organization(organization).filter(pk=origin_id)
    rows.update(calls_used=0, writes_used=0, asked_in_vain=0)


def calls_spent(origin: Origin) -> str:
    """Why `origin` may propose no further call; empty while it may."""
    if origin.calls_used < MAX_CALLS:
        return ""
    return f"This run has used its {MAX_CALLS} tool calls and parks for a person: nothing more is looked up or done."


def writes_spent(origin: Origin) -> str:
    """Why `origin` may change nothing more; empty while it may."""
    if origin.writes_used < MAX_WRITES:
        return ""
    return f"This run has made its {MAX_WRITES} changes: a person decides on any more."


def unattended_spent(organization: Organization) -> str:
    """Why no further unattended write may leave for `organization` now; empty while it may."""
    recent = Action.objects.for_organization(organization).filter(
        unattended=True, claimed_at__gt=Now() - timedelta(hours=1)
    )
    if recent.exclude(category="read").count() < MAX_UNATTENDED_AN_HOUR:
        return ""
    return f"{MAX_UNATTENDED_AN_HOUR} unattended changes were made within an hour: the next ones wait for a person."
