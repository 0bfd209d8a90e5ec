"""Who works here: roles, invitations, and the page where an invitation is accepted."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import password_validation
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from junto.team.invitations import InvitationInvalid, accept_as_new_user, accept_invitation, find_invitation, invite
from junto.team.models import Invitation
from junto.team.services import TeamError, change_role, deactivate_member, grantable_roles, may_change
from junto.tenants.access import MemberRequest
from junto.tenants.actors import Actor
from junto.tenants.models import Membership, User
from junto.tenants.permissions import Permission, Role, require

Choices = list[tuple[str, str]]


class InviteForm(forms.Form):
    """Whom, and as what."""

    email = forms.EmailField(max_length=254)
    role = forms.ChoiceField(choices=[(role.value, role.value) for role in Role])


class NewAccountForm(forms.Form):
    """An account for the invited address."""

    first_name = forms.CharField(max_length=150)
    last_name = forms.CharField(max_length=150)
    username = forms.CharField(max_length=150, help_text="To log in with; your e-mail address works too.")
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters, not one of the common ones.",
    )

    def clean_username(self) -> str:
        """A login name that nobody has."""
        username: str = self.cleaned_data["username"]
        User.username_validator(username)
        if User.objects.filter(username__iexact=username).exists():
            raise ValidationError("Somebody has this login name already.")
        return username

    def clean_password(self) -> str:
        """Strong enough by the rules of the settings."""
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password)
        return password


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
    membership = _membership(actor, membership_id)
    try:
        changed = change_role(actor=actor, membership=membership, role=Role(request.POST.get("role", "")))
    except ValueError as problem:
        messages.error(request, str(problem) if isinstance(problem, TeamError) else "There is no such role.")
    else:
        messages.success(request, f"{changed.user.display_name} is {changed.get_role_display()} now.")
    return redirect("people")


@require_POST
def deactivate_view(request: MemberRequest, membership_id: UUID) -> HttpResponse:
    """End a membership."""
    actor = request.actor
    require(actor, Permission.MANAGE_TEAM)
    membership = _membership(actor, membership_id)
    try:
        deactivate_member(actor=actor, membership=membership)
    except TeamError as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, f"{membership.user.display_name} is no longer a member.")
    return redirect("people")


@require_POST
def invite_view(request: MemberRequest) -> HttpResponse:
    """Invite somebody; the link is shown on the answer and kept nowhere."""
    actor = request.actor
    require(actor, Permission.MANAGE_TEAM)
    form = InviteForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say a valid e-mail address and a role.")
        return redirect("people")
    email: str = form.cleaned_data["email"]
    try:
        _, secret = invite(actor=actor, email=email, role=Role(form.cleaned_data["role"]))
    except TeamError as problem:
        messages.error(request, str(problem))
        return redirect("people")
    path = reverse("invitation", args=[secret], urlconf=settings.ROOT_URLCONF)
    return _page(request, actor, invited={"email": email, "link": settings.PUBLIC_URL + _without_prefix(path)})


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Accept an invitation: with a new account, or as whoever has the invited address."""
    try:
        found = find_invitation(secret)
    except InvitationInvalid as problem:
        return render(request, "desk/invitation.html", {"problem": str(problem)}, status=404)
    has_account = User.objects.filter(email__iexact=found.email).exists()
    form = None if has_account else NewAccountForm(request.POST or None)
    if request.method == "POST":
        try:
            if _accept(request, secret, form):
                return redirect(f"/o/{found.organization.slug}/")
        except InvitationInvalid as problem:
            messages.error(request, str(problem))
    context = {
        "organization_name": found.organization.name,
        "invitation": _shown(found),
        "form": form,
        "has_account": has_account,
        "may_accept": _is_invited(request, found),
        "login_path": f"{settings.LOGIN_URL}?next={request.path}",
    }
    return render(request, "desk/invitation.html", context)


def _accept(request: HttpRequest, secret: str, form: NewAccountForm | None) -> bool:
    if form is None:
        if not isinstance(request.user, User):
            return False
        accept_invitation(secret=secret, user=request.user)
        return True
    if not form.is_valid():
        return False
    accept_as_new_user(secret=secret, **form.cleaned_data)
    messages.success(request, "Your account is ready. Log in.")
    return True


def _is_invited(request: HttpRequest, found: Invitation) -> bool:
    return isinstance(request.user, User) and request.user.email.lower() == found.email


def _shown(found: Invitation) -> dict[str, str]:
    return {
        "email": found.email,
        "role": Role(found.role).name.capitalize(),
        "invited_by": found.invited_by.user.display_name,
    }


def _without_prefix(path: str) -> str:
    """A path of the root URLconf, reversed inside an organization, without the organization's prefix."""
    return "/" + path.split("/", 3)[3] if path.startswith("/o/") else path


def _page(request: MemberRequest, actor: Actor, invited: dict[str, str] | None = None) -> HttpResponse:
    members = Membership.objects.for_organization(actor.organization).filter(is_active=True)
    rows = sorted(
        members.select_related("user").prefetch_related("companies"),
        key=lambda member: (Role(member.role).rank, member.user.display_name.lower()),
    )
    roles: Choices = [(role.value, role.name.capitalize()) for role in grantable_roles(actor)]
    context = {
        "members": [_row(actor, member, roles) for member in rows],
        "invite": {"path": reverse("people-invite"), "roles": roles} if roles else None,
        "invited": invited,
    }
    response = render(request, "desk/people.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _row(actor: Actor, member: Membership, roles: Choices) -> dict[str, object]:
    changeable = may_change(actor, member)
    named = ", ".join(company.name for company in member.companies.all())
    return {
        "id": member.pk,
        "name": member.user.display_name,
        "email": member.user.email,
        "initials": member.user.initials,
        "role": member.role,
        "role_label": member.get_role_display(),
        "companies": "All" if member.all_companies else named,
        "billing": member.billing_tools,
        "last_seen": member.user.last_login,
        "path": reverse("people-role", args=[member.pk]),
        "deactivate_path": reverse("people-deactivate", args=[member.pk]),
        "may_change": changeable,
        "roles": roles,
    }


def _membership(actor: Actor, membership_id: UUID) -> Membership:
    members = Membership.objects.for_organization(actor.organization).select_related("user", "organization")
    found = members.filter(pk=membership_id, is_active=True).first()
    if found is None:
        raise Http404("There is no such member.")
    return found
