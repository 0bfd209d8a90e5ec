"""How people get in: an account comes from an invitation, never from a sign-up form, and each login is logged."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.http import HttpRequest

from junto.audit.services import record
from junto.desk.views import memberships_of
from junto.tenants.actors import Actor
from junto.tenants.models import User


class InvitationOnlyAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth with its sign-up closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: `junto.team.invitations` is the one way to a new account."""
        return False

    @transaction.atomic
    def login(self, request: HttpRequest, user: User) -> None:
        """Log in, with an entry in the log of each organization the user works for (I14)."""
        super().login(request, user)
        for membership in memberships_of(user):
            record(Actor.person(membership), "member.logged_in", membership)
