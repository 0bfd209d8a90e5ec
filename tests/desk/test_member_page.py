"""One member's page: companies, PSA name, billing, handing the organization over."""

import re

from django.http import HttpResponse
from django.test import Client

from junto.audit.models import AuditEntry
from junto.team.models import Invitation
from junto.team.services import add_member, limit_to_companies
from junto.tenants.models import Company, Membership, User
from junto.tenants.permissions import Role
from tests.cases import JuntoTestCase


class MemberPageTests(JuntoTestCase):
    """Mara looks after Theo; Olivia owns Northwind."""

    def post(self, who: Membership, whom: Membership, what: str, **fields: object) -> HttpResponse:
        return self.log_in(who).post(self.path(f"people/{whom.pk}/{what}/"), fields, follow=True)  # type: ignore[return-value]

    def fresh(self, membership: Membership) -> Membership:
        return Membership.objects.for_organization(self.northwind).get(pk=membership.pk)

    def test_a_member_is_limited_to_the_chosen_companies(self) -> None:
        page = self.post(self.mara, self.theo, "companies", reach="chosen", companies=[str(self.harlow.pk)])
        assert "1 company from now on" in page.content.decode()
        assert not self.fresh(self.theo).all_companies
        assert list(self.fresh(self.theo).companies.all()) == [self.harlow]

    def test_a_foreign_company_changes_nothing_and_is_told(self) -> None:
        foreign = Company.objects.for_organization(self.southgate).first()
        assert foreign is not None
        page = self.post(self.mara, self.theo, "companies", reach="chosen", companies=[str(foreign.pk)])
        assert "not there any more" in page.content.decode()
        assert self.fresh(self.theo).all_companies

    def test_who_reaches_some_companies_only_gives_no_more_away(self) -> None:
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.harlow]
        )
        assert self.post(self.mara, self.theo, "companies", reach="all").status_code == 403

    def test_companies_out_of_the_actors_reach_stay_as_they_are(self) -> None:
        other = Company.objects.for_organization(self.northwind).exclude(pk=self.harlow.pk).first()
        assert other is not None
        owner = self.actor(self.olivia)
        limit_to_companies(actor=owner, membership=self.theo, all_companies=False, companies=[other])
        limit_to_companies(actor=owner, membership=self.mara, all_companies=False, companies=[self.harlow])
        self.post(self.mara, self.theo, "companies", reach="chosen", companies=[str(self.harlow.pk)])
        assert set(self.fresh(self.theo).companies.all()) == {self.harlow, other}

    def test_two_members_are_not_the_same_one_in_the_psa(self) -> None:
        self.post(self.mara, self.theo, "psa", psa_member="tokafor")
        page = self.post(self.mara, self.oskar, "psa", psa_member="TOKAFOR")
        assert "Somebody else is TOKAFOR in the PSA already." in page.content.decode()
        assert self.fresh(self.theo).psa_member == "tokafor"

    def test_only_who_manages_billing_gives_billing_tools(self) -> None:
        assert self.post(self.mara, self.theo, "billing", billing="on").status_code == 403
        self.post(self.olivia, self.theo, "billing", billing="on")
        assert self.fresh(self.theo).billing_tools

    def test_the_organization_is_handed_over_by_name_only(self) -> None:
        page = self.post(self.olivia, self.mara, "transfer", confirm="somebody")
        assert "Nothing was changed" in page.content.decode()
        assert self.fresh(self.mara).role == "manager"
        self.post(self.olivia, self.mara, "transfer", confirm=self.mara.user.username)
        assert (self.fresh(self.mara).role, self.fresh(self.olivia).role) == ("owner", "admin")
        verbs = AuditEntry.objects.for_organization(self.northwind).values_list("verb", flat=True)
        assert "organization.ownership_transferred" in verbs

    def test_a_manager_hands_nothing_over(self) -> None:
        assert self.post(self.mara, self.theo, "transfer", confirm=self.theo.user.username).status_code == 403

    def test_a_member_above_is_shown_without_forms(self) -> None:
        page = self.log_in(self.mara).get(self.path(f"people/{self.olivia.pk}/")).content.decode()
        assert "not below yours" in page
        assert "Save the companies" not in page

    def test_an_open_invitation_is_listed_and_taken_back(self) -> None:
        client = self.log_in(self.mara)
        client.post(self.path("people/invite/"), {"email": "nora@example.com", "role": "technician", "reach": "chosen"})
        invitation = Invitation.objects.for_organization(self.northwind).get()
        assert not invitation.all_companies
        assert "nora@example.com" in client.get(self.path("people/")).content.decode()
        page = client.post(self.path(f"people/invitations/{invitation.pk}/revoke/"), follow=True).content.decode()
        assert "no longer good" in page
        assert "Open invitations" not in page

    def test_a_forgotten_password_is_set_by_a_link_from_above(self) -> None:
        page = self.post(self.mara, self.theo, "password").content.decode()
        link = re.search(r"http://127\.0\.0\.1:8000(/accounts/password/reset/key/[^<]+)", page)
        assert link is not None
        browser = Client()
        form = browser.get(link[1], follow=True)
        place = form.redirect_chain[-1][0]
        browser.post(place, {"password1": "a quiet harbour at dawn", "password2": "a quiet harbour at dawn"})
        assert User.objects.get(pk=self.theo.user_id).check_password("a quiet harbour at dawn")
        verbs = AuditEntry.objects.for_organization(self.northwind).values_list("verb", flat=True)
        assert {"member.password_link_made", "member.password_reset"} <= set(verbs)

    def test_no_single_organization_opens_an_account_that_opens_two(self) -> None:
        add_member(actor=self.actor(self.ines), user=self.theo.user, role=Role.ADMIN, all_companies=True)
        page = self.post(self.mara, self.theo, "password").content.decode()
        assert "works for another organization too" in page
        assert "/accounts/password/reset/key/" not in page

    def test_nobody_makes_a_link_for_a_role_that_is_not_below(self) -> None:
        page = self.post(self.mara, self.olivia, "password").content.decode()
        assert "/accounts/password/reset/key/" not in page

    def test_the_page_about_a_forgotten_password_promises_no_mail(self) -> None:
        page = Client().get("/accounts/password/reset/").content.decode()
        assert "they make a link" in page
        assert Client().post("/accounts/password/reset/", {"email": "theo@example.com"}).status_code == 405

    def test_companies_out_of_ones_reach_are_counted_and_not_named(self) -> None:
        owner = self.actor(self.olivia)
        limit_to_companies(
            actor=owner, membership=self.theo, all_companies=False, companies=[self.harlow, self.pinewood]
        )
        limit_to_companies(actor=owner, membership=self.mara, all_companies=False, companies=[self.harlow])
        page = self.log_in(self.mara).get(self.path("people/")).content.decode()
        assert "Harlow &amp; Beck, 1 more" in page
        assert "Pinewood" not in page
