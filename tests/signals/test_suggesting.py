"""A ticket of no known company: which one it may be, told from mail addresses, and set by one press."""

from __future__ import annotations

from typing import Any

from integrations.contracts import TicketRecord
from integrations.models import Connection
from signals.models import Signal
from tests.cases import JuntoTestCase
from tests.factories import CompanyFactory, ConnectionFactory, ContactFactory, SignalFactory
from tests.signals.deliveries import START, deliver, stored


class SuggestionTests(JuntoTestCase):
    psa: Connection

    def setUp(self) -> None:
        super().setUp()
        self.psa = ConnectionFactory(organization=self.northwind)
        ContactFactory(company=self.harlow, connection=self.psa, email="dana@harlowbeck.example")
        ContactFactory(company=self.pinewood, connection=self.psa, email="pinewood@gmail.com")
        foreign = ConnectionFactory(organization=self.southgate)
        ContactFactory(company=self.quayside, connection=foreign, email="joe@harlowbeck.example")
        self.log_in(self.theo)

    def ticket(self, **fields: Any) -> Signal:
        given = {"organization": self.northwind, "connection": self.psa, "state": "needs_review"}
        signal: Signal = SignalFactory(company=None, **{**given, "description": "", **fields})
        return signal

    def page(self, signal: Signal) -> str:
        return str(self.client.get(self.path(f"signals/{signal.pk}/")).content.decode())

    def suggested(self, signal: Signal) -> list[str]:
        return [part.split('"')[0] for part in self.page(signal).split('name="suggested" value="')[1:]]

    def test_the_senders_domain_leads_to_the_company_that_writes_from_there_and_one_press_sets_it(
        self,
    ) -> None:
        signal = self.ticket(raw={"contactEmailAddress": "new.person@mail.harlowbeck.example"})
        assert self.suggested(signal) == [str(self.harlow.pk)]
        assert "1 contact writes from harlowbeck.example." in self.page(signal)
        self.client.post(
            self.path(f"signals/{signal.pk}/map-company/"), {"company": "", "suggested": str(self.harlow.pk)}
        )
        signal.refresh_from_db()
        assert (signal.company, signal.state) == (self.harlow, "new")

    def test_a_company_may_bear_the_name_of_the_domain(self) -> None:
        birch = CompanyFactory(organization=self.northwind, name="Birch & Sons Ltd")
        assert self.suggested(self.ticket(description="From: x@birchsons.co.uk")) == [str(birch.pk)]

    def test_a_company_that_the_source_calls_nearly_the_same_is_suggested_of_this_msp_alone(self) -> None:
        dental = CompanyFactory(organization=self.northwind, name="Harbor Dental Group")
        CompanyFactory(organization=self.southgate, name="Harbor Dental")
        told = TicketRecord("1", "Printer", START, START, company_external_id="777", company_name="Harbor Dental")
        deliver(self.psa, told)
        signal = stored(self.psa, "1")
        assert self.suggested(signal) == [str(dental.pk)]
        assert "The source calls it “Harbor Dental”." in self.page(signal)
        same = CompanyFactory(organization=self.northwind, name="HARBOR DENTAL Ltd.")
        assert self.suggested(signal) == [str(same.pk)]

    def test_where_anybody_or_the_msp_itself_can_write_from_nothing_is_suggested(self) -> None:
        ContactFactory(company=self.harlow, connection=self.psa, email="guest@example.com")  # Theo's own domain
        for address in ("pinewood@gmail.com", "a@yahoo.co.uk", "theo@example.com", "nobody@unknown.example", "a@b"):
            assert self.suggested(self.ticket(raw={"email": address})) == [], address
