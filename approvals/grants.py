"""Standing approvals as rows: issued by a person who answers for them, revoked, and read for `policy.evaluate`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from pydantic import JsonValue

from approvals.errors import NotYours
from approvals.models import Action, ApprovalPolicy, Grant, Origin
from approvals.people import may_decide
from approvals.policy import GrantRule, Mode, PolicyRule
from integrations.tools import AnyTool
from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Organization

#: An action in one of these states used nothing of its grant: it never ran, or is known to have changed nothing.
GIVES_BACK = (
    Action.State.FAILED,
    Action.State.REFUSED,
    Action.State.DENIED,
    Action.State.EXPIRED,
    Action.State.DRIFTED,
    Action.State.SUPERSEDED,
    Action.State.CANCELLED,
)


@dataclass(frozen=True)
class GrantDraft:
    """A grant that somebody is about to answer for. `company` None = every company of the organization."""

    kind: Literal["runbook", "processor"]
    tool: AnyTool
    words: str
    rules: Mapping[str, Mapping[str, JsonValue]]
    company: Company | None = None
    origin: Origin | None = None
    runbook: str = ""
    step: str = ""
    max_count: int | None = 1
    expires_at: datetime | None = None


@transaction.atomic
def issue_grants(*, actor: Actor, drafts: Iterable[GrantDraft]) -> list[Grant]:
    """Write standing approvals for which `actor` answers, all or none.

    Raises:
        NotYours: `actor` may not decide one of the tools wherever its grant would reach.
    """
    issued = []
    for draft in drafts:
        membership = actor.membership
        if membership is None or not _may_answer(actor, draft):
            raise NotYours(f"You may not decide {draft.tool.name} there, so you cannot grant it.")
        grant = Grant(
            organization=actor.organization,
            kind=draft.kind,
            tool=draft.tool.name,
            tool_pin=draft.tool.pin,
            company=draft.company,
            origin=draft.origin,
            runbook=draft.runbook,
            step=draft.step,
            rules={name: dict(rule) for name, rule in draft.rules.items()},
            words=draft.words,
            max_count=draft.max_count,
            issued_by=membership,
            expires_at=draft.expires_at,
        )
        issued.append(_save(grant, actor))
    return issued


def issue_session_grant(*, action: Action, actor: Actor) -> Grant:
    """The grant that "Approve for this session" is: the same tool at its pin, for this company, in this session.

    The caller has checked that `actor` may decide it, and is inside the transaction of the decision.
    """
    if actor.membership is None:
        raise NotYours("Only a person grants.")
    grant = Grant(
        organization=action.organization,
        kind=Grant.Kind.SESSION,
        tool=action.tool,
        tool_pin=action.tool_pin,
        company=action.company,
        origin=action.origin,
        words=f"{action.tool} for {action.company.name} in this session, with any arguments it accepts.",
        issued_by=actor.membership,
    )
    return _save(grant, actor)


@transaction.atomic
def revoke_grants(*, actor: Actor, grants: Iterable[Grant], reason: str) -> int:
    """End standing approvals at once; how many still stood. What they let begin is not undone."""
    ended = 0
    for grant in grants:
        rows = Grant.objects.for_organization(actor.organization).filter(pk=grant.pk, revoked_at=None)
        if rows.update(revoked_at=timezone.now()):
            record(actor, "grant.revoked", grant, {"words": grant.words, "reason": reason})
            ended += 1
    return ended


def end_session_grants(*, organization: Organization, tool: str) -> int:
    """End what people approved for the rest of their sessions, as it is not the tool any more that they saw; how many.

    Runbooks' standing approvals stay: they hold for their pin only, and the runbook's page says that they do not hold.
    """
    standing = Grant.objects.for_organization(organization).filter(kind=Grant.Kind.SESSION, tool=tool, revoked_at=None)
    reason = "The tool is blocked: its server changed it, or is another."
    return revoke_grants(actor=Actor.system("mcp", organization), grants=list(standing), reason=reason)


def grant_rules(*, origin: Origin, tool: AnyTool) -> list[GrantRule]:
    """The grants of `tool` in force for `origin` now; those whose issuer may no longer decide the tool are left out."""
    rows: list[Grant] = list(
        Grant.objects.for_organization(origin.organization)
        .filter(
            Q(expires_at=None) | Q(expires_at__gt=Now()),
            Q(origin=None) | Q(origin=origin),
            Q(company=None) | Q(company=origin.company_id),
            tool=tool.name,
            revoked_at=None,
        )
        .prefetch_related("issued_by__user", "issued_by__organization")
        .order_by("issued_at", "id")
    )
    used, today = _used(origin, rows), _used_today(rows)
    entitled: dict[object, bool] = {}
    found = []
    for row in rows:
        if row.issued_by_id not in entitled:
            entitled[row.issued_by_id] = may_decide(
                Actor.person(row.issued_by), risk=tool.risk, flags=tool.flags, company=origin.company
            )
        if entitled[row.issued_by_id]:
            found.append(_rule(row, used=used[row.pk], today=today[row.pk]))
    return found


def _used(origin: Origin, grants: Iterable[Grant]) -> Counter[UUID]:
    """How often `origin` used each of those grants that are limited by number."""
    limited = [grant.pk for grant in grants if grant.max_count is not None]
    if not limited:
        return Counter()
    rows = Action.objects.for_organization(origin.organization).filter(origin=origin, grant__in=limited)
    return Counter(rows.exclude(state__in=GIVES_BACK).order_by().values_list("grant", flat=True))


def _used_today(grants: Iterable[Grant]) -> Counter[UUID]:
    """How often each of those that are limited by the day was used within the last 24 hours, by any origin."""
    limited = [grant for grant in grants if grant.most_a_day is not None]
    if not limited:
        return Counter()
    rows = Action.objects.for_organization(limited[0].organization).filter(
        grant__in=limited, created_at__gt=Now() - timedelta(days=1)
    )
    return Counter(rows.exclude(state__in=GIVES_BACK).order_by().values_list("grant", flat=True))


def hold_grant(ref: str, *, organization: Organization) -> None:
    """Hold a grant to the end of the transaction, so that two origins do not both take the last of its day."""
    Grant.objects.for_organization(organization).select_for_update().filter(pk=ref).first()


def policy_rules(*, organization: Organization, tool: str | None = None) -> list[PolicyRule]:
    """What the organization's Admins set, for one tool or for all."""
    rows = ApprovalPolicy.objects.for_organization(organization)
    if tool is not None:
        rows = rows.filter(tool=tool)
    return [
        PolicyRule(
            ref=str(row.pk),
            tool=row.tool,
            mode=Mode(row.mode),
            company=str(row.company_id) if row.company_id else None,
            never_unattended=row.never_unattended,
        )
        for row in rows
    ]


def _rule(row: Grant, *, used: int, today: int) -> GrantRule:
    left = [most - taken for most, taken in ((row.max_count, used), (row.most_a_day, today)) if most is not None]
    return GrantRule(
        ref=str(row.pk),
        kind=cast(Literal["session", "runbook", "processor"], row.kind),
        tool=row.tool,
        pin=row.tool_pin,
        company=str(row.company_id) if row.company_id else None,
        origin=str(row.origin_id) if row.origin_id else None,
        runbook=row.runbook,
        step=row.step,
        rules=row.rules,
        left=min(left, default=None),
    )


def _may_answer(actor: Actor, draft: GrantDraft) -> bool:
    # on the organization a right means: for every company
    where = draft.company or actor.organization
    return may_decide(actor, risk=draft.tool.risk, flags=draft.tool.flags, company=where)


def _save(grant: Grant, actor: Actor) -> Grant:
    grant.save(force_insert=True)
    record(actor, "grant.issued", grant, {"tool": grant.tool, "kind": grant.kind, "words": grant.words})
    return grant
