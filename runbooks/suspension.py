"""Why a published runbook does not run unattended now: its approvals rest on people and tools that may change.

Nothing is stored: the reasons are read from the grants of the version in force at the moment of asking, as
`approvals.grants` does when an action is proposed. What comes back, holds again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from approvals.models import Grant
from approvals.services import may_decide
from integrations.errors import ToolRefused
from integrations.toolbox import toolbox
from integrations.tools import AnyTool
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Organization
from runbooks.models import Runbook


def suspended(runbooks: Iterable[Runbook]) -> dict[uuid.UUID, tuple[str, ...]]:
    """The reasons, by runbook, of those whose version in force has approvals that do not hold wherever it counts."""
    return _reasons(list(runbooks), None)


def suspended_at(runbook: Runbook, company: Company) -> tuple[str, ...]:
    """The reasons why it does not run unattended for `company`; none = it may."""
    return _reasons([runbook], company).get(runbook.pk, ())


def _reasons(runbooks: list[Runbook], company: Company | None) -> dict[uuid.UUID, tuple[str, ...]]:
    pins = {
        f"{runbook.pk}:{runbook.published_number}": runbook.pk
        for runbook in runbooks
        if runbook.status == Runbook.Status.PUBLISHED
    }
    if not pins:
        return {}
    standing = (
        Grant.objects.for_organization(runbooks[0].organization)
        .filter(Q(kind=Grant.Kind.RUNBOOK), runbook__in=pins, revoked_at=None)
        .select_related("issued_by__user", "issued_by__organization", "company", "organization")
        .order_by("issued_at", "id")
    )
    rests = _Rests(timezone.now())
    found: dict[uuid.UUID, dict[str, None]] = {}
    for grant in standing:
        reason = rests.reason(grant, company or grant.company or grant.organization)
        if reason:
            found.setdefault(pins[grant.runbook], {})[reason] = None
    return {runbook_id: tuple(reasons) for runbook_id, reasons in found.items()}


class _Rests:
    """Asks about many grants; each issuer is read once."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.issuers: dict[uuid.UUID, Actor] = {}

    def reason(self, grant: Grant, where: Company | Organization) -> str:
        """Why the grant does not hold there; empty where it does."""
        tool = _tool(grant)
        if tool is None:
            return f"There is no tool {grant.tool} any more. Change the text and publish again."
        if tool.pin != grant.tool_pin:
            return f"What {tool.label} does was changed after publishing. Read it and publish again."
        if grant.expires_at is not None and grant.expires_at <= self.now:
            return f"Its approvals ended on {grant.expires_at:%-d %b %Y}. Publish again to renew them."
        if not grant.step:
            return (
                "Its approvals are older than their tie to the steps, and count at none. Publish again to renew them."
            )
        issuer = self._issuer(grant)
        if may_decide(issuer, risk=tool.risk, flags=tool.flags, company=where):
            return ""
        place = where.name if isinstance(where, Company) else "all companies"
        return (
            f"{issuer.label} published it and may no longer decide {tool.label} for {place}. "
            "Somebody who may can publish it again."
        )

    def _issuer(self, grant: Grant) -> Actor:
        member = grant.issued_by
        if member.pk not in self.issuers:
            self.issuers[member.pk] = Actor.person(member)
        return self.issuers[member.pk]


def _tool(grant: Grant) -> AnyTool | None:
    try:
        return toolbox(grant.organization).get(grant.tool)
    except ToolRefused:
        return None
