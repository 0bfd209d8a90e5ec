"""Inviting people: a link that is shown once, good for one e-mail address, a week, and one use."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.utils import timezone

from junto.audit.services import record
from junto.team.authentication import hash_token
from junto.team.models import Invitation
from junto.team.services import AlreadyMember, TeamError, add_member, require_may_grant
from junto.tenants.actors import Actor
from junto.tenants.models import Membership, Organization, User
from junto.tenants.permissions import Permission, Role, require
from junto.tenants.scoping import TenantQuerySet

GOOD_FOR = timedelta(days=7)
SECRET_BYTES = 32


class InvitationInvalid(TeamError):
    """The link is unknown, used, revoked or too old, or who sent it may no longer invite."""

    def __init__(self) -> None:
        super().__init__("This invitation is no longer valid. Ask for a new one.")


@transaction.atomic
def invite(*, actor: Actor, email: str, role: Role, all_companies: bool = True) -> tuple[Invitation, str]:
    """An invitation and the secret of its link, which is kept nowhere.

    Raises:
        PermissionDenied: the actor may not grant this role.
        AlreadyMember: somebody with this address belongs to the organization.
    """
    require_may_grant(actor, role, all_companies=all_companies)
    if actor.membership is None:
        raise TeamError("Only a person invites.")
    address = email.strip().lower()
    members = Membership.objects.for_organization(actor.organization).filter(is_active=True)
    if members.filter(user__email__iexact=address).exists():
        raise AlreadyMember(f"{address} belongs to {actor.organization.name} already.")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    invitation = Invitation.unscoped.create(
        organization=actor.organization,
        email=address,
        role=role.value,
        all_companies=all_companies,
        token_hash=hash_token(secret),
        invited_by=actor.membership,
        expires_at=timezone.now() + GOOD_FOR,
    )
    record(actor, "member.invited", invitation, {"email": address, "role": role.value})
    return invitation, secret


def open_invitations(organization: Organization) -> TenantQuerySet[Invitation]:
    """Those that somebody could still accept, newest first."""
    rows: TenantQuerySet[Invitation] = Invitation.objects.for_organization(organization).filter(
        accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
    )
    return rows


def find_invitation(secret: str) -> Invitation:
    """The open invitation of a link.

    Raises:
        InvitationInvalid: there is none.
    """
    invitation = (
        Invitation.unscoped.select_related("organization", "invited_by__user", "invited_by__organization")
        .filter(token_hash=hash_token(secret), accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())
        .first()
    )
    if invitation is None:
        raise InvitationInvalid
    return invitation


@transaction.atomic
def accept_invitation(*, secret: str, user: User) -> Membership:
    """Make `user` the member that the invitation speaks of, on its sender's word, which is asked again now.

    Raises:
        InvitationInvalid: the link is not good (any more), not for this user's address, or its sender lost the right.
    """
    invitation = find_invitation(secret)
    if user.email.lower() != invitation.email:
        raise InvitationInvalid
    taken = Invitation.unscoped.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
    if not taken.update(accepted_at=timezone.now()):
        raise InvitationInvalid
    sender = Actor.person(invitation.invited_by)
    role = Role(invitation.role)
    if not sender.can(Permission.MANAGE_TEAM):
        raise InvitationInvalid
    return add_member(actor=sender, user=user, role=role, all_companies=invitation.all_companies)


@transaction.atomic
def accept_as_new_user(
    *, secret: str, username: str, password: str, first_name: str = "", last_name: str = ""
) -> Membership:
    """Accept with a new account for the invited address.

    Raises:
        InvitationInvalid: as for `accept_invitation`; also when the address has an account, which must log in instead.
        ValidationError: the password is too weak.
    """
    invitation = find_invitation(secret)
    if User.objects.filter(email__iexact=invitation.email).exists():
        raise InvitationInvalid
    user = User(username=username, email=invitation.email, first_name=first_name, last_name=last_name)
    validate_password(password, user)
    user.set_password(password)
    user.save()
    return accept_invitation(secret=secret, user=user)


@transaction.atomic
def revoke_invitation(*, actor: Actor, invitation: Invitation) -> None:
    """Take an invitation back.

    Raises:
        PermissionDenied: the actor may not manage the team.
        Invitation.DoesNotExist: it is not of the actor's organization.
    """
    require(actor, Permission.MANAGE_TEAM)
    own = Invitation.objects.for_organization(actor.organization).select_for_update().get(pk=invitation.pk)
    if own.revoked_at is None and own.accepted_at is None:
        own.revoked_at = timezone.now()
        own.save(update_fields=["revoked_at"])
        record(actor, "member.invitation_revoked", own, {"email": own.email})
