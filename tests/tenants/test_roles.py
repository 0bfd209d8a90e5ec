"""PRODUCT 1's table of rights, written out here once more, and asked of real members on real objects."""

from itertools import pairwise

from junto.team.organizations import create_company
from junto.team.services import change_role, deactivate_member, limit_to_companies
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import (
    COMPANY_PERMISSIONS,
    EVERYWHERE_PERMISSIONS,
    ROLE_PERMISSIONS,
    SCOPE_PERMISSIONS,
    SYSTEM_PERMISSIONS,
    Permission,
    PermissionDenied,
    Role,
)
from tests.cases import JuntoTestCase
from tests.factories import MembershipFactory

#: The lowest role that has each right, as the product's page says it.
LOWEST = {
    # see signals, companies, runbooks; run sessions; execute runbooks; approve or modify low risk
    "view_work": "technician",
    "run_sessions": "technician",
    "decide_low": "technician",
    "propose_actions": "technician",
    # approve or modify medium risk
    "decide_medium": "operator",
    # approve or modify high risk; runbooks; team; analytics; escalations
    "decide_high": "manager",
    "author_runbooks": "manager",
    "manage_team": "manager",
    "view_analytics": "manager",
    "view_escalations": "manager",
    # integrations, processors, policies, model, tokens, audit export; what sync jobs do can be done by hand
    "manage_integrations": "admin",
    "manage_processors": "admin",
    "manage_policies": "admin",
    "manage_model": "admin",
    "manage_tokens": "admin",
    "export_audit": "admin",
    "write_signals": "admin",
    "sync_companies": "admin",
    # billing, organization, ownership
    "manage_billing": "owner",
    "manage_organization": "owner",
    "transfer_ownership": "owner",
}
ORDER = ["owner", "admin", "manager", "operator", "technician"]
ON_COMPANIES = {
    "view_work",
    "run_sessions",
    "decide_low",
    "decide_medium",
    "decide_high",
    "author_runbooks",
    "propose_actions",
}


class RoleTableTests(JuntoTestCase):
    """5 roles x every right x organization and company."""

    def members(self) -> dict[str, Actor]:
        cast = [self.olivia, self.adam, self.mara, self.oskar, self.theo]
        return {membership.role: self.actor(membership) for membership in cast}

    def test_every_right_stands_in_the_table(self) -> None:
        assert {permission.value for permission in Permission} == set(LOWEST)

    def test_each_role_may_exactly_what_the_table_says_on_its_organization(self) -> None:
        for role, actor in self.members().items():
            for right, lowest in LOWEST.items():
                expected = ORDER.index(role) <= ORDER.index(lowest)
                assert actor.can(Permission(right)) is expected, f"{role} {right}"

    def test_each_role_may_exactly_what_the_table_says_on_a_company(self) -> None:
        for role, actor in self.members().items():
            for right, lowest in LOWEST.items():
                expected = right in ON_COMPANIES and ORDER.index(role) <= ORDER.index(lowest)
                assert actor.can(Permission(right), self.harlow) is expected, f"{role} {right}"

    def test_no_role_may_anything_at_the_rival(self) -> None:
        for role, actor in self.members().items():
            for right in Permission:
                assert not actor.can(right, self.southgate), f"{role} {right}"
                assert not actor.can(right, self.quayside), f"{role} {right}"

    def test_each_role_inherits_the_lower_ones(self) -> None:
        held = [ROLE_PERMISSIONS[Role(name)] for name in ORDER]
        for higher, lower in pairwise(held):
            assert lower < higher

    def test_a_refusal_says_what_and_who_may(self) -> None:
        told = {right: str(PermissionDenied(self.actor(self.theo), right)) for right in Permission}
        assert told[Permission.MANAGE_TEAM] == (
            "Theo Okafor may not change the team here. It takes the role of Manager, Admin or Owner."
        )
        assert told[Permission.EXPORT_AUDIT].endswith("of Admin or Owner who reaches all companies.")

    def test_neither_token_scope_nor_system_actor_may_decide(self) -> None:
        deciding = {Permission.DECIDE_LOW, Permission.DECIDE_MEDIUM, Permission.DECIDE_HIGH}
        for held in [*SCOPE_PERMISSIONS.values(), *SYSTEM_PERMISSIONS.values()]:
            assert not held & deciding

    def test_a_company_added_later_is_covered_for_every_role(self) -> None:
        company = create_company(actor=self.actor(self.adam), name="Late Comers Ltd")
        assert self.actor(self.theo).can(Permission.DECIDE_LOW, company)
        assert self.actor(self.mara).can(Permission.DECIDE_HIGH, company)
        assert not self.actor(self.theo).can(Permission.DECIDE_MEDIUM, company)


