"""A signal that a person enters by hand."""

from __future__ import annotations

import uuid
from typing import Any

from signals.models import Signal
from tests.cases import JuntoTestCase
from tests.factories import BoardFactory, CompanyFactory, ConnectionFactory, ContactFactory, MembershipFactory


class EntryTests(JuntoTestCase):
    def setUp(self) -> None:
        super().setUp()
        psa = ConnectionFactory(organization=self.northwind)
        self.board = BoardFactory(organization=self.northwind, connection=psa)
        self.dana = ContactFactory(company=self.harlow, connection=psa)
        self.log_in(self.theo)

    def enter(self, **changes: Any) -> Any:
        told = {
            "key": str(uuid.uuid4()),
            "company": str(self.harlow.pk),
            "contact": str(self.dana.pk),
            "subject": "The door badge opens nothing",
            "description": "Since this morning.",
            "board": str(self.board.pk),
            "priority": "Priority 2 - High",
        }
        return self.client.post(self.path("signals/new/"), {**told, **changes})

    def entered(self) -> list[Signal]:
        return list(Signal.objects.for_organization(self.northwind).select_related("company", "contact", "board"))

    def test_a_technician_enters_one_and_comes_to_its_page(self) -> None:
        response = self.enter()
        (signal,) = self.entered()
        assert response["Location"] == self.path(f"signals/{signal.pk}/")
        assert (signal.company, signal.contact, signal.board) == (self.harlow, self.dana, self.board)
        assert (signal.state, signal.number, signal.priority_number, signal.has_ticket) == ("new", "", 2, False)
        assert "The door badge opens nothing" in self.client.get(response["Location"]).content.decode()

    def test_the_button_pressed_twice_makes_one(self) -> None:
        key = str(uuid.uuid4())
        assert self.enter(key=key)["Location"] == self.enter(key=key)["Location"]
        assert len(self.entered()) == 1

    def test_what_is_missing_or_belongs_elsewhere_is_said_beside_its_field_and_nothing_is_made(self) -> None:
        stranger = ContactFactory(company=self.pinewood, connection=self.dana.connection)
        for changes in ({"subject": " "}, {"company": ""}, {"contact": str(stranger.pk)}, {"priority": "Priority 9"}):
            response = self.enter(**changes)
            assert response.status_code == 400, changes
            assert 'role="alert"' in response.content.decode(), changes
        foreign = BoardFactory(organization=self.southgate)
        for changes in ({"company": str(self.quayside.pk)}, {"board": str(foreign.pk)}):
            assert self.enter(**changes).status_code == 400, changes
        assert self.entered() == []

    def test_who_is_limited_to_one_company_enters_none_for_another(self) -> None:
        other = CompanyFactory(organization=self.northwind, name="Birch Legal")
        self.log_in(MembershipFactory(organization=self.northwind, all_companies=False, companies=[other]))
        assert self.enter().status_code == 400
        assert self.enter(company=str(other.pk), contact="").status_code == 302
        assert [signal.company for signal in self.entered()] == [other]

    def test_the_contacts_are_those_of_the_chosen_company(self) -> None:
        response = self.client.get(
            self.path("signals/new/"), {"company": str(self.harlow.pk)}, headers={"HX-Target": "contact-field"}
        )
        assert (self.dana.name in response.content.decode(), "<html" in response.content.decode()) == (True, False)
        self.log_in(self.ines)
        own = self.path("signals/new/", organization=self.southgate)
        stranger = self.client.get(own, {"company": str(self.harlow.pk)})
        assert self.dana.name not in stranger.content.decode()
