"""Secrets that are shown once: API tokens and invitation links."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from junto.team.invitations import InvitationInvalid, accept_as_new_user, accept_invitation, invite, revoke_invitation
from junto.team.models import ApiToken, Invitation
from junto.team.services import AlreadyMember, change_role, deactivate_member
from junto.team.tokens import TokenRefused, create_token, revoke_token
from junto.tenants.actors import Actor
from junto.tenants.models import User
from junto.tenants.permissions import Permission, Role
from tests.cases import JuntoTestCase
from tests.factories import UserFactory

PASSWORD = "a quiet harbour at dawn"


class TokenTests(JuntoTestCase):
    """Made by Admins; the secret is kept nowhere."""

    def test_only_the_hash_is_kept(self) -> None:
        token, secret = create_token(actor=self.actor(self.adam), label="Sync", scopes=["signals:write"])
        row = ApiToken.objects.for_organization(self.northwind).values().get(pk=token.pk)
        assert secret.startswith("jt_")
        assert not any(secret in str(value) for value in row.values())

    def test_a_manager_makes_none(self) -> None:
        with pytest.raises(PermissionDenied):
            create_token(actor=self.actor(self.mara), label="Sync", scopes=["signals:write"])

    def test_an_unknown_scope_is_refused(self) -> None:
        for scopes in (["signals:write", "actions:decide"], []):
            with pytest.raises(TokenRefused):
                create_token(actor=self.actor(self.adam), label="Sync", scopes=scopes)

    def test_it_lives_a_year_at_most(self) -> None:
        for expiry in (timezone.now() + timedelta(days=366), timezone.now() - timedelta(seconds=1)):
            with pytest.raises(TokenRefused):
                create_token(actor=self.actor(self.adam), label="x", scopes=["signals:read"], expires_at=expiry)
        token, _ = create_token(actor=self.actor(self.adam), label="x", scopes=["signals:read"])
        assert token.expires_at <= timezone.now() + timedelta(days=365)

    def test_a_rival_cannot_revoke_it(self) -> None:
        token, _ = create_token(actor=self.actor(self.adam), label="Sync", scopes=["signals:write"])
        with pytest.raises(ApiToken.DoesNotExist):
            revoke_token(actor=self.actor(self.ines), token=token)

    def test_it_has_no_right_beyond_its_scopes(self) -> None:
        token, _ = create_token(actor=self.actor(self.adam), label="Sync", scopes=["signals:write"])
        actor = Actor.token(self.northwind, token_id=token.pk, label="Sync", scopes=frozenset(token.scopes))
        assert [right for right in Permission if actor.can(right)] == [Permission.WRITE_SIGNALS]
        assert not any(actor.can(right, self.quayside) for right in Permission)


class InvitationTests(JuntoTestCase):
    """A link is good for one address, once, and only as long as its sender may invite."""

    def test_a_new_person_joins_with_a_new_account(self) -> None:
        _, secret = invite(actor=self.actor(self.mara), email="Nora@Example.com", role=Role.TECHNICIAN)
        membership = accept_as_new_user(secret=secret, username="nora", password=PASSWORD, first_name="Nora")
        assert membership.organization == self.northwind
        assert membership.user.check_password(PASSWORD)
        assert self.actor(membership).can(Permission.DECIDE_LOW, self.harlow)

    def test_a_link_works_once(self) -> None:
        _, secret = invite(actor=self.actor(self.mara), email="nora@example.com", role=Role.TECHNICIAN)
        accept_as_new_user(secret=secret, username="nora", password=PASSWORD)
        with pytest.raises(InvitationInvalid):
            accept_invitation(secret=secret, user=User.objects.get(username="nora"))

    def test_somebody_elses_account_cannot_use_it(self) -> None:
        _, secret = invite(actor=self.actor(self.mara), email="nora@example.com", role=Role.TECHNICIAN)
        with pytest.raises(InvitationInvalid):
            accept_invitation(secret=secret, user=self.ines.user)

    def test_an_address_with_an_account_must_log_in(self) -> None:
        user = UserFactory(username="nora", email="nora@example.com")
        _, secret = invite(actor=self.actor(self.mara), email="nora@example.com", role=Role.TECHNICIAN)
        with pytest.raises(InvitationInvalid):
            accept_as_new_user(secret=secret, username="nora2", password=PASSWORD)
        assert accept_invitation(secret=secret, user=user).user == user

    def test_a_weak_password_is_refused_and_the_link_stays_good(self) -> None:
        _, secret = invite(actor=self.actor(self.mara), email="nora@example.com", role=Role.TECHNICIAN)
        with pytest.raises(ValidationError):
            accept_as_new_user(secret=secret, username="nora", password="password")
        accept_as_new_user(secret=secret, username="nora", password=PASSWORD)

    def test_an_old_link_is_not_good(self) -> None:
        invitation, secret = invite(actor=self.actor(self.mara), email="nora@example.com", role=Role.TECHNICIAN)
        invitation.expires_at = timezone.now()
        invitation.save()
        with pytest.raises(InvitationInvalid):
            accept_as_new_user(secret=secret, username="nora", password=PASSWORD)

    def test_a_revoked_link_is_not_good(self) -> None:
        invitation, secret = invite(actor=self.actor(self.mara), email="nora@example.com", role=Role.TECHNICIAN)
        revoke_invitation(actor=self.actor(self.mara), invitation=invitation)
        with pytest.raises(InvitationInvalid):
            accept_as_new_user(secret=secret, username="nora", password=PASSWORD)

    def test_a_link_dies_with_its_senders_right(self) -> None:
        _, secret = invite(actor=self.actor(self.mara), email="nora@example.com", role=Role.OPERATOR)
        change_role(actor=self.actor(self.olivia), membership=self.mara, role=Role.OPERATOR)
        with pytest.raises((InvitationInvalid, PermissionDenied)):
            accept_as_new_user(secret=secret, username="nora", password=PASSWORD)
        assert not User.objects.filter(username="nora").exists()

    def test_a_link_dies_with_its_senders_membership(self) -> None:
        _, secret = invite(actor=self.actor(self.mara), email="nora@example.com", role=Role.OPERATOR)
        deactivate_member(actor=self.actor(self.olivia), membership=self.mara)
        with pytest.raises((InvitationInvalid, PermissionDenied)):
            accept_as_new_user(secret=secret, username="nora", password=PASSWORD)

    def test_nobody_invites_to_a_role_of_their_own_height(self) -> None:
        with pytest.raises(PermissionDenied):
            invite(actor=self.actor(self.mara), email="nora@example.com", role=Role.MANAGER)

    def test_a_member_is_not_invited_again(self) -> None:
        with pytest.raises(AlreadyMember):
            invite(actor=self.actor(self.mara), email=self.theo.user.email.upper(), role=Role.OPERATOR)

    def test_only_the_hash_is_kept(self) -> None:
        invitation, secret = invite(actor=self.actor(self.mara), email="nora@example.com", role=Role.OPERATOR)
        row = Invitation.objects.for_organization(self.northwind).values().get(pk=invitation.pk)
        assert not any(secret in str(value) for value in row.values())
