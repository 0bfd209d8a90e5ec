"""Companies of a connection: who at the vendor is linked to none of ours is told, with the signals that wait for it."""

from __future__ import annotations

import re

from integrations.lifecycle import let_alerts_in
from integrations.matching import accept_suggestions
from integrations.models import CompanyLink
from junto.team.organizations import create_company
from junto.tenants.actors import Actor
from signals import tasks
from signals.models import Signal
from signals.sync.alerts import poll_alerts
from tests.integrations.documented import DocumentedTestCase
from tests.integrations.monitored import MonitoredTestCase


def rows_of(html: str) -> list[str]:
    """The text of each row of the card, without the choices it offers."""
    card = re.search(r'id="linked-to-none".*?</section>', html, re.DOTALL)
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", card[0], re.DOTALL) if card else []
    return [" ".join(re.sub(r"<select.*?</select>|<[^>]*>", " ", row, flags=re.DOTALL).split()) for row in rows]


class LinkedToNoneTests(MonitoredTestCase):
    """All of ours are linked in NinjaOne, which has organizations besides."""

    def setUp(self) -> None:
        super().setUp()
        accept_suggestions(actor=self.actor(self.adam), connection=self.monitoring)
        self.there: dict[str, str] = {}

    def plant(self, *names: str) -> None:
        """Organizations in NinjaOne of these names."""
        for name in names:
            self.there[name] = str(self.sandbox.plant_monitored("organizations", {"name": name})["id"])

    def page(self, query: str = "") -> str:
        path = self.path(f"connections/{self.monitoring.pk}/companies/{query}")
        return str(self.log_in(self.adam).get(path).content.decode())

    def alert_on(self, device: str) -> None:
        """An alert on a device, as the poll brings it."""
        told = {"subject": "Low disk", "message": "C: is full", "sourceType": "CONDITION_X", "severity": "MAJOR"}
        self.sandbox.plant_monitored("alerts", {"deviceId": self.number(device), **told})
        report = poll_alerts(self.monitoring)
        assert report is not None
        assert report.error == ""

    def here(self, name: str) -> None:
        create_company(actor=Actor.system("sync", self.northwind), name=name)

    def test_nothing_is_said_while_all_of_them_are_linked(self) -> None:
        assert "linked to none" not in self.page()

    def test_they_are_counted_and_named_also_where_every_company_here_is_linked(self) -> None:
        self.unlinked_of_ours_end()
        self.plant("Alpine Bakery", "Unknown Org 7")
        html = self.page()
        assert "There, and linked to none: 2" in html
        assert rows_of(html) == [
            f"{name} {self.there[name]} No company of that name here None"
            for name in ("Alpine Bakery", "Unknown Org 7")
        ]
        assert "Every company here is linked." in html

    def test_each_tells_how_many_signals_wait_for_it_those_with_most_first_until_it_is_linked(self) -> None:
        let_alerts_in(actor=self.actor(self.adam), connection=self.monitoring, taken=True)
        links = CompanyLink.objects.for_organization(self.northwind).filter(connection=self.monitoring)
        law = links.get(external_id=str(self.device("BWL-SRV-01")["organizationId"]))
        links.filter(pk=law.pk).delete()
        self.plant("Alpine Bakery")
        self.alert_on("BWL-SRV-01")
        alerts = Signal.objects.for_organization(self.northwind).filter(connection=self.monitoring)
        waiting = alerts.filter(company_external_id=law.external_id, company=None)
        number = waiting.count()
        assert number > 0
        html = self.page()
        assert rows_of(html) == [
            f"{law.external_name} {law.external_id} {law.company.name} Suggested {number} Link",
            f"Alpine Bakery {self.there['Alpine Bakery']} No company of that name here None Link",
        ]
        assert "their alerts wait as" in html

        form = {"company": law.company_id, "external_id": law.external_id}
        self.log_in(self.adam).post(self.path(f"connections/{self.monitoring.pk}/companies/link/"), form)
        tasks.place_waiting.call(str(self.monitoring.pk))
        assert (waiting.count(), alerts.filter(company=law.company_id).count()) == (0, number)
        assert "linked to none: 1" in self.page()

    def test_a_suggestion_is_chosen_already_and_a_like_name_that_is_taken_is_told(self) -> None:
        self.plant("Alpine Bakery Ltd", "Harbor Dental Group (old)")
        self.here("Alpine Bakery")
        html = self.page()
        assert [row.removesuffix(" Link") for row in rows_of(html)] == [
            f"Alpine Bakery Ltd {self.there['Alpine Bakery Ltd']} Alpine Bakery Suggested None",
            f"Harbor Dental Group (old) {self.there['Harbor Dental Group (old)']}"
            " Harbor Dental Group Similar name None",
        ]
        assert html.count(" selected>Alpine Bakery</option>") == 1

    def test_many_are_shown_in_pages_with_their_number(self) -> None:
        self.plant(*(f"Org {number:02}" for number in range(23)))
        assert ("linked to none: 23" in self.page(), len(rows_of(self.page()))) == (True, 20)
        assert [row[:6] for row in rows_of(self.page("?page=2"))] == ["Org 20", "Org 21", "Org 22"]

    def test_a_list_that_cannot_be_read_is_said(self) -> None:
        self.sandbox.fault("status", vendor="ninjaone", path="*/organizations", status=403, count=None)
        html = self.page()
        assert ("have no right to this" in html, "linked to none" in html) == (True, False)

    def unlinked_of_ours_end(self) -> None:
        """Take away those of our companies that NinjaOne does not have."""
        linked = CompanyLink.objects.for_organization(self.northwind).filter(connection=self.monitoring)
        ours = type(self.harbor).objects.for_organization(self.northwind)
        ours.exclude(pk__in=linked.values("company")).delete()


class DocumentationTests(DocumentedTestCase):
    def test_so_it_is_with_another_system_whose_alerts_are_no_signals(self) -> None:
        self.plant_documented("organizations", name="Alpine Bakery")
        path = self.path(f"connections/{self.documentation.pk}/companies/")
        html = self.log_in(self.adam).get(path).content.decode()
        assert [row for row in rows_of(html) if row.startswith("Alpine Bakery")]
        assert "their alerts wait" not in html
