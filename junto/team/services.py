"""Who belongs to an organization, and as what. Rows, groups and log change in one transaction.

Nobody grants a role at or above their own, nor touches a member who has one, unless they may transfer the ownership;
the last holder of the top role stays (PRODUCT 1).
"""

from __future__ import annotations

from collections.abc import Iterable

from django.core import exceptions
from django.db import transaction

from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.groups import join_role_group, leave_role_groups
from junto.tenants.models import Company, Membership, User
from junto.tenants.permissions import Permission, Role, require


class TeamError(ValueError):
    """A change of the team that cannot be made; the message is meant for the person who tried."""


class AlreadyMember(TeamError):
    """The user belongs to the organization already."""


class LastOwner(TeamError):
    """The change would leave the organization without anybody in its top role."""

    def __init__(self) -> None:
        super().__init__(
            f"The last {Role.top().name.capitalize()} of an organization stays. Make somebody else one first."
        )


class RoleTooHigh(exceptions.PermissionDenied):
    """The role in question is not below the one of who wants to grant or change it."""

    def __init__(self, role: Role) -> None:
        super().__init__(f"Only a higher role than {role.name.capitalize()} may do this.")


@transaction.atomic
def add_member(
    *,
    actor: Actor,
    user: User,
    role: Role,
    all_companies: bool = False,
    companies: Iterable[Company] = (),
    psa_member: str = "",
) -> Membership:
    """Make `user` a member, limited to `companies` unless `all_companies`; a former member comes back.

    Raises:
        PermissionDenied: the actor may not manage the team, or not grant this role or these companies.
        AlreadyMember: there is an active membership.
    """
    require_may_grant(actor, role, all_companies=all_companies, companies=companies)
    membership = Membership.objects.for_organization(actor.organization).filter(user=user).first()
    if membership is None:
        membership = Membership(organization=actor.organization, user=user)
    elif membership.is_active:
        raise AlreadyMember(f"{user.display_name} belongs to {actor.organization.name} already.")
    membership.role, membership.is_active, membership.billing_tools = role.value, True, False
    membership.all_companies, membership.psa_member = all_companies, psa_member
    membership.save()
    membership.companies.set([] if all_companies else companies)
    join_role_group(membership)
    record(actor, "member.added", membership, {"user": user.username, "role": role.value, **_reach(membership)})
    return membership


@transaction.atomic
def change_role(*, actor: Actor, membership: Membership, role: Role) -> Membership:
    """Give a member another role; it holds from their next request, frame or claim on.

    Raises:
        PermissionDenied: the actor may not grant the new role, or not touch the old one.
        LastOwner: nobody else would hold the top role.
    """
    require_may_grant(actor, role)
    locked = _lock_member(actor, membership)
    before = Role(locked.role)
    if before is role:
        return locked
    _keep_an_owner(locked)
    locked.role = role.value
    locked.save(update_fields=["role"])
    join_role_group(locked)
    record(actor, "member.role_changed", locked, {"from": before.value, "to": role.value})
    return locked


@transaction.atomic
def deactivate_member(*, actor: Actor, membership: Membership) -> Membership:
    """End a membership; every page, frame, push and claim refuses it from now on. Its history stays.

    Raises:
        PermissionDenied, LastOwner: as for `change_role`.
    """
    require(actor, Permission.MANAGE_TEAM)
    locked = _lock_member(actor, membership)
    _keep_an_owner(locked)
    locked.is_active = False
    locked.save(update_fields=["is_active"])
    leave_role_groups(locked)
    record(actor, "member.deactivated", locked, {"role": locked.role})
    return locked


@transaction.atomic
def limit_to_companies(
    *, actor: Actor, membership: Membership, all_companies: bool, companies: Iterable[Company] = ()
) -> Membership:
    """Say which companies a member reaches. None listed and not `all_companies` means none at all.

    Raises:
        PermissionDenied: as for `change_role`, or the actor does not reach a company that the member gains.
    """
    listed = list(companies)
    require(actor, Permission.MANAGE_TEAM)
    locked = _lock_member(actor, membership)
    held = set(locked.companies.all())
    _require_reach(actor, all_companies=all_companies, companies=[each for each in listed if each not in held])
    locked.all_companies = all_companies
    locked.save(update_fields=["all_companies"])
    locked.companies.set([] if all_companies else listed)
    record(actor, "member.companies_changed", locked, _reach(locked))
    return locked


