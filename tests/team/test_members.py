"""Who may make whom what, and what happens to groups and log with it."""

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied

from junto.audit.models import AuditEntry
from junto.team.services import (
    AlreadyMember,
    LastOwner,
    RoleTooHigh,
    TeamError,
    add_member,
    change_role,
    deactivate_member,
    grantable_roles,
    limit_to_companies,
    set_billing_tools,
    transfer_ownership,
)
from junto.tenants.models import Membership, User
from junto.tenants.permissions import Permission, Role
from tests.cases import JuntoTestCase
from tests.factories import MembershipFactory, UserFactory


class GrantingTests(JuntoTestCase):
    """Nobody grants a role at or above their own, but an Owner."""

    def test_who_may_grant_which_role(self) -> None:
        expected = {
            self.olivia: list(Role),
            self.adam: [Role.MANAGER, Role.OPERATOR, Role.TECHNICIAN],
            self.mara: [Role.OPERATOR, Role.TECHNICIAN],
            self.oskar: [],
            self.theo: [],
        }
        for membership, roles in expected.items():
            assert grantable_roles(self.actor(membership)) == roles

    def test_every_role_tries_to_grant_every_role(self) -> None:
        for granter in (self.olivia, self.adam, self.mara, self.oskar, self.theo):
            allowed = grantable_roles(self.actor(granter))
            for role in Role:
                target = MembershipFactory(organization=self.northwind)
                if role in allowed:
                    assert change_role(actor=self.actor(granter), membership=target, role=role).role == role
                else:
                    with pytest.raises(PermissionDenied):
                        change_role(actor=self.actor(granter), membership=target, role=role)

    def test_a_manager_cannot_raise_herself(self) -> None:
        with pytest.raises(PermissionDenied):
            change_role(actor=self.actor(self.mara), membership=self.mara, role=Role.ADMIN)

    def test_a_manager_cannot_touch_an_admin(self) -> None:
        with pytest.raises(RoleTooHigh):
            change_role(actor=self.actor(self.mara), membership=self.adam, role=Role.TECHNICIAN)
        with pytest.raises(RoleTooHigh):
            deactivate_member(actor=self.actor(self.mara), membership=self.adam)

    def test_a_manager_cannot_touch_another_manager(self) -> None:
        other = MembershipFactory(organization=self.northwind, role=Role.MANAGER)
        with pytest.raises(RoleTooHigh):
            deactivate_member(actor=self.actor(self.mara), membership=other)

    def test_a_rivals_member_does_not_exist_for_the_owner(self) -> None:
        with pytest.raises(Membership.DoesNotExist):
            change_role(actor=self.actor(self.ines), membership=self.theo, role=Role.ADMIN)

    def test_a_limited_manager_gives_away_no_more_companies_than_they_have(self) -> None:
        limited = MembershipFactory(
            organization=self.northwind, role=Role.MANAGER, all_companies=False, companies=[self.harlow]
        )
        actor = self.actor(limited)
        with pytest.raises(PermissionDenied):
            add_member(actor=actor, user=UserFactory(), role=Role.TECHNICIAN, all_companies=True)
        with pytest.raises(PermissionDenied):
            add_member(actor=actor, user=UserFactory(), role=Role.TECHNICIAN, companies=[self.pinewood])
        with pytest.raises(PermissionDenied):
            limit_to_companies(actor=actor, membership=self.theo, all_companies=True)
        added = add_member(actor=actor, user=UserFactory(), role=Role.TECHNICIAN, companies=[self.harlow])
        assert list(added.companies.all()) == [self.harlow]

    def test_only_an_owner_gives_the_billing_flag(self) -> None:
        with pytest.raises(PermissionDenied):
            set_billing_tools(actor=self.actor(self.adam), membership=self.oskar, allowed=True)
        assert set_billing_tools(actor=self.actor(self.olivia), membership=self.oskar, allowed=True).billing_tools


