"""A ticket that was deleted or merged at its source: its page says so, offers nothing that cannot be, and leads on."""

from __future__ import annotations

from typing import Any

from agent.events import StateChanged
from agent.journal import read_events
from agent.services import open_session
from agent.tasks import end_stopped_sessions
from junto.bells import Keys
from junto.tenants.models import Membership
from tests.cases import JuntoTestCase
from tests.factories import CompanyLinkFactory, ConnectionFactory, MembershipFactory, UserFactory
from tests.signals.deliveries import deliver, stored, ticket


class OverTest(JuntoTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.connection = ConnectionFactory(organization=self.northwind)
        CompanyLinkFactory(company=self.harlow, connection=self.connection, external_id="250")
        CompanyLinkFactory(company=self.pinewood, connection=self.connection, external_id="19")
        deliver(self.connection, ticket(), ticket("48286", subject="The same again", company_external_id="19"))

    def page(self, by: Membership | None = None, number: str = "48213") -> Any:
        self.log_in(by or self.theo)
        return self.client.get(self.path(f"signals/{stored(self.connection, number).pk}/"))

    def assert_nothing_is_offered(self) -> None:
        page = self.page()
        for offer in ("data-start>", "data-tools", "starts fresh", "Choose a company", "opens again"):
            self.assertNotContains(page, offer)

    def test_a_deleted_one_is_not_to_be_started(self) -> None:
        self.assertContains(self.page(), "data-start>")
        deliver(self.connection, ticket(minute=5, deleted=True))
        self.assertContains(self.page(), "This ticket was deleted at its source.")
        self.assert_nothing_is_offered()

    def test_a_merged_one_leads_to_the_one_it_was_merged_into(self) -> None:
        session = open_session(signal=stored(self.connection), actor=self.actor(self.theo))
        deliver(self.connection, ticket(minute=5, merged_into="48286"))
        end_stopped_sessions.call(Keys(str(session.signal_id)))
        other = stored(self.connection, "48286")
        self.assertContains(self.page(), f'<a href="{self.path(f"signals/{other.pk}/")}">48286 The same again</a>')
        self.assert_nothing_is_offered()
        ends = [event for _, event in read_events(session) if isinstance(event, StateChanged)]
        assert (ends[-1].state, ends[-1].by) == ("stopped", "")

    def test_but_not_whom_the_other_is_hidden_from(self) -> None:
        deliver(self.connection, ticket(minute=5, merged_into="48286"))
        limited = MembershipFactory(
            organization=self.northwind,
            user=UserFactory(username="tess"),
            all_companies=False,
            companies=[self.harlow],
        )
        page = self.page(limited)
        self.assertContains(page, "Merged into ticket 48286 at the source.")
        self.assertNotContains(page, "The same again")

    def test_nobody_is_asked_for_the_company_of_one_that_is_over(self) -> None:
        deliver(self.connection, ticket("5", company_external_id="777"))
        self.assertContains(self.page(number="5"), "Choose a company")
        for told in ({"merged_into": "48286"}, {"deleted": True}):
            deliver(self.connection, ticket("5", minute=5, company_external_id="777", **told))
            self.assertNotContains(self.page(number="5"), "Choose a company")
