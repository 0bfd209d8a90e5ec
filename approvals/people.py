"""Who may decide an action, asked of guardian for one person and of the role table for many."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, TextField
from django.db.models.functions import Cast, Now

from approvals.models import Action, Decision
from approvals.querysets import ActionQuerySet
from integrations.tools import Flag, Risk
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Membership, Organization
from junto.tenants.permissions import ROLE_PERMISSIONS, Permission, Role

#: Risk -> the right to decide it, lowest first.
DECIDE: dict[str, Permission] = {
    Risk.LOW: Permission.DECIDE_LOW,
    Risk.MEDIUM: Permission.DECIDE_MEDIUM,
    Risk.HIGH: Permission.DECIDE_HIGH,
}


@dataclass(frozen=True)
class Deciders:
    """Who may decide one action: the members there are now, and the same in words."""

    permission: Permission
    members: tuple[Membership, ...]
    words: str


def may_decide(actor: Actor, *, risk: str, flags: Collection[str], company: Company | Organization) -> bool:
    """Whether `actor` may approve or modify such an action at `company` at this moment (I4). Never a token or worker.

    Asked of the organization, it means: at every one of its companies.
    """
    if actor.kind != "person" or actor.membership is None:
        return False
    if Flag.BILLING_EFFECT in flags and not actor.membership.billing_tools:
        return False
    return actor.can(DECIDE[risk], company)


def may_decide_action(actor: Actor, action: Action) -> bool:
    """`may_decide` for an action as it is stored."""
    return may_decide(actor, risk=action.risk, flags=action.flags, company=action.company)


def waiting_for(actor: Actor) -> ActionQuerySet:
    """What waits for this person: requests they may still decide, and unknown outcomes they may settle.

    The same rule as `may_decide_action`, asked of the database: badge, dashboard and queue count with it. What this
    person approved already, and what needs somebody else beside them, does not wait for them.
    """
    rows: ActionQuerySet = Action.objects.visible_to(actor)
    if actor.kind != "person" or actor.membership is None:
        return rows.none()
    risks = [risk for risk, right in DECIDE.items() if actor.can_anywhere(right)]
    spoken = Decision.objects.for_organization(actor.organization).filter(
        action=OuterRef("pk"), membership=actor.membership
    )
    rows = rows.filter(
        Q(state=Action.State.WAITING, expires_at__gt=Now()) & ~Exists(spoken) | Q(state=Action.State.UNKNOWN),
        risk__in=risks,
    )
    if not actor.membership.billing_tools:
        billed = f'"{Flag.BILLING_EFFECT}"'
        rows = rows.annotate(flag_words=Cast("flags", TextField())).exclude(flag_words__contains=billed)
    return rows.select_related("organization", "company", "origin")


def who_may_decide(action: Action) -> Deciders:
    """Everyone who may decide `action` now."""
    permission = DECIDE[action.risk]
    return Deciders(
        permission=permission,
        members=tuple(deciders(permission, flags=action.flags, company=action.company)),
        words=who_decides_words(risk=action.risk, flags=action.flags),
    )


def who_decides_words(*, risk: str, flags: Collection[str]) -> str:
    """Who may decide such an action, as in "Operators and above may decide."."""
    return f"{role_words(DECIDE[risk])}{_billing_words(flags)} may decide."


def deciders(permission: Permission, *, flags: Collection[str], company: Company) -> list[Membership]:
    """Active members whose role holds `permission` and who reach `company`, with the billing flag where it is asked."""
    found = (
        Membership.objects.for_organization(company.organization)
        .filter(is_active=True, user__is_active=True, role__in=_roles(permission))
        .filter(Q(all_companies=True) | Q(companies=company))
        .select_related("user", "organization")
        .distinct()
    )
    if Flag.BILLING_EFFECT in flags:
        found = found.filter(billing_tools=True)
    return list(found)


def needs_two(*, flags: Collection[str], company: Company, risk: str) -> bool:
    """Four eyes: an irreversible action needs a second, distinct person where two could decide it (I5)."""
    return Flag.IRREVERSIBLE in flags and len(deciders(DECIDE[risk], flags=flags, company=company)) >= 2


def rights_that_suffice(risk: str) -> list[Permission]:
    """The rights that may decide `risk`, lowest first."""
    order = list(DECIDE.values())
    return order[order.index(DECIDE[risk]) :]


def role_words(permission: Permission) -> str:
    """The roles that hold `permission`, as in "Operators and above"."""
    roles = _roles(permission)
    lowest = max(roles, key=lambda role: role.rank)
    return f"{lowest.value.capitalize()}s{' and above' if len(roles) > 1 else ''}"


def _roles(permission: Permission) -> list[Role]:
    return [role for role in Role if permission in ROLE_PERMISSIONS[role]]


def _billing_words(flags: Collection[str]) -> str:
    return " with the right to billing tools" if Flag.BILLING_EFFECT in flags else ""
