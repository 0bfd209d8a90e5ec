"""How people get in: an account comes from an invitation, never from a sign-up form."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class InvitationOnlyAdapter(DefaultAccountAdapter):
    """allauth with its sign-up closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: `junto.team.services.accept_invitation` is the one way to a new account."""
        return False