@transaction.atomic
def set_billing_tools(*, actor: Actor, membership: Membership, allowed: bool) -> Membership:
    """Say whether a member may decide actions with a billing effect.

    Raises:
        PermissionDenied: the actor may not manage billing, or not touch this member.
    """
    require(actor, Permission.MANAGE_BILLING)
    locked = _lock_member(actor, membership)
    locked.billing_tools = allowed
    locked.save(update_fields=["billing_tools"])
    record(actor, "member.billing_tools_changed", locked, {"allowed": allowed})
    return locked


@transaction.atomic
def set_psa_member(*, actor: Actor, membership: Membership, psa_member: str) -> Membership:
    """Say which member of the PSA this person is, for their time entries and notes; empty = none.

    Raises:
        PermissionDenied: the actor may not manage the team, or not touch this member.
        TeamError: it is longer than a PSA's identifier, or another member is that one already.
    """
    require(actor, Permission.MANAGE_TEAM)
    locked = _lock_member(actor, membership)
    wanted = psa_member.strip()
    longest = Membership._meta.get_field("psa_member").max_length or 0
    if len(wanted) > longest:
        raise TeamError(f"A member's identifier in the PSA has at most {longest} characters.")
    others = Membership.objects.for_organization(actor.organization).filter(is_active=True).exclude(pk=locked.pk)
    if wanted and others.filter(psa_member__iexact=wanted).exists():
        raise TeamError(f"Somebody else is {wanted} in the PSA already.")
    locked.psa_member = wanted
    locked.save(update_fields=["psa_member"])
    record(actor, "member.psa_member_changed", locked, {"psa_member": wanted})
    return locked


@transaction.atomic
def transfer_ownership(*, actor: Actor, to: Membership) -> Membership:
    """Make `to` hold the top role and the actor the next lower one.

    Raises:
        PermissionDenied: the actor may not transfer the ownership, or is no person.
        Membership.DoesNotExist: `to` is no active member of the organization.
    """
    require(actor, Permission.TRANSFER_OWNERSHIP)
    members = Membership.objects.for_organization(actor.organization).select_for_update().filter(is_active=True)
    if actor.membership is None:
        raise TeamError("Only a person transfers the ownership.")
    heir, former = members.get(pk=to.pk), members.get(pk=actor.membership.pk)
    if heir.pk == former.pk:
        raise TeamError("You hold it already.")
    heir.role, heir.all_companies, former.role = Role.top().value, True, Role.top().below.value
    for each in (heir, former):
        each.save(update_fields=["role", "all_companies"])
        join_role_group(each)
    heir.companies.clear()
    record(actor, "organization.ownership_transferred", actor.organization, {"to": heir.user.username})
    return heir


def grantable_roles(actor: Actor) -> list[Role]:
    """The roles the actor may give away, highest first."""
    if not actor.can(Permission.MANAGE_TEAM) or actor.membership is None:
        return []
    if actor.can(Permission.TRANSFER_OWNERSHIP):
        return list(Role)
    own = Role(actor.membership.role).rank
    return [role for role in Role if role.rank > own]


def may_change(actor: Actor, membership: Membership) -> bool:
    """Whether the actor may change this member at all."""
    return Role(membership.role) in grantable_roles(actor)


def require_may_grant(
    actor: Actor, role: Role, *, all_companies: bool = False, companies: Iterable[Company] = ()
) -> None:
    """Return only when the actor may give away this role, with this reach.

    Raises:
        PermissionDenied: they may not manage the team, the role is not below their own, or the reach exceeds theirs.
    """
    require(actor, Permission.MANAGE_TEAM)
    if role not in grantable_roles(actor):
        raise RoleTooHigh(role)
    _require_reach(actor, all_companies=all_companies, companies=companies)


def _require_reach(actor: Actor, *, all_companies: bool, companies: Iterable[Company]) -> None:
    if all_companies and actor.companies is not None:
        raise exceptions.PermissionDenied("You do not reach all companies, so you cannot give them away.")
    for company in companies:
        require(actor, Permission.VIEW_WORK, company)


def _lock_member(actor: Actor, membership: Membership) -> Membership:
    members = Membership.objects.for_organization(actor.organization).select_for_update().filter(is_active=True)
    locked = members.select_related("user", "organization").get(pk=membership.pk)
    if not may_change(actor, locked):
        raise RoleTooHigh(Role(locked.role))
    return locked


def _keep_an_owner(leaving: Membership) -> None:
    holders = (
        Membership.objects.for_organization(leaving.organization)
        .select_for_update()
        .filter(is_active=True, user__is_active=True, role=Role.top())
        .exclude(pk=leaving.pk)
    )
    if leaving.role == Role.top() and not list(holders):
        raise LastOwner


def _reach(membership: Membership) -> dict[str, object]:
    listed = list(membership.companies.order_by("name").values_list("name", flat=True))
    return {"all_companies": membership.all_companies, "companies": listed}
