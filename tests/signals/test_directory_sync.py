"""Companies, contacts and devices through the REST API: in any order, as often as one likes, nothing lost."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.models import CompanyLink, Contact, Device
from integrations.services import link_company
from junto.audit.models import AuditEntry
from junto.inbox.models import Notification
from junto.tenants.models import Company
from junto.tenants.permissions import Permission
from signals.models import Signal
from tests.cases import JuntoTestCase
from tests.factories import ConnectionFactory, SignalFactory

EARLY, LATE = "2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z"
LARKSPUR = {"external_id": "900", "updated_at": EARLY, "name": "Larkspur Foods"}
DANA = {
    "external_id": "7",
    "updated_at": EARLY,
    "company": "900",
    "name": "Dana Whitfield",
    "email": "d@larkspur.example",
}
PRINTER = {"external_id": "31", "updated_at": EARLY, "company": "900", "name": "LF-PRN-1", "kind": "Printer"}


class DirectoryCase(JuntoTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.psa = ConnectionFactory(organization=self.northwind)
        self.secret = self.token(self.adam, "companies:sync")

    def send(self, what: str, *items: Any, slug: str = "northwind", secret: str = "", query: str = "") -> Any:
        return self.client.post(
            f"/api/v1/{slug}/{what}/sync{query}",
            data=json.dumps({"connection": "connectwise", "items": list(items)}),
            content_type="application/json",
            headers={"authorization": f"Bearer {secret or self.secret}"},
        )

    def outcomes(self, what: str, *items: Any) -> list[str]:
        answer = self.send(what, *items)
        assert answer.status_code == 200, answer.content
        return [one["outcome"] for one in answer.json()["results"]]

    def company(self, external_id: str = "900") -> Company:
        return CompanyLink.objects.for_organization(self.northwind).get(external_id=external_id).company


class BorderTests(DirectoryCase):
    def test_the_token_of_a_rival_is_a_404_and_one_without_the_scope_a_403(self) -> None:
        rival = self.token(self.ines, "companies:sync")
        other = self.token(self.adam, "signals:write")
        for what in ("companies", "contacts", "devices"):
            assert self.send(what, LARKSPUR, secret=rival).status_code == 404
            assert self.send(what, LARKSPUR, secret=other).status_code == 403

    def test_a_rivals_company_of_the_same_id_is_not_touched(self) -> None:
        ConnectionFactory(organization=self.southgate)
        self.send("companies", LARKSPUR, slug="southgate", secret=self.token(self.ines, "companies:sync"))
        self.send("companies", LARKSPUR | {"updated_at": LATE, "deleted": True})
        theirs = CompanyLink.objects.for_organization(self.southgate).get(external_id="900")
        assert (theirs.gone_at, theirs.company.name) == (None, "Larkspur Foods")


class DeliveryTests(DirectoryCase):
    def test_what_is_delivered_is_there_with_its_rights(self) -> None:
        assert self.outcomes("companies", LARKSPUR) == ["created"]
        assert self.outcomes("contacts", DANA) == ["created"]
        assert self.outcomes("devices", PRINTER) == ["created"]
        company = self.company()
        assert self.actor(self.theo).can(Permission.VIEW_WORK, company)
        assert Contact.objects.for_organization(self.northwind).get(external_id="7").company == company
        assert Device.objects.for_organization(self.northwind).get(external_id="31").kind == "Printer"

    def test_a_company_of_a_name_that_another_bears_is_told_apart_in_whatever_case_and_without_a_short_name(
        self,
    ) -> None:
        self.send("companies", LARKSPUR)
        shout = LARKSPUR | {"external_id": "901", "name": "LARKSPUR foods"}
        shout.pop("identifier", None)
        assert self.outcomes("companies", shout) == ["created"]
        link = CompanyLink.objects.for_organization(self.northwind).select_related("company").get(external_id="901")
        assert link.company.name == "LARKSPUR foods (901)"

    def test_repeats_and_older_words_change_nothing_and_newer_ones_do(self) -> None:
        self.send("companies", LARKSPUR)
        renamed = LARKSPUR | {"updated_at": LATE, "name": "Larkspur Group"}
        assert self.outcomes("companies", LARKSPUR, renamed, renamed) == ["stale", "unchanged", "updated"]
        assert self.outcomes("companies", LARKSPUR) == ["stale"]
        assert self.company().name == "Larkspur Group"

    def test_every_order_of_the_same_words_ends_alike(self) -> None:
        words = [
            ("companies", LARKSPUR),
            ("contacts", DANA),
            ("contacts", DANA | {"updated_at": LATE, "name": "Dana Reed"}),
            ("devices", PRINTER),
            ("devices", PRINTER | {"updated_at": LATE, "deleted": True}),
        ]
        ends = set()
        for number, order in enumerate(itertools.permutations(words)):
            if number % 20:  # each costs five requests
                continue
            for what, item in order:
                moved = {"external_id": f"{number}-{item['external_id']}"}
                named = {"company": f"{number}-900"} if "company" in item else {"name": f"Larkspur {number}"}
                self.send(what, item | moved | named)
            contact = Contact.objects.for_organization(self.northwind).get(external_id=f"{number}-7")
            devices = Device.objects.for_organization(self.northwind).filter(external_id=f"{number}-31", gone_at=None)
            ends.add((contact.name, contact.company.name == f"Larkspur {number}", devices.count()))
        assert ends == {("Dana Reed", True, 0)}

    def test_a_bad_item_is_refused_alone_by_its_field(self) -> None:
        answer = self.send(
            "contacts",
            DANA | {"company": ""},
            DANA | {"shoe": 43},
            DANA | {"updated_at": "2099-01-01T00:00:00Z"},
            "nonsense",
            DANA | {"external_id": "x" * 81},
            DANA,
        ).json()
        reasons = [one["reason"] for one in answer["results"]]
        assert [one["outcome"] for one in answer["results"]] == ["refused"] * 5 + ["created"]
        assert reasons[0].startswith("company is empty")
        assert reasons[1].startswith("shoe: There is no such field")
        assert "in the future" in reasons[2]
        assert "80" in reasons[4]

    def test_a_dry_run_says_the_same_and_keeps_nothing(self) -> None:
        answer = self.send("companies", LARKSPUR, query="?dry_run=1").json()
        assert (answer["dry_run"], answer["results"][0]["outcome"], answer["results"][0]["id"]) == (
            True,
            "created",
            None,
        )
        assert not CompanyLink.objects.for_organization(self.northwind).exists()
        assert not AuditEntry.objects.for_organization(self.northwind).filter(verb="companies.synced").exists()

    @pytest.mark.slow
    def test_a_thousand_take_as_many_queries_as_ten(self) -> None:
        # large inserts are cut to what the database takes at once: a company has a row for each right of each role
        for what, base, more in (("companies", LARKSPUR, 200), ("contacts", DANA, 40), ("devices", PRINTER, 40)):
            counts = []
            for size in (10, 1000):
                items = [base | {"external_id": f"{size}-{n}", "name": f"{what} {size} {n}"} for n in range(size)]
                with CaptureQueriesContext(database) as queries:
                    assert self.send(what, *items).json()["counts"] == {"created": size}
                counts.append(len(queries))
            assert counts[1] < counts[0] + more, (what, counts)


class WaitingTests(DirectoryCase):
    def test_a_contact_waits_for_its_company_and_takes_its_place_when_that_comes(self) -> None:
        [result] = self.send("contacts", DANA).json()["results"]
        assert (result["outcome"], result["id"]) == ("created", None)
        assert result["reason"] == "Company 900 is not known yet: this is kept, and used when it comes."
        self.send("companies", LARKSPUR)
        assert Contact.objects.for_organization(self.northwind).get(external_id="7").company == self.company()

    def test_a_company_that_a_person_links_takes_what_waited_for_it(self) -> None:
        self.send("devices", PRINTER)
        link_company(actor=self.actor(self.adam), connection=self.psa, company=self.harlow, external_id="900")
        assert Device.objects.for_organization(self.northwind).get(external_id="31").company == self.harlow

    def test_a_signal_that_waited_for_its_company_contact_and_device_gets_them(self) -> None:
        signal = SignalFactory(
            company=None,
            organization=self.northwind,
            connection=self.psa,
            state=Signal.State.NEEDS_REVIEW,
            company_external_id="900",
            contact_external_id="7",
            device_external_id="31",
        )
        for what, item in (("companies", LARKSPUR), ("contacts", DANA), ("devices", PRINTER)):
            self.send(what, item)
            self.drain()
        signal.refresh_from_db()
        assert (signal.company, signal.contact.name, signal.device.name) == (
            self.company(),
            "Dana Whitfield",
            "LF-PRN-1",
        )
        assert signal.state != Signal.State.NEEDS_REVIEW


class DeletionTests(DirectoryCase):
    def test_a_company_gone_at_the_source_stays_with_its_history_and_people_are_told(self) -> None:
        self.send("companies", LARKSPUR)
        signal = SignalFactory(company=self.company())
        assert self.outcomes("companies", {"external_id": "900", "updated_at": LATE, "deleted": True}) == ["gone"]
        signal.refresh_from_db()
        assert signal.company == self.company()
        told = Notification.objects.for_organization(self.northwind).filter(kind="directory.gone")
        assert {one.membership for one in told} == {self.olivia, self.adam}
        page = self.log_in(self.adam).get(self.path(f"connections/{self.psa.pk}/companies/"))
        self.assertContains(page, "Gone there since")

    def test_a_deletion_that_comes_first_is_not_undone_by_an_older_word(self) -> None:
        assert self.outcomes("contacts", DANA | {"updated_at": LATE, "deleted": True}) == ["gone"]
        self.send("companies", LARKSPUR)
        assert self.outcomes("contacts", DANA) == ["stale"]
        assert not Contact.objects.for_organization(self.northwind).exists()

    def test_one_that_comes_back_is_there_again(self) -> None:
        self.send("companies", LARKSPUR, LARKSPUR | {"updated_at": LATE, "deleted": True})
        assert self.outcomes("companies", LARKSPUR | {"updated_at": "2026-11-20T11:00:00Z"}) == ["updated"]
        assert CompanyLink.objects.for_organization(self.northwind).get(external_id="900").gone_at is None