class LimitedMemberTests(JuntoTestCase):
    """A member limited to some companies has their role there and nowhere else."""

    def limited(self, *companies: Company, role: Role = Role.MANAGER) -> Actor:
        membership = MembershipFactory(organization=self.northwind, role=role, all_companies=False, companies=companies)
        return self.actor(membership)

    def test_they_may_their_role_on_a_listed_company(self) -> None:
        assert self.limited(self.harlow).can(Permission.DECIDE_HIGH, self.harlow)

    def test_they_may_nothing_on_an_unlisted_company(self) -> None:
        actor = self.limited(self.harlow)
        assert not any(actor.can(right, self.pinewood) for right in Permission)

    def test_they_have_no_company_right_on_the_organization_as_a_whole(self) -> None:
        assert not self.limited(self.harlow).can(Permission.DECIDE_LOW)

    def test_no_company_listed_means_none_and_not_all(self) -> None:
        actor = self.limited()
        assert actor.companies == frozenset()
        assert not actor.can(Permission.VIEW_WORK, self.harlow)
        assert not Company.objects.visible_to(actor).exists()

    def test_they_see_only_listed_companies(self) -> None:
        assert list(Company.objects.visible_to(self.limited(self.harlow))) == [self.harlow]

    def test_lifting_the_limit_gives_all_companies(self) -> None:
        membership = self.limited(self.harlow).membership
        assert membership is not None
        limit_to_companies(actor=self.actor(self.olivia), membership=membership, all_companies=True)
        assert self.actor(membership).can(Permission.DECIDE_HIGH, self.pinewood)


class PromptEffectTests(JuntoTestCase):
    """A right that was taken is gone at the next look."""

    def test_a_demotion_holds_for_the_next_actor(self) -> None:
        assert self.actor(self.mara).can(Permission.DECIDE_HIGH, self.harlow)
        change_role(actor=self.actor(self.olivia), membership=self.mara, role=Role.TECHNICIAN)
        assert not self.actor(self.mara).can(Permission.DECIDE_MEDIUM, self.harlow)
        assert self.actor(self.mara).can(Permission.DECIDE_LOW, self.harlow)

    def test_a_deactivated_member_may_nothing(self) -> None:
        deactivate_member(actor=self.actor(self.olivia), membership=self.mara)
        assert not any(self.actor(self.mara).can(right, self.harlow) for right in Permission)
        assert not any(self.actor(self.mara).can(right) for right in Permission)

    def test_an_inactive_user_may_nothing(self) -> None:
        self.theo.user.is_active = False
        self.theo.user.save()
        assert not self.actor(self.theo).can(Permission.VIEW_WORK)


class LimitedAdminTests(JuntoTestCase):
    """Adam, limited to one company, holds no right that reaches into the others."""

    def test_nothing_that_reaches_every_company_is_theirs(self) -> None:
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.adam, all_companies=False, companies=[self.harlow]
        )
        adam = self.actor(self.adam)
        assert not [right for right in EVERYWHERE_PERMISSIONS if adam.can(right) or adam.can_anywhere(right)]
        assert adam.can(Permission.DECIDE_HIGH, self.harlow)
        assert not adam.can(Permission.DECIDE_HIGH, self.pinewood)

    def test_every_right_is_asked_of_a_company_or_of_all_or_said_to_be_harmless(self) -> None:
        harmless = {"manage_team", "view_analytics", "view_escalations", "manage_billing", "transfer_ownership"}
        assert {right.value for right in set(Permission) - COMPANY_PERMISSIONS - EVERYWHERE_PERMISSIONS} == harmless
