"""The page behind an invitation's link: a new account, or a known person who accepts."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import password_validation
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from junto.team.invitations import InvitationInvalid, accept_as_new_user, accept_invitation, find_invitation
from junto.team.models import Invitation
from junto.tenants.models import User
from junto.tenants.permissions import Role


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
