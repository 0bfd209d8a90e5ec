"""The pages of a connection: add, test, rotate, map, pause and remove it, and who may not."""

from __future__ import annotations

from django.test import Client

from integrations.models import CompanyLink, Connection
from integrations.services import check_connection, offered_tools
from integrations.tools import registry
from integrations.vendors import VENDORS
from junto.audit.models import AuditEntry
from tests.factories import ConnectionFactory
from tests.integrations.connected import ConnectedTestCase


class PageTests(ConnectedTestCase):
    def test_an_admin_sees_the_connection_and_never_its_credentials(self) -> None:
        browser = self.log_in(self.adam)
        for page in (self.path("connections/"), self.path(f"connections/{self.connection.pk}/")):
            answer = browser.get(page)
            assert answer.status_code == 200
            html = answer.content.decode()
            assert "ConnectWise PSA" in html
            credentials = self.credentials("northwind")
            for name in ("private_key", "public_key", "client_id"):
                assert credentials[name] not in html
            assert self.connection.sealed_credentials not in html

    def test_a_connection_is_added_and_tried_at_once(self) -> None:
        browser = self.log_in(self.ines)

        answer = browser.post(
            self.path("connections/add/connectwise/", organization=self.southgate),
            {
                "label": "PSA",
                "base_url": f"{self.sandbox.base_url}/connectwise",
                **self.credentials("southgate"),
            },
        )

        assert answer.status_code == 302
        added = Connection.objects.for_organization(self.southgate).get()
        assert added.state == Connection.State.OK

    def test_every_system_that_is_not_connected_is_offered(self) -> None:
        answer = self.log_in(self.adam).get(self.path("connections/"))
        offered = {slug for slug in VENDORS if self.path(f"connections/add/{slug}/") in answer.content.decode()}
        assert offered == set(VENDORS) - {self.connection.vendor}

    def test_half_of_the_credentials_is_a_mistake(self) -> None:
        answer = self.log_in(self.adam).post(
            self.path(f"connections/{self.connection.pk}/"),
            {"label": "PSA", "base_url": self.connection.base_url, "private_key": "s3cret-typed"},
        )

        assert answer.status_code == 400
        assert "Enter all of the credentials" in answer.content.decode()
        assert "s3cret-typed" not in answer.content.decode()

    def test_another_host_without_credentials_changes_nothing(self) -> None:
        answer = self.log_in(self.adam).post(
            self.path(f"connections/{self.connection.pk}/"), {"label": "PSA", "base_url": "https://psa.example.com"}
        )

        assert "This is another host." in answer.content.decode()
        before = self.connection.sealed_credentials
        self.connection.refresh_from_db()
        assert self.connection.sealed_credentials == before

    def test_the_page_says_what_no_reading_shows_and_which_rights_changes_need(self) -> None:
        page = self.log_in(self.adam).get(self.path(f"connections/{self.connection.pk}/")).content.decode()
        assert "a key that may only read passes" in page
        assert "Edit service tickets" in page
        assert "Add time entries" in page
        assert "Read companies" not in page.partition("What the test does not show")[2].partition("</details>")[0]

    def test_the_test_button_says_what_is_wrong(self) -> None:
        self.sandbox.fault("status", status=403, count=None)

        answer = self.log_in(self.adam).post(self.path(f"connections/{self.connection.pk}/test/"), follow=True)

        assert "have no right to this" in answer.content.decode()

    def test_a_button_leads_back_to_the_page_that_it_stood_on(self) -> None:
        browser, own = self.log_in(self.adam), self.path(f"connections/{self.connection.pk}/")

        for deed in ({}, {"paused": "yes"}):
            path = f"{own}{'pause' if deed else 'test'}/"
            assert 'name="page" value="own"' in browser.get(own).content.decode().partition(path)[2][:300]
            assert browser.post(path, deed | {"page": "own"})["location"] == own
            assert browser.post(path, deed)["location"] == self.path("connections/")
            assert browser.post(path, deed | {"page": "https://southgate.example/"})["location"] == self.path(
                "connections/"
            )

    def test_a_paused_connection_goes_on_when_told(self) -> None:
        browser, path = self.log_in(self.adam), self.path(f"connections/{self.connection.pk}/pause/")

        browser.post(path, {"paused": "yes"})
        assert self.state() == Connection.State.PAUSED
        browser.post(path, {"paused": "no"})
        assert self.state() == Connection.State.UNTESTED

    def test_new_credentials_are_tried_before_the_former_ones_go(self) -> None:
        browser = self.log_in(self.adam)
        path = self.path(f"connections/{self.connection.pk}/")
        form = {"label": "PSA", "base_url": self.connection.base_url}

        wrong = browser.post(path, form | self.credentials("northwind") | {"private_key": "no-such-key"})
        assert "The former credentials are kept." in wrong.content.decode()
        assert check_connection(self.connection).ok

        browser.post(path, form | self.credentials("northwind-readonly"))
        self.connection.refresh_from_db()
        assert check_connection(self.connection).ok
        assert AuditEntry.objects.for_organization(self.northwind).filter(verb="connection.rotated").count() == 1

    def test_the_page_tells_how_the_connection_fares(self) -> None:
        browser = self.log_in(self.adam)

        page = browser.get(self.path(f"connections/{self.connection.pk}/")).content.decode()

        assert "Last 24 hours" in page
        assert "failed (0.0 %)" in page
        assert "ConnectWise PSA does not tell. Junto sends at most 1200 requests a minute." in page
        assert "What to create in ConnectWise PSA" in page

    def test_a_removed_connection_leaves_its_tickets_and_comes_back_as_the_same(self) -> None:
        browser = self.log_in(self.adam)
        path = self.path(f"connections/{self.connection.pk}/remove/")
        page = browser.get(path).content.decode()
        assert "Company links" in page
        assert "remove the webhook on the page of the connection first" in page

        browser.post(path)

        self.connection.refresh_from_db()
        assert self.connection.sealed_credentials == ""
        assert not CompanyLink.objects.for_organization(self.northwind).filter(connection=self.connection).exists()
        assert offered_tools(organization=self.northwind, company=self.harbor) == registry.offered(())
        assert browser.get(self.path(f"connections/{self.connection.pk}/")).status_code == 404

        form = {"label": "PSA", "base_url": self.connection.base_url} | self.credentials("northwind")
        browser.post(self.path("connections/add/connectwise/"), form)
        again = Connection.objects.for_organization(self.northwind).get(vendor="connectwise")
        assert (again.pk, again.removed_at, again.state) == (self.connection.pk, None, Connection.State.OK)

    def test_nothing_is_said_of_a_webhook_where_the_vendor_sends_none(self) -> None:
        quiet = ConnectionFactory(organization=self.northwind, vendor="sophos", label="Sophos")
        page = self.log_in(self.adam).get(self.path(f"connections/{quiet.pk}/remove/")).content.decode()
        assert "Company links" in page
        assert "ebhook" not in page

    def test_a_company_is_linked_and_unlinked(self) -> None:
        browser = self.log_in(self.adam)
        base = self.path(f"connections/{self.connection.pk}/companies/")

        there = self.sandbox.plant_company("PINEWOOD", "Pinewood Clinic Ltd")
        browser.post(f"{base}link/", {"company": self.pinewood.pk, "external_id": f" {there}"})
        link = CompanyLink.objects.for_organization(self.northwind).get(company=self.pinewood)
        assert (link.external_id, link.external_name) == (str(there), "Pinewood Clinic Ltd")
        assert "Pinewood Clinic Ltd" in browser.get(base).content.decode()
        assert "Pinewood Clinic Ltd" in browser.get(f"{base}{link.pk}/unlink/").content.decode()
        assert CompanyLink.objects.for_organization(self.northwind).filter(company=self.pinewood).exists()
        browser.post(f"{base}{link.pk}/unlink/")
        assert not CompanyLink.objects.for_organization(self.northwind).filter(company=self.pinewood).exists()

    def test_a_counterpart_that_is_taken_cannot_be_linked_twice(self) -> None:
        base = self.path(f"connections/{self.connection.pk}/companies/")

        answer = self.log_in(self.adam).post(
            f"{base}link/", {"company": self.pinewood.pk, "external_id": "250"}, follow=True
        )

        assert "linked already" in answer.content.decode()

    def test_only_what_the_vendor_knows_is_linked(self) -> None:
        base, browser = self.path(f"connections/{self.connection.pk}/companies/"), self.log_in(self.adam)
        for external_id, words in (("999999", "knows no company 999999"), ("Harbor", "no id of a company")):
            form = {"company": self.pinewood.pk, "external_id": external_id}
            assert words in browser.post(f"{base}link/", form, follow=True).content.decode()
        assert not CompanyLink.objects.for_organization(self.northwind).filter(company=self.pinewood).exists()

    def test_others_of_the_organization_are_forbidden_and_strangers_find_nothing(self) -> None:
        link = CompanyLink.objects.for_organization(self.northwind).filter(connection=self.connection)[0]
        paths = [
            ("get", "connections/"),
            ("get", f"connections/{self.connection.pk}/"),
            ("get", f"connections/{self.connection.pk}/companies/"),
            ("post", f"connections/{self.connection.pk}/test/"),
            ("get", f"connections/{self.connection.pk}/remove/"),
            ("post", f"connections/{self.connection.pk}/remove/"),
            ("post", f"connections/{self.connection.pk}/pause/"),
            ("post", f"connections/{self.connection.pk}/companies/link/"),
            ("post", f"connections/{self.connection.pk}/companies/{link.pk}/unlink/"),
            ("get", f"connections/{self.connection.pk}/companies/{link.pk}/unlink/"),
        ]
        theo, ines = self.log_in(self.theo, Client()), self.log_in(self.ines, Client())
        for method, path in paths:
            assert getattr(theo, method)(self.path(path)).status_code == 403, path
            assert getattr(ines, method)(self.path(path)).status_code == 404, path
            if path != "connections/":
                own = self.path(path, organization=self.southgate)
                assert getattr(ines, method)(own).status_code == 404, path

    def state(self) -> str:
        """The connection's state as stored."""
        self.connection.refresh_from_db()
        return self.connection.state
