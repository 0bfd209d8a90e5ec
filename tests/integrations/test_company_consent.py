"""A company's administrator lets our app in at Microsoft 365: whose answer it is, what is kept of it, what is shown."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from integrations.connections import rights
from integrations.errors import NotConsented
from integrations.models import CompanyConsent, CompanyLink, ConsentRequest
from integrations.tasks import sync_directories
from integrations.vendors import VENDORS
from junto.audit.models import AuditEntry
from junto.tenants.models import Company
from tests.factories import SignalFactory
from tests.integrations.cloud import CloudTestCase


class CompanyConsentTests(CloudTestCase):
    """Nobody at Brightwater has consented yet."""

    def setUp(self) -> None:
        super().setUp()
        self.brightwater = self.linked("253")
        self.link_tenant(self.brightwater)
        self.browser = self.log_in(self.adam)

    def test_who_accepts_there_comes_back_and_the_company_shows_as_consented_with_what_it_lacks(self) -> None:
        self.withhold(self.brightwater, "MailboxSettings.ReadWrite")
        with pytest.raises(NotConsented, match="an administrator there has to, once"):
            self.call("microsoft365.license_pool", self.brightwater)

        page = self.come_back(self.sandbox.answer_consent(self.ask(self.brightwater)))

        assert "Brightwater Legal LLP has consented; not consented there: MailboxSettings.ReadWrite." in page
        assert "Lacks MailboxSettings.ReadWrite" in page
        kept = self.kept(self.brightwater)
        assert (kept.state, kept.lacking) == ("given", ["MailboxSettings.ReadWrite"])
        assert kept.membership == self.adam
        assert kept.tested_at is not None
        self.call("microsoft365.license_pool", self.brightwater)
        assert self.audited() == ["company.consent_asked", "company.consented"]

    def test_the_address_that_is_registered_is_the_one_that_is_asked_for_and_the_state_is_kept_as_a_digest(
        self,
    ) -> None:
        address = self.ask(self.brightwater)
        asked = parse_qs(urlsplit(address).query)
        (registered,) = asked["redirect_uri"]
        assert registered.endswith("/consented/northwind/")
        (state,) = asked["state"]
        row = ConsentRequest.objects.for_organization(self.northwind).get()
        assert state not in f"{row.state_digest} {row.sealed_verifier}"
        assert registered in self.browser.get(self.path(f"connections/{self.cloud.pk}/")).content.decode()

    def test_who_refuses_is_told_and_shown_and_may_be_asked_again(self) -> None:
        page = self.come_back(self.sandbox.answer_consent(self.ask(self.brightwater), "cancel"))

        assert "Brightwater Legal LLP gave no consent. Microsoft 365 says: AADSTS65004" in page
        assert "Refused" in self.companies()
        with pytest.raises(NotConsented):
            self.call("microsoft365.license_pool", self.brightwater)
        assert "has consented" in self.come_back(self.sandbox.answer_consent(self.ask(self.brightwater)))
        assert self.kept(self.brightwater).said == ""

    def test_a_cancel_takes_nothing_from_a_consent_that_stands(self) -> None:
        self.withhold(self.brightwater, "MailboxSettings.ReadWrite")
        self.come_back(self.sandbox.answer_consent(self.ask(self.brightwater)))
        before = CompanyConsent.objects.for_organization(self.northwind).values().get()

        page = self.come_back(self.sandbox.answer_consent(self.ask(self.brightwater), "cancel"))

        assert "Brightwater Legal LLP did not accept again, and what was consented before stands." in page
        after = CompanyConsent.objects.for_organization(self.northwind).values().get()
        assert after == before | {"tested_at": after["tested_at"]}
        assert "Refused" not in self.companies()
        assert "Asked by Adam" in self.companies()

    def test_a_cancel_at_a_company_that_consented_before_we_kept_it_finds_that_it_stands(self) -> None:
        page = self.come_back(self.sandbox.answer_consent(self.ask(self.harbor), "cancel"))

        assert "Harbor Dental Group did not accept again, and what was consented before stands." in page
        assert self.kept(self.harbor).state == "given"

    def test_a_cancel_while_the_vendor_cannot_be_asked_settles_nothing(self) -> None:
        back = self.sandbox.answer_consent(self.ask(self.harbor), "cancel")
        self.sandbox.end_cloud_tokens()
        self.sandbox.fault("status", status=503, path="*/token", count=9)

        assert "could not be asked" in self.come_back(back)
        assert self.kept(self.harbor).state == "asked"

    def test_the_clock_finds_what_an_administrator_without_a_login_accepted_and_looks_for_two_weeks(self) -> None:
        back = urlsplit(self.sandbox.answer_consent(self.ask(self.brightwater)))
        assert "Tell your IT provider" in Client().get(f"{back.path}?{back.query}").content.decode()
        assert "by Adam" in self.companies()
        rows = CompanyConsent.objects.for_organization(self.northwind)

        rows.update(changed_at=timezone.now() - timedelta(days=15))
        sync_directories.call()
        assert self.kept(self.brightwater).state == "asked"
        rows.update(changed_at=timezone.now() - timedelta(days=13))
        sync_directories.call()

        kept = self.kept(self.brightwater)
        assert (kept.state, kept.membership) == ("given", self.adam)
        assert self.audited() == ["company.consent_asked", "company.consented"]

    def test_the_clock_leaves_a_company_that_has_not_answered_as_it_is(self) -> None:
        self.ask(self.brightwater)
        sync_directories.call()
        assert self.kept(self.brightwater).state == "asked"
        assert self.kept(self.brightwater).tested_at is not None

    def test_what_another_tenant_accepted_changes_nothing_here(self) -> None:
        own, other = (self.tenant(name)["tenantId"] for name in (self.brightwater.name, self.harbor.name))
        back = self.sandbox.answer_consent(self.ask(self.brightwater))
        for tenant in (other, "", "common"):
            page = self.come_back(back.replace(f"tenant={own}", f"tenant={tenant}"))
            assert "It was not Brightwater Legal LLP that consented but another company" in page
            assert self.kept(self.brightwater).state == "asked"
            back = self.sandbox.answer_consent(self.ask(self.brightwater))

    def test_a_browser_that_only_says_that_it_was_accepted_is_not_believed(self) -> None:
        state = parse_qs(urlsplit(self.ask(self.brightwater)).query)["state"][0]
        there = self.tenant(self.brightwater.name)["tenantId"]

        page = self.come_back(f"/consented/northwind/?admin_consent=True&tenant={there}&state={state}")

        assert "gives no token for it yet" in page
        assert self.kept(self.brightwater).state == "asked"
        assert "Not yet" in self.companies()

    def test_an_answer_counts_once_for_the_member_who_asked_and_for_an_hour(self) -> None:
        back = self.sandbox.answer_consent(self.ask(self.brightwater))
        for other, slug in ((self.olivia, "northwind"), (self.ines, "southgate")):
            page = self.come_back(back.replace("/northwind/", f"/{slug}/"), self.log_in(other, Client()))
            assert "You asked no company for this consent" in page
        assert self.kept(self.brightwater).state == "asked"
        self.come_back(back)
        assert "You asked no company for this consent" in self.come_back(back)
        assert self.kept(self.brightwater).state == "given"

        late = self.sandbox.answer_consent(self.ask(self.harbor))
        ConsentRequest.objects.for_organization(self.northwind).update(
            created_at=timezone.now() - timedelta(minutes=61)
        )
        assert "press Test beside the company" in self.come_back(late)

    def test_a_state_for_one_company_opens_no_other_and_no_consent_of_a_person(self) -> None:
        back = self.sandbox.answer_consent(self.ask(self.brightwater))
        self.browser.get(self.path("connections/consent/"), dict(_query(back), code="x"))
        assert ConsentRequest.objects.for_organization(self.northwind).count() == 1
        self.ask(self.harbor)
        assert ConsentRequest.objects.for_organization(self.northwind).count() == 2
        self.come_back(back)
        assert self.kept(self.brightwater).state == "given"

    def test_an_administrator_without_a_login_sees_a_page_of_thanks_that_takes_nothing_in(self) -> None:
        for decision, words in (("cancel", "Not consented"), ("accept", "Thank you")):
            back = urlsplit(self.sandbox.answer_consent(self.ask(self.brightwater), decision))
            page = Client().get(f"{back.path}?{back.query}").content.decode()
            assert words in page
            assert "Brightwater" not in page
            assert self.kept(self.brightwater).state == "asked"
        assert Client().get("/consented/nowhere/").status_code == 200
        assert "Brightwater Legal LLP has consented, to everything" in self.after_test(self.brightwater)

    def test_a_test_says_of_each_company_whether_it_has_consented_and_to_what_and_keeps_that(self) -> None:
        self.withhold(self.kessler, "MailboxSettings.Read", "MailboxSettings.ReadWrite")
        for company, words, shown in (
            (self.harbor, "Harbor Dental Group has consented, to everything.", "Consented"),
            (self.kessler, "not there: MailboxSettings.Read, MailboxSettings.ReadWrite.", "Lacks 2 permissions"),
            (self.brightwater, "has not consented to the app", "Not yet"),
        ):
            page = self.after_test(company)
            assert words.replace("not there", "not consented there") in page
            assert shown in page

    def test_a_test_sees_what_was_consented_or_withdrawn_since_the_last_token(self) -> None:
        self.withhold(self.harbor, "SecurityAlert.Read.All")
        assert "SecurityAlert.Read.All" in self.after_test(self.harbor)
        self.withhold(self.harbor)
        assert "to everything" in self.after_test(self.harbor)
        number = self.number("tenants", displayName=self.harbor.name)
        self.sandbox.change_cloud("tenants", number, consented=False)
        assert "has not consented" in self.after_test(self.harbor)
        assert self.kept(self.harbor).state == "missing"

    def test_a_system_that_cannot_be_asked_leaves_what_was_known(self) -> None:
        self.after_test(self.harbor)
        self.sandbox.end_cloud_tokens()
        self.sandbox.fault("status", status=503, path="*/token", count=9)
        self.after_test(self.harbor)
        assert self.kept(self.harbor).state == "given"

    def test_only_those_who_manage_integrations_ask_a_company(self) -> None:
        link = self.link(self.harbor)
        theo, ines = self.log_in(self.theo, Client()), self.log_in(self.ines, Client())
        for button in ("check/", "consent/"):
            path = self.path(f"connections/{self.cloud.pk}/companies/{link.pk}/{button}")
            assert theo.post(path).status_code == 403
            assert ines.post(path).status_code == 404
        assert theo.get(self.path("connections/consent/company/")).status_code == 403
        assert self.asked("/token") == []

    def test_the_list_says_how_many_companies_are_linked_and_leads_there_and_only_sources_have_a_sync_page(
        self,
    ) -> None:
        page = self.browser.get(self.path("connections/")).content.decode()
        companies = Company.objects.for_organization(self.northwind).filter(is_active=True).count()
        assert f"3 of {companies} linked" in page
        assert f"{self.cloud.pk}/companies/" in page
        assert f"{self.cloud.pk}/sync/" not in page
        assert f"{self.connection.pk}/sync/" in page
        answer = self.browser.get(self.path(f"connections/{self.cloud.pk}/sync/"))
        assert answer["Location"] == self.path(f"connections/{self.cloud.pk}/")

    def test_a_first_connect_leads_to_the_companies(self) -> None:
        key = self.sandbox.sophos["northwind-sophos"]
        answer = self.browser.post(
            self.path("connections/add/sophos/"),
            {
                "label": "Sophos",
                "base_url": key.base_url,
                "client_id": key.client_id,
                "client_secret": key.client_secret,
            },
            follow=True,
        )
        assert answer.redirect_chain[-1][0].endswith("/companies/")
        assert "Next: say which company is which there." in answer.content.decode()

    def test_what_to_grant_is_a_list_for_every_system_whose_rights_are_chosen_one_by_one(self) -> None:
        for vendor, names, copied in (
            ("microsoft365", ("User.ReadWrite.All", "SecurityAlert.Read.All"), True),
            ("connectwise", ("Read companies", "Edit service tickets"), False),
            ("ninjaone", ("Scope Monitoring", "Scope Control"), False),
            ("sophos", ("Service Principal Read-Only", "Service Principal Management"), False),
        ):
            shown = [name for one in rights(VENDORS[vendor]) for name in one.names]
            assert set(names) <= set(shown)
            assert len(shown) == len(set(shown))
            assert all((" " in name) != copied for name in shown)
        for vendor in ("itglue", "pax8", "hudu"):
            assert rights(VENDORS[vendor]) == ()

    def test_a_link_taken_away_takes_its_consent_and_what_was_asked_with_it(self) -> None:
        back = self.sandbox.answer_consent(self.ask(self.brightwater))
        self.link(self.brightwater).delete()
        assert "You asked no company" in self.come_back(back)
        assert not CompanyConsent.objects.for_organization(self.northwind).exists()

    def test_what_a_call_learns_is_kept_and_shown(self) -> None:
        self.call("microsoft365.license_pool", self.harbor)
        with pytest.raises(NotConsented):
            self.call("microsoft365.license_pool", self.brightwater)

        harbors, brightwaters = self.kept(self.harbor), self.kept(self.brightwater)
        assert (harbors.state, harbors.tested_at) == ("given", None)
        assert harbors.used_at is not None
        assert (brightwaters.state, brightwaters.used_at) == ("missing", None)
        page = self.companies()
        assert "Working" in page
        assert "Last used" in page
        self.call("microsoft365.license_pool", self.harbor)
        assert self.kept(self.harbor).used_at == harbors.used_at

        self.sandbox.answer_consent(self.ask(self.brightwater))  # and nobody comes back to us
        self.call("microsoft365.license_pool", self.brightwater)
        assert self.kept(self.brightwater).state == "given"
        assert self.audited() == ["company.consented", "company.consent_asked", "company.consented"]

    def test_all_are_tested_at_once(self) -> None:
        path = self.path(f"connections/{self.cloud.pk}/companies/check/")
        linked = CompanyLink.objects.for_organization(self.northwind).filter(connection=self.cloud).count()
        assert "Test all" in self.companies()

        page = unescape(self.browser.post(path, follow=True).content.decode())

        assert f"{linked - 1} consented, 1 not." in page
        assert self.kept(self.harbor).tested_at is not None
        elsewhere = self.path(f"connections/{self.connection.pk}/companies/check/")
        assert self.browser.post(elsewhere).status_code == 404
        assert self.log_in(self.theo).post(path).status_code == 403
        assert self.log_in(self.ines).post(path).status_code == 404

    def test_a_look_up_by_hand_that_no_consent_stands_behind_leads_to_where_it_is_asked_for(self) -> None:
        signal = SignalFactory(company=self.brightwater, connection=self.connection)
        path = self.path(f"signals/{signal.pk}/tools/microsoft365.find_user/")
        companies = f"connections/{self.cloud.pk}/companies/"
        for by, leads in ((self.adam, True), (self.theo, False)):
            page = self.log_in(by).post(path, {"key": uuid.uuid4().hex, "a-text": "Nora"})
            assert page.status_code == 422
            shown = page.content.decode()
            assert "has not consented to the app" in shown
            assert 'value="Nora"' in shown
            assert (companies in shown) is leads

    def test_the_page_that_asks_says_whether_a_consent_stands(self) -> None:
        assert "tells whether they did" in self.asking(self.brightwater)
        self.come_back(self.sandbox.answer_consent(self.ask(self.brightwater)))

        page = self.asking(self.brightwater)

        assert "They did, and it stands" in page
        assert "no tool of" not in page

    def ask(self, company: Company) -> str:
        """Press the button beside a company; the address of the vendor's page."""
        found = re.search(r'data-kind="primary" href="([^"]+)"', self.asking(company))
        assert found
        return unescape(found[1])

    def asking(self, company: Company) -> str:
        """The page behind the button beside a company."""
        path = self.path(f"connections/{self.cloud.pk}/companies/{self.link(company).pk}/consent/")
        return self.browser.post(path).content.decode()

    def come_back(self, back: str, browser: Client | None = None) -> str:
        """The page on which a browser ends that the vendor's page sent back."""
        parts = urlsplit(back)
        return unescape((browser or self.browser).get(f"{parts.path}?{parts.query}", follow=True).content.decode())

    def companies(self) -> str:
        """The page of companies."""
        return self.browser.get(self.path(f"connections/{self.cloud.pk}/companies/")).content.decode()

    def after_test(self, company: Company) -> str:
        """The page after the button Test of a company."""
        path = self.path(f"connections/{self.cloud.pk}/companies/{self.link(company).pk}/check/")
        return unescape(self.browser.post(path, follow=True).content.decode())

    def withhold(self, company: Company, *permissions: str) -> None:
        """The tenant consents to these no more; to all where none is named."""
        number = self.number("tenants", displayName=company.name)
        self.sandbox.change_cloud("tenants", number, withheld=list(permissions))

    def link(self, company: Company) -> CompanyLink:
        """The company's link."""
        links = CompanyLink.objects.for_organization(self.northwind)
        found: CompanyLink = links.get(connection=self.cloud, company=company)
        return found

    def kept(self, company: Company) -> CompanyConsent:
        """What is known of the company's consent."""
        rows = CompanyConsent.objects.for_organization(self.northwind)
        found: CompanyConsent = rows.select_related("membership").get(link__company=company)
        return found

    def audited(self) -> list[str]:
        """What the log says of consents of companies, in order."""
        rows = AuditEntry.objects.for_organization(self.northwind).filter(verb__startswith="company.consent")
        return list(rows.order_by("number").values_list("verb", flat=True))


def _query(address: str) -> dict[str, Any]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
