"""How people get in: an account comes from an invitation, never from a sign-up form; what happens there is logged.

An entry stands in the log of each organization the person works for (I14).
"""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import default_token_generator
from allauth.account.signals import password_changed, password_reset
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.signals import authentication_failed as second_factor_failed
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from junto.audit.services import record
from junto.desk.views import memberships_of, without_prefix
from junto.team.services import TeamError, may_change
from junto.tenants.actors import Actor
from junto.tenants.models import Membership, User
from junto.tenants.permissions import Permission, require

#: What a person changes about their own login, and how the log calls it.
OWN_CHANGES = {
    password_changed: "member.password_changed",
    password_reset: "member.password_reset",
    authenticator_added: "member.second_factor_added",
    authenticator_removed: "member.second_factor_removed",
    authenticator_reset: "member.second_factor_reset",
}


class InvitationOnlyAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth with its sign-up closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: `junto.team.invitations` is the one way to a new account."""
        return False

    @transaction.atomic
    def login(self, request: HttpRequest, user: User) -> None:
        """Log in."""
        super().login(request, user)
        for membership in memberships_of(user):
            record(Actor.person(membership), "member.logged_in", membership)

    def authentication_failed(self, request: HttpRequest, **credentials: str) -> None:
        """A wrong password; a name nobody has concerns no organization."""
        super().authentication_failed(request, **credentials)
        name = credentials.get("username") or credentials.get("email") or ""
        for user in User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name)) if name else ():
            _refused(user, "wrong password")


@transaction.atomic
def password_link(*, actor: Actor, membership: Membership) -> str:
    """The path at which a member sets a new password, good for a day (PASSWORD_RESET_TIMEOUT) and one use.

    It opens the whole account, so whoever works for other organizations too gets none from any single one.

    Raises:
        PermissionDenied: the actor may not manage the team.
        TeamError: the member's role is not below the actor's, or they work for another organization too.
    """
    require(actor, Permission.MANAGE_TEAM)
    if not may_change(actor, membership):
        raise TeamError("Only a higher role than theirs may do this.")
    if len(memberships_of(membership.user)) > 1:
        raise TeamError(
            f"{membership.user.display_name} works for another organization too, and the password opens both. "
            "Whoever runs this server can set it: bin/junto changepassword."
        )
    record(actor, "member.password_link_made", membership)
    key = default_token_generator.make_token(membership.user)
    place = reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": user_pk_to_url_str(membership.user), "key": key},
        urlconf=settings.ROOT_URLCONF,
    )
    return without_prefix(place)


def log_the_door() -> None:
    """Have every change of a login, and each wrong second factor, written down."""
    second_factor_failed.connect(_second_factor_refused, dispatch_uid="audit second factor")
    for signal, verb in OWN_CHANGES.items():
        signal.connect(_own_change(verb), weak=False, dispatch_uid=f"audit {verb}")


def _own_change(verb: str) -> object:
    @transaction.atomic
    def write(*, user: User, **_: object) -> None:
        for membership in memberships_of(user):
            record(Actor.person(membership), verb, membership)

    return write


def _second_factor_refused(*, user: User, **_: object) -> None:
    _refused(user, "wrong second factor")


@transaction.atomic
def _refused(user: User, why: str) -> None:
    """Nobody proved to be this person, so the system writes, about them."""
    for membership in memberships_of(user):
        actor = Actor.system("login", membership.organization)
        record(actor, "member.login_refused", membership, {"user": user.username, "why": why})
