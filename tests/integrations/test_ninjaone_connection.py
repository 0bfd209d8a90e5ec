"""Connecting NinjaOne in the browser, and saying which company is which there."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.matching import same_name
from integrations.models import CompanyLink, Connection
from integrations.services import offered_tools
from integrations.tasks import sync_directories
from signals.tasks import poll_connection
from tests.integrations.connected import ConnectedTestCase


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Maison Laurent & Fils", "MAISON LAURENT ET FILS", True),
        ("Kessler Maschinenbau GmbH", "Kessler Maschinenbau", True),
        ("Café Müller", "cafe muller ltd.", True),
        ("Harbor Dental Group", "Harbor Dental", False),
        ("GmbH", "Ltd", False),
    ],
)
def test_names_are_compared_by_what_tells_them_apart(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same


class ConnectingTests(ConnectedTestCase):
    def add(self, **changed: str) -> Any:
        """Enter what the sandbox's NinjaOne takes, with changes."""
        key = self.sandbox.ninjaone["northwind-rmm"]
        typed = {
            "label": "NinjaOne",
            "base_url": key.base_url,
            "client_id": key.client_id,
            "client_secret": key.client_secret,
            **changed,
        }
        return self.log_in(self.adam).post(self.path("connections/add/ninjaone/"), typed, follow=True)

    def companies_page(self) -> str:
        """The path of the page that links companies."""
        return self.path(f"connections/{self.stored().pk}/companies/")

    def stored(self) -> Connection:
        """The connection to NinjaOne."""
        found: Connection = Connection.objects.for_organization(self.northwind).get(vendor="ninjaone")
        return found

    def test_the_page_offers_it_says_what_to_make_there_and_tries_it_at_once(self) -> None:
        browser = self.log_in(self.adam)
        assert "/connections/add/ninjaone/" in browser.get(self.path("connections/")).content.decode()
        form = browser.get(self.path("connections/add/ninjaone/")).content.decode()
        assert "Client App IDs" in form
        assert "us2, eu, oc or ca" in form
        html = self.add().content.decode()

        assert "NinjaOne answers, and the credentials are accepted." in html
        assert self.stored().state == Connection.State.OK
        assert self.sandbox.ninjaone["northwind-rmm"].client_secret not in html

    def test_a_wrong_secret_is_kept_as_failing_with_the_vendors_word(self) -> None:
        html = self.add(client_secret="wrong-one").content.decode()

        assert "invalid_client" in html
        assert "wrong-one" not in html
        assert self.stored().state == Connection.State.FAILING

    def test_suggested_companies_are_linked_together_and_have_its_tools_then(self) -> None:
        self.add()
        browser, page = self.log_in(self.adam), self.companies_page()
        html = browser.get(page).content.decode()
        assert html.count('type="checkbox" name="external_id" value=') == 4
        assert html.count(" checked> <span>") == 4
        assert not self.vendor_is_offered()
        browser.post(f"{page}accept/", {"external_id": ["31", "32"]})

        linked = CompanyLink.objects.for_organization(self.northwind).filter(connection=self.stored())
        assert {(one.company.name, one.external_id) for one in linked} == {
            ("Harbor Dental Group", "31"),
            ("Kessler Maschinenbau GmbH", "32"),
        }
        assert self.vendor_is_offered()

    def test_a_similar_name_is_shown_and_not_ticked_and_two_alike_are_not_suggested(self) -> None:
        self.add()
        for name in ("Pinewood", "Oakfield Group North", "Oakfield Group South"):
            self.sandbox.plant_monitored("organizations", {"name": name})
        html = self.log_in(self.adam).get(self.companies_page()).content.decode()

        assert "Similar name" in html
        assert html.count(" checked> <span>") == 4

    def test_when_it_does_not_answer_the_page_says_so_and_still_links_by_hand(self) -> None:
        self.add()
        self.sandbox.fault("status", vendor="ninjaone", path="*/organizations", status=403, count=None)
        html = self.log_in(self.adam).get(self.companies_page()).content.decode()

        assert "have no right to this" in html
        assert "Id there" in html

    def test_the_poll_leaves_it_alone(self) -> None:
        self.add()
        asked = len(self.sandbox.log())
        poll_connection.call(str(self.stored().pk))

        assert len(self.sandbox.log()) == asked
        assert self.stored().state == Connection.State.OK

    def test_the_clock_tries_it_and_says_when_it_fails_and_when_it_works_again(self) -> None:
        self.add()
        self.sandbox.fault("status", vendor="ninjaone", path="*/organizations", status=403, count=1)
        sync_directories.call()
        assert self.stored().state == Connection.State.FAILING
        assert "no right to this" in self.stored().state_detail
        sync_directories.call()

        assert self.stored().state == Connection.State.OK

    def test_others_of_the_organization_may_not_link(self) -> None:
        self.add()
        answer = self.log_in(self.theo).post(f"{self.companies_page()}accept/", {"external_id": ["31"]})

        assert answer.status_code == 403
        assert not CompanyLink.objects.for_organization(self.northwind).filter(connection=self.stored()).exists()

    def vendor_is_offered(self) -> bool:
        """Whether NinjaOne's tools are offered for Harbor."""
        return "ninjaone" in {tool.vendor for tool in offered_tools(organization=self.northwind, company=self.harbor)}
