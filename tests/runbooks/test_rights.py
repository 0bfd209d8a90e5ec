"""Publishing is a standing approval: whoever publishes must be able to decide each tool, everywhere it would run."""

from __future__ import annotations

import pytest

from approvals.models import Grant
from junto.team.services import limit_to_companies, set_billing_tools
from junto.tenants.permissions import PermissionDenied
from runbooks.models import Runbook
from runbooks.services import publish_runbook, save_draft
from runbooks.suspension import suspended, suspended_at
from tests.approvals.practice import practice_tools
from tests.runbooks.cases import RunbookCase

BILLED = '1. Bill it with @junto.put_billed(place="shelf", thing="hours").\n'


class RightsCase(RunbookCase):
    def setUp(self) -> None:
        super().setUp()
        tools = practice_tools()
        tools.__enter__()
        self.addCleanup(tools.__exit__, None, None, None)
        self.log_in(self.mara)

    def page(self, runbook: Runbook) -> str:
        return self.path(f"admin/runbooks/runbook/{runbook.pk}/publish/")

    def bill(self, allowed: bool) -> None:
        set_billing_tools(actor=self.actor(self.olivia), membership=self.mara, allowed=allowed)
        self.mara.refresh_from_db()

    def limit(self) -> None:
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.harlow]
        )
        self.mara.refresh_from_db()


class BillingTests(RightsCase):
    def test_a_manager_without_the_billing_flag_cannot_publish_what_changes_a_bill(self) -> None:
        runbook = self.draft(body=BILLED)
        self.assertContains(self.client.get(self.page(runbook)), "Line 1: You may not decide @junto.put_billed")
        self.client.post(self.page(runbook), {"agree": "1"})
        runbook.refresh_from_db()
        assert runbook.status == "draft"
        assert not Grant.objects.for_organization(self.northwind).exists()

    def test_with_the_flag_it_is_published_and_granted_in_plain_words(self) -> None:
        self.bill(allowed=True)
        runbook = self.draft(body=BILLED)
        self.client.post(self.page(runbook), {"agree": "1"})
        grant = Grant.objects.for_organization(self.northwind).get(tool="junto.put_billed")
        assert (grant.issued_by, grant.revoked_at) == (self.mara, None)
        assert "place = “shelf”" in grant.words

    def test_losing_the_flag_suspends_unattended_use_and_says_so_until_it_is_back(self) -> None:
        self.bill(allowed=True)
        runbook = publish_runbook(actor=self.actor(self.mara), runbook=self.draft(body=BILLED))
        self.bill(allowed=False)
        assert "may no longer decide Put something on the shelf" in suspended([runbook])[runbook.pk][0]
        for path in ("runbooks/", f"runbooks/{runbook.pk}/", f"admin/runbooks/runbook/{runbook.pk}/change/"):
            self.assertContains(self.client.get(self.path(path)), "nattended use")
        self.assertContains(self.client.get(self.path("admin/runbooks/runbook/")), "Unattended use suspended")
        self.bill(allowed=True)
        assert suspended([runbook]) == {}
        self.assertNotContains(self.client.get(self.path(f"runbooks/{runbook.pk}/")), "is suspended")

    def test_what_is_asked_every_time_needs_no_such_right_until_it_is_asked(self) -> None:
        asked = self.draft(body="1. @junto.put_billed (ask)\n", audience=Runbook.Audience.HYBRID)
        assert publish_runbook(actor=self.actor(self.mara), runbook=asked).published_number == 1


class CompanyTests(RightsCase):
    def test_a_manager_limited_to_another_company_neither_writes_nor_publishes_for_this_one(self) -> None:
        runbook = self.draft(company=self.pinewood)
        self.limit()
        assert self.client.get(self.page(runbook)).status_code == 404
        with pytest.raises(PermissionDenied):
            publish_runbook(actor=self.actor(self.mara), runbook=runbook)

    def test_a_runbook_cannot_be_moved_to_a_company_out_of_reach_to_be_published_there(self) -> None:
        self.limit()
        runbook = self.draft(company=self.harlow)
        runbook.company = self.pinewood
        with pytest.raises(PermissionDenied):
            save_draft(actor=self.actor(self.mara), runbook=runbook)

    def test_what_a_limited_manager_publishes_is_granted_for_that_company_alone(self) -> None:
        self.limit()
        runbook = publish_runbook(actor=self.actor(self.mara), runbook=self.draft(company=self.harlow))
        grants = Grant.objects.for_organization(self.northwind).filter(runbook=f"{runbook.pk}:1")
        assert {grant.company for grant in grants} == {self.harlow}
        assert suspended([runbook]) == {}

    def test_a_publisher_who_is_limited_later_no_longer_answers_for_the_others(self) -> None:
        runbook = self.published()
        self.limit()
        assert suspended_at(runbook, self.harlow) == ()
        assert "for Pinewood Clinic" in suspended_at(runbook, self.pinewood)[0]