class OwnershipTests(JuntoTestCase):
    """An organization never goes without an Owner."""

    def test_the_last_owner_cannot_be_demoted(self) -> None:
        with pytest.raises(LastOwner):
            change_role(actor=self.actor(self.olivia), membership=self.olivia, role=Role.ADMIN)

    def test_the_last_owner_cannot_be_removed(self) -> None:
        with pytest.raises(LastOwner):
            deactivate_member(actor=self.actor(self.olivia), membership=self.olivia)

    def test_an_owner_whose_account_is_closed_does_not_count(self) -> None:
        second = MembershipFactory(organization=self.northwind, role=Role.OWNER)
        User.objects.filter(pk=second.user_id).update(is_active=False)
        with pytest.raises(LastOwner):
            deactivate_member(actor=self.actor(self.olivia), membership=self.olivia)

    def test_one_of_two_owners_may_go(self) -> None:
        MembershipFactory(organization=self.northwind, role=Role.OWNER)
        assert not deactivate_member(actor=self.actor(self.olivia), membership=self.olivia).is_active

    def test_ownership_passes_to_another_member(self) -> None:
        transfer_ownership(actor=self.actor(self.olivia), to=self.mara)
        assert self.actor(self.mara).can(Permission.MANAGE_BILLING)
        assert not self.actor(self.olivia).can(Permission.MANAGE_BILLING)
        assert self.actor(self.olivia).can(Permission.MANAGE_POLICIES)

    def test_nobody_but_an_owner_passes_it_on(self) -> None:
        with pytest.raises(PermissionDenied):
            transfer_ownership(actor=self.actor(self.adam), to=self.adam)

    def test_passing_it_to_oneself_changes_nothing(self) -> None:
        with pytest.raises(TeamError):
            transfer_ownership(actor=self.actor(self.olivia), to=self.olivia)
        assert self.actor(self.olivia).can(Permission.MANAGE_BILLING)

    def test_it_does_not_pass_to_a_rival(self) -> None:
        with pytest.raises(Membership.DoesNotExist):
            transfer_ownership(actor=self.actor(self.olivia), to=self.ines)


class BookkeepingTests(JuntoTestCase):
    """Groups and log are in step with the rows."""

    def groups(self, membership: Membership) -> set[str]:
        return set(Group.objects.filter(user=membership.user).values_list("name", flat=True))

    def test_a_member_is_in_one_group_of_the_organization(self) -> None:
        change_role(actor=self.actor(self.olivia), membership=self.theo, role=Role.OPERATOR)
        assert self.groups(self.theo) == {f"organization:{self.northwind.pk}:operator"}

    def test_a_removed_member_is_in_none(self) -> None:
        deactivate_member(actor=self.actor(self.olivia), membership=self.theo)
        assert self.groups(self.theo) == set()

    def test_working_for_both_rivals_keeps_both_roles_apart(self) -> None:
        add_member(actor=self.actor(self.ines), user=self.theo.user, role=Role.ADMIN, all_companies=True)
        assert not self.actor(self.theo).can(Permission.DECIDE_HIGH, self.harlow)
        deactivate_member(actor=self.actor(self.olivia), membership=self.theo)
        assert self.groups(self.theo) == {f"organization:{self.southgate.pk}:admin"}

    def test_a_former_member_comes_back_with_the_new_role_only(self) -> None:
        set_billing_tools(actor=self.actor(self.olivia), membership=self.mara, allowed=True)
        deactivate_member(actor=self.actor(self.olivia), membership=self.mara)
        back = add_member(actor=self.actor(self.olivia), user=self.mara.user, role=Role.TECHNICIAN)
        assert back.pk == self.mara.pk
        assert not back.billing_tools
        assert not self.actor(back).can(Permission.DECIDE_HIGH)

    def test_a_member_is_not_added_twice(self) -> None:
        with pytest.raises(AlreadyMember):
            add_member(actor=self.actor(self.olivia), user=self.theo.user, role=Role.OPERATOR)

    def test_each_change_is_one_entry_by_who_made_it(self) -> None:
        change_role(actor=self.actor(self.olivia), membership=self.theo, role=Role.OPERATOR)
        entry = AuditEntry.objects.for_organization(self.northwind).order_by("number").last()
        assert entry is not None
        assert (entry.actor_label, entry.verb) == ("Olivia Berg", "member.role_changed")
        assert entry.detail == {"from": "technician", "to": "operator"}

    def test_a_refused_change_leaves_no_trace(self) -> None:
        before = AuditEntry.objects.for_organization(self.northwind).count()
        with pytest.raises(PermissionDenied):
            change_role(actor=self.actor(self.theo), membership=self.oskar, role=Role.TECHNICIAN)
        assert AuditEntry.objects.for_organization(self.northwind).count() == before
        assert self.actor(self.oskar).can(Permission.DECIDE_MEDIUM)

    def test_the_role_already_held_is_no_change(self) -> None:
        before = AuditEntry.objects.for_organization(self.northwind).count()
        change_role(actor=self.actor(self.olivia), membership=self.theo, role=Role.TECHNICIAN)
        assert AuditEntry.objects.for_organization(self.northwind).count() == before
