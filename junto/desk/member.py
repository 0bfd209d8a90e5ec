"""One member's page: companies they reach, what they may decide, who they are in the PSA; handing over the top."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from junto.desk.login import password_link
from junto.team.services import (
    TeamError,
    grantable_roles,
    limit_to_companies,
    may_change,
    set_billing_tools,
    set_psa_member,
    transfer_ownership,
)
from junto.tenants.access import MemberRequest
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Membership
from junto.tenants.permissions import Permission, Role, require


@require_safe
def member_page(request: MemberRequest, membership_id: UUID) -> HttpResponse:
    """Everything that can be changed about a member, each with a form of its own."""
    require(request.actor, Permission.MANAGE_TEAM)
    return _page(request, find_member(request.actor, membership_id))


@require_POST
def companies_view(request: MemberRequest, membership_id: UUID) -> HttpResponse:
    """Say which companies a member reaches."""

    def change(actor: Actor, member: Membership) -> str:
        everything = request.POST.get("reach") == "all"
        wanted = request.POST.getlist("companies")
        rows = {str(company.pk): company for company in Company.objects.visible_to(actor)}
        if not everything and not set(wanted) <= rows.keys():
            raise TeamError("One of the companies is not there any more. Nothing was changed; choose again.")
        # what the actor does not reach is neither shown nor taken away here
        kept = [] if everything else list(member.companies.exclude(pk__in=rows))
        changed = limit_to_companies(
            actor=actor,
            membership=member,
            all_companies=everything,
            companies=[*kept, *(rows[each] for each in wanted)],
        )
        return f"{member.user.display_name}: {_reach(changed, changed.companies.count()).lower()} from now on."

    return _change(request, membership_id, change)


@require_POST
def billing_view(request: MemberRequest, membership_id: UUID) -> HttpResponse:
    """Say whether a member may decide what costs money."""

    def change(actor: Actor, member: Membership) -> str:
        allowed = request.POST.get("billing") == "on"
        set_billing_tools(actor=actor, membership=member, allowed=allowed)
        return f"{member.user.display_name} may {'now' if allowed else 'no longer'} decide actions that cost money."

    return _change(request, membership_id, change)


@require_POST
def psa_view(request: MemberRequest, membership_id: UUID) -> HttpResponse:
    """Say who this person is in the PSA."""

    def change(actor: Actor, member: Membership) -> str:
        changed = set_psa_member(actor=actor, membership=member, psa_member=request.POST.get("psa_member", ""))
        name = changed.psa_member or "nobody, so their time entries ask for a member"
        return f"In the PSA {member.user.display_name} is {name}."

    return _change(request, membership_id, change)


@require_POST
def password_link_view(request: MemberRequest, membership_id: UUID) -> HttpResponse:
    """A link with which a member sets a new password: shown on the answer and kept nowhere."""
    actor = request.actor
    require(actor, Permission.MANAGE_TEAM)
    member = find_member(actor, membership_id)
    try:
        link = settings.PUBLIC_URL + password_link(actor=actor, membership=member)
    except TeamError as problem:
        messages.error(request, str(problem))
        return redirect("people-member", membership_id=member.pk)
    response = _page(request, member, link)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def transfer_view(request: MemberRequest, membership_id: UUID) -> HttpResponse:
    """Hand the top role over; the login name typed again proves that this person is meant."""

    def change(actor: Actor, member: Membership) -> str:
        require(actor, Permission.TRANSFER_OWNERSHIP)
        if request.POST.get("confirm", "").strip() != member.user.username:
            raise TeamError(f"Type {member.user.username} to confirm. Nothing was changed.")
        transfer_ownership(actor=actor, to=member)
        return f"{member.user.display_name} is {Role.top().name.capitalize()} of {actor.organization.name} now."

    return _change(request, membership_id, change, back="people")


def find_member(actor: Actor, membership_id: UUID) -> Membership:
    """An active member of the actor's organization. Raises Http404."""
    members = Membership.objects.for_organization(actor.organization).select_related("user", "organization")
    found = members.filter(pk=membership_id, is_active=True).first()
    if found is None:
        raise Http404("There is no such member.")
    return found


def _page(request: MemberRequest, member: Membership, password_link: str = "") -> HttpResponse:
    actor = request.actor
    chosen = set(member.companies.values_list("pk", flat=True))
    context = {
        "member": member,
        "password_link": password_link,
        "roles": [(role.value, role.name.capitalize()) for role in grantable_roles(actor)],
        "companies": [(company, company.pk in chosen) for company in Company.objects.visible_to(actor)],
        "reach": _reach(member, len(chosen)),
        "may_change": may_change(actor, member),
        "may_give_all": actor.companies is None,
        "may_bill": actor.can(Permission.MANAGE_BILLING) and may_change(actor, member),
        "may_hand_over": actor.can(Permission.TRANSFER_OWNERSHIP) and member != actor.membership,
        "top_role": Role.top().name.capitalize(),
        "next_role": Role.top().below.name.capitalize(),
        "paths": {
            name: reverse(f"people-{name}", args=[member.pk])
            for name in ("role", "companies", "billing", "psa", "password", "transfer", "deactivate")
        },
    }
    return render(request, "desk/member.html", context)


def _change(
    request: MemberRequest, membership_id: UUID, change: Callable[[Actor, Membership], str], back: str = ""
) -> HttpResponse:
    """Do `change` and say what came of it on the page that follows."""
    actor = request.actor
    require(actor, Permission.MANAGE_TEAM)
    member = find_member(actor, membership_id)
    try:
        messages.success(request, change(actor, member))
    except TeamError as problem:
        messages.error(request, str(problem))
        back = ""
    return redirect(back) if back else redirect("people-member", membership_id=member.pk)


def _reach(member: Membership, count: int) -> str:
    if member.all_companies:
        return "All companies, also later ones"
    return f"{count} {'company' if count == 1 else 'companies'}" if count else "No company, so no work is shown"
