"""Admins' words on tools: stricter or milder for the organization, only stricter for one company (PRODUCT 7)."""

from __future__ import annotations

from django.db import transaction

from approvals.grants import policy_rules
from approvals.models import ApprovalPolicy
from approvals.policy import Mode, ToolFacts, effective_policy
from integrations.tools import AnyTool
from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Organization
from junto.tenants.permissions import Permission, require

#: What lets a tool run with fewer questions than always asking.
MILDER = (Mode.AUTO.value, Mode.ONCE.value)


class PolicyRefused(ValueError):
    """The policy cannot be set so; the message says why."""


@transaction.atomic
def set_policy(
    *,
    actor: Actor,
    tool: AnyTool,
    mode: Mode | None,
    company: Company | None = None,
    never_unattended: bool = False,
) -> ApprovalPolicy | None:
    """Say when `tool` asks, in the organization or at `company`; in force at the next claim.

    `mode` None inherits what stands above, and the row goes unless it still forbids unattended use. Returns the row.

    Raises:
        PolicyRefused: a company would be milder than its organization.
        PermissionDenied: `actor` may not manage policies, or `company` is not of its organization.
    """
    require(actor, Permission.MANAGE_POLICIES)
    if company is not None:
        require(actor, Permission.VIEW_WORK, company)
    above = effective_policy(
        ToolFacts.of(tool),
        None,
        [] if company is None else policy_rules(organization=actor.organization, tool=tool.name),
    )
    if company is not None and mode is not None and mode.strictness < above.mode.strictness:
        raise PolicyRefused("A company can only be stricter than the organization.")
    if mode is None and never_unattended:
        mode = above.mode
    rows = ApprovalPolicy.objects.for_organization(actor.organization).filter(tool=tool.name, company=company)
    former = rows.select_for_update().first()
    before = {"mode": former.mode, "never_unattended": former.never_unattended} if former else None
    if mode is None:
        _forget(former, actor, tool, company)
        return None
    row = former or ApprovalPolicy(organization=actor.organization, tool=tool.name, company=company)
    row.mode, row.never_unattended = mode.value, never_unattended
    if actor.membership is None:
        raise PolicyRefused("Only a person sets a policy.")
    row.set_by = actor.membership
    row.save()
    detail = {"mode": mode.value, "never_unattended": never_unattended, "before": before}
    record(actor, "policy.set", row, {"tool": tool.name, "company": str(company.pk) if company else None, **detail})
    return row


@transaction.atomic
def forget_policies(*, organization: Organization, tool: str) -> int:
    """Take back what lets a tool run with fewer questions, as it is not the tool any more that this was said of.

    What makes it ask more, or switches it off, stays; of a row that does both, the mode is made to ask always. Returns
    how many.
    """
    rows = ApprovalPolicy.objects.for_organization(organization).filter(tool=tool, mode__in=MILDER)
    milder = list(rows.select_for_update())
    for row in milder:
        company = str(row.company_id) if row.company_id else None
        detail = {"tool": tool, "company": company, "before": row.mode}
        if row.never_unattended:
            row.mode = Mode.ALWAYS.value
            row.save(update_fields=["mode"])
            record(Actor.system("mcp", organization), "policy.set", row, {**detail, "mode": row.mode})
        else:
            record(Actor.system("mcp", organization), "policy.removed", row, detail)
            row.delete()
    return len(milder)


def _forget(former: ApprovalPolicy | None, actor: Actor, tool: AnyTool, company: Company | None) -> None:
    if former is None:
        return
    detail = {"tool": tool.name, "company": str(company.pk) if company else None, "before": former.mode}
    record(actor, "policy.removed", former, detail)
    former.delete()
