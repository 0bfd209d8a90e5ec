"""Who works here: the team, its roles, and invitations."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from junto.desk.member import find_member
from junto.desk.views import without_prefix
from junto.team.invitations import invite, open_invitations, revoke_invitation
from junto.team.services import TeamError, change_role, deactivate_member, grantable_roles, may_change
from junto.tenants.access import MemberRequest
from junto.tenants.actors import Actor
from junto.tenants.models import Membership
from junto.tenants.permissions import Permission, Role, require

Choices = list[tuple[str, str]]


class InviteForm(forms.Form):
    """Whom, and as what."""

    email = forms.EmailField(max_length=254)
    role = forms.ChoiceField(choices=[(role.value, role.value) for role in Role])
    reach = forms.ChoiceField(choices=[("all", "All companies"), ("chosen", "Chosen companies")])


@require_safe
def people(request: MemberRequest) -> HttpResponse:
    """The team, with what this member may change."""
    actor = request.actor
    require(actor, Permission.MANAGE_TEAM)
    return _page(request, actor)


@require_POST
def change_role_view(request: MemberRequest, membership_id: UUID) -> HttpResponse:
    """Give a member another role."""
    actor = request.actor
    require(actor, Permission.MANAGE_TEAM)
    membership = find_member(actor, membership_id)
    try:
        changed = change_role(actor=actor, membership=membership, role=Role(request.POST.get("role", "")))
    except ValueError as problem:
        messages.error(request, str(problem) if isinstance(problem, TeamError) else "There is no such role.")
    else:
        messages.success(request, f"{changed.user.display_name} is {changed.get_role_display()} now.")
    return redirect("people-member", membership_id=membership_id)


@require_POST
def deactivate_view(request: MemberRequest, membership_id: UUID) -> HttpResponse:
    """End a membership."""
    actor = request.actor
    require(actor, Permission.MANAGE_TEAM)
    membership = find_member(actor, membership_id)
    try:
        deactivate_member(actor=actor, membership=membership)
    except TeamError as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, f"{membership.user.display_name} is no longer a member.")
    return redirect("people")


@require_POST
def uninvite_view(request: MemberRequest, invitation_id: UUID) -> HttpResponse:
    """Take an invitation back."""
    actor = request.actor
    require(actor, Permission.MANAGE_TEAM)
    found = open_invitations(actor.organization).filter(pk=invitation_id).first()
    if found is None:
        raise Http404("There is no such invitation.")
    revoke_invitation(actor=actor, invitation=found)
    messages.success(request, f"The link sent to {found.email} is no longer good.")
    return redirect("people")


@require_POST
def invite_view(request: MemberRequest) -> HttpResponse:
    """Invite somebody; the link is shown on the answer and kept nowhere."""
    actor = request.actor
    require(actor, Permission.MANAGE_TEAM)
    form = InviteForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say a valid e-mail address, a role, and whether they reach all companies.")
        return redirect("people")
    email: str = form.cleaned_data["email"]
    try:
        _, secret = invite(
            actor=actor,
            email=email,
            role=Role(form.cleaned_data["role"]),
            all_companies=form.cleaned_data["reach"] == "all",
        )
    except TeamError as problem:
        messages.error(request, str(problem))
        return redirect("people")
    path = reverse("invitation", args=[secret], urlconf=settings.ROOT_URLCONF)
    return _page(request, actor, invited={"email": email, "link": settings.PUBLIC_URL + without_prefix(path)})


def _page(request: MemberRequest, actor: Actor, invited: dict[str, str] | None = None) -> HttpResponse:
    members = Membership.objects.for_organization(actor.organization).filter(is_active=True)
    rows = sorted(
        members.select_related("user").prefetch_related("companies"),
        key=lambda member: (Role(member.role).rank, member.user.display_name.lower()),
    )
    roles: Choices = [(role.value, role.name.capitalize()) for role in grantable_roles(actor)]
    context = {
        "members": [_row(actor, member) for member in rows],
        "invite": {"path": reverse("people-invite"), "roles": roles, "all": actor.companies is None} if roles else None,
        "invited": invited,
        "invitations": [
            (each, Role(each.role).name.capitalize(), reverse("people-uninvite", args=[each.pk]))
            for each in open_invitations(actor.organization)
        ],
    }
    response = render(request, "desk/people.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _row(actor: Actor, member: Membership) -> dict[str, object]:
    listed = member.companies.all()
    named = [company.name for company in listed if actor.companies is None or company.pk in actor.companies]
    if len(named) < len(listed):
        named.append(f"{len(listed) - len(named)} more")
    return {
        "id": member.pk,
        "name": member.user.display_name,
        "email": member.user.email,
        "initials": member.user.initials,
        "role": member.role,
        "role_label": member.get_role_display(),
        "companies": "All" if member.all_companies else ", ".join(named),
        "billing": member.billing_tools,
        "last_seen": member.user.last_login,
        "path": reverse("people-member", args=[member.pk]),
        "may_change": may_change(actor, member),
    }
