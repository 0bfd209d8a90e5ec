"""Companies, contacts and devices from the source, and tickets as records."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from integrations.errors import VendorNotFound
from integrations.models import CompanyLink, Contact, Device
from integrations.services import check_connection, open_ticket_source, sync_directory
from integrations.tasks import sync_directories
from junto.tenants.models import Company
from junto.tenants.permissions import Permission
from tests.integrations.connected import KESSLER, ConnectedTestCase


class DirectoryTests(ConnectedTestCase):
    def test_every_company_of_the_source_has_a_company_and_a_link(self) -> None:
        there = {str(row["id"]) for row in self.sandbox.stored("companies")}
        links = CompanyLink.objects.for_organization(self.northwind).filter(connection=self.connection)

        assert set(links.values_list("external_id", flat=True)) == there

    def test_people_have_their_rights_on_new_companies(self) -> None:
        assert self.actor(self.theo).can(Permission.VIEW_WORK, self.harbor)
        assert not self.actor(self.ines).can(Permission.VIEW_WORK, self.harbor)

    def test_contacts_and_devices_belong_to_their_company(self) -> None:
        self.sandbox.plant_contact("Orsolya", "Quist", "o.quist@kessler.example", company="KESSLER")
        self.sandbox.plant_device("KES-PRINT-9", company="KESSLER", kind="Printer")

        sync_directory(self.connection)

        contact = Contact.objects.for_organization(self.northwind).get(email="o.quist@kessler.example")
        device = Device.objects.for_organization(self.northwind).get(name="KES-PRINT-9")
        assert contact.company == device.company == self.linked(KESSLER)
        assert (contact.name, device.kind) == ("Orsolya Quist", "Printer")

    def test_a_second_sync_adds_nothing_and_follows_changes(self) -> None:
        contact = self.sandbox.plant_contact("Old", "Name", "same@harbor.example")
        first = sync_directory(self.connection)
        operations = [{"op": "replace", "path": "lastName", "value": "Married"}]
        self.sandbox.change("contacts", contact, operations, owner="northwind")

        second = sync_directory(self.connection)

        assert (second.companies, second.new_companies, second.contacts) == (first.companies, 0, first.contacts)
        assert Contact.objects.for_organization(self.northwind).get(external_id=str(contact)).name == "Old Married"

    def test_two_companies_of_one_name_stay_two(self) -> None:
        self.sandbox.plant_company("TWINONE", "Twin Ltd")
        self.sandbox.plant_company("TWINTWO", "Twin Ltd")

        sync_directory(self.connection)

        names = Company.objects.for_organization(self.northwind).filter(name__startswith="Twin Ltd")
        assert sorted(names.values_list("name", flat=True)) == ["Twin Ltd", "Twin Ltd (TWINTWO)"]

    def test_the_clock_reads_the_directory_of_working_connections(self) -> None:
        check_connection(self.connection)
        self.sandbox.plant_company("LATER", "Later Ltd")

        sync_directories.call()

        assert Company.objects.for_organization(self.northwind).filter(name="Later Ltd").exists()


class TicketSourceTests(ConnectedTestCase):
    def test_a_ticket_comes_with_everything_a_signal_holds(self) -> None:
        contact = self.sandbox.plant_contact("Orsolya", "Quist", "o.quist@harbor.example")
        device = self.sandbox.plant_device("HARBOR-PC-99")
        number = self.sandbox.plant_ticket(
            "Outlook asks for the password",
            "It started this morning.",
            contact=contact,
            configurations=[device],
            notes=[
                {"text": "Called back", "internalAnalysisFlag": True, "by": "theo"},
                {"text": "Please restart", "detailDescriptionFlag": True, "by": "theo"},
            ],
        )

        with closing(open_ticket_source(self.connection)) as source:
            ticket = source.ticket(str(number))

        assert (ticket.subject, ticket.description) == ("Outlook asks for the password", "It started this morning.")
        assert (ticket.company_external_id, ticket.contact_external_id) == ("250", str(contact))
        assert ticket.device_external_ids == (str(device),)
        assert ticket.notes is not None
        assert [(note.text, note.internal) for note in ticket.notes] == [
            ("Called back", True),
            ("Please restart", False),
        ]
        assert not ticket.closed
        assert ticket.board_name == "Service Desk"
        assert ticket.created_at.tzinfo is not None

    def test_changes_come_in_order_and_only_since_the_moment_asked_for(self) -> None:
        before = datetime.now(UTC) - timedelta(seconds=1)
        numbers = [self.sandbox.plant_ticket(f"Number {number}") for number in range(5)]

        with closing(open_ticket_source(self.connection)) as source:
            changed = list(source.changed_since(before))

        assert {int(ticket.external_id) for ticket in changed} == set(numbers)
        assert [ticket.updated_at for ticket in changed] == sorted(ticket.updated_at for ticket in changed)

    def test_more_changes_than_fit_on_a_page_all_come_once(self) -> None:
        record = {"summary": "Flood", "company": {"identifier": "HARBOR"}, "board": {"name": "Alerts"}}
        planted = self.sandbox.plant_many("tickets", [record] * 230)

        with closing(open_ticket_source(self.connection)) as source:
            changed = [ticket.external_id for ticket in source.changed_since(datetime.now(UTC) - timedelta(hours=1))]

        wanted = {str(row["id"]) for row in planted}
        assert wanted <= set(changed)
        assert len(changed) == len(set(changed))

    def test_a_ticket_that_is_gone_is_not_found(self) -> None:
        number = self.sandbox.plant_ticket()
        self.sandbox.delete("tickets", number)

        with closing(open_ticket_source(self.connection)) as source:
            for missing in (str(number), "no number", "1 or id>0"):
                with pytest.raises(VendorNotFound):
                    source.ticket(missing)
