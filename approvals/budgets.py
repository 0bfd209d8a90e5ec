"""How much one run may use before it parks for a person (I15). The numbers are TRUST's defaults."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now

from approvals.models import Action, Origin
from junto.tenants.models import Organization

#: Tool calls, reads and writes together, that one origin may propose.
MAX_CALLS = 100
#: Writes that may leave for one origin.
MAX_WRITES = 10
#: Writes that may leave unattended for one organization within an hour.
MAX_UNATTENDED_AN_HOUR = 100


def calls_spent(origin: Origin) -> str:
    """Why `origin` may propose no further call; empty while it may."""
    if origin.calls_used < MAX_CALLS:
        return ""
    return f"This run has used its {MAX_CALLS} tool calls and parks for a person: nothing more is looked up or done."


def writes_spent(origin: Origin) -> str:
    """Why `origin` may change nothing more; empty while it may."""
    if origin.writes_used < MAX_WRITES:
        return ""
    return f"This run has made its {MAX_WRITES} changes and parks for a person."


def unattended_spent(organization: Organization) -> str:
    """Why no further unattended write may leave for `organization` now; empty while it may."""
    recent = Action.objects.for_organization(organization).filter(
        unattended=True, claimed_at__gt=Now() - timedelta(hours=1)
    )
    if recent.exclude(category="read").count() < MAX_UNATTENDED_AN_HOUR:
        return ""
    return f"{MAX_UNATTENDED_AN_HOUR} unattended changes were made within an hour: the next ones wait for a person."
