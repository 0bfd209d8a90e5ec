"""The poll of a real PSA over HTTP: the vendor sandbox."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from integrations.models import Connection, Contact, RefusedTicket, SyncCursor
from junto.team.services import limit_to_companies
from junto.tenants.models import Membership
from signals import tasks
from signals.intake import columns
from signals.intake.refused import TRIED_EVERY, remember_refused
from signals.models import Signal
from signals.services import poll_connection
from signals.sync.polling import OVERLAP, STREAM
from tests.integrations.connected import ConnectedTestCase
from tests.signals.deliveries import stored

State = Signal.State


class PollTests(ConnectedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.sandbox.reset()

    def cursor(self) -> SyncCursor:
        return SyncCursor.objects.for_organization(self.northwind).get(connection=self.connection)

    def signal(self, ticket: int) -> Signal:
        return stored(self.connection, str(ticket))

    def read_up_to(self, moment: datetime) -> None:
        """As if polls had read everything before."""
        SyncCursor(organization=self.northwind, connection=self.connection, stream=STREAM, high_water=moment).save()

    def page(self, member: Membership, path: str) -> str:
        return self.log_in(member).get(self.path(path)).content.decode()

    def test_the_first_poll_reads_every_ticket_with_its_company_contact_and_board(self) -> None:
        number = self.sandbox.plant_ticket("Scanner sends nothing", "Since Monday.", notes=[])
        report = poll_connection(self.connection)
        signal = self.signal(number)
        assert report is not None
        assert (report.read, report.refused, report.error) == (
            Signal.objects.for_organization(self.northwind).count(),
            0,
            "",
        )
        assert (signal.subject, signal.description, signal.company) == (
            "Scanner sends nothing",
            "Since Monday.",
            self.harbor,
        )
        assert signal.board is not None
        assert signal.board.name == "Service Desk"
        assert signal.state == State.NEW

    def test_the_next_poll_reads_only_what_changed_and_moves_the_mark(self) -> None:
        self.sandbox.plant_ticket("Old", "Old.", entered="2026-10-01T08:00:00Z")
        poll_connection(self.connection)
        mark = timezone.now() - timedelta(
            minutes=1
        )  # the source counts in seconds, and both tickets may be of the same
        SyncCursor.objects.for_organization(self.northwind).update(high_water=mark)
        number = self.sandbox.plant_ticket("Fresh", "Fresh.")
        report = poll_connection(self.connection)
        assert report is not None
        assert report.changed == 1
        assert self.signal(number).state == State.NEW
        assert self.cursor().high_water > mark

    def test_a_note_and_a_status_set_at_the_source_arrive(self) -> None:
        number = self.sandbox.plant_ticket("Scanner", "Broken.")
        poll_connection(self.connection)
        self.sandbox.plant_note(number, "Ordered a part.")
        self.sandbox.change_ticket(number, status={"name": "Closed"})
        poll_connection(self.connection)
        signal = self.signal(number)
        assert [note.text for note in signal.notes.all()] == ["Ordered a part."]
        assert signal.state == State.RESOLVED

    def test_a_note_says_whether_a_member_or_a_contact_wrote_it_as_far_as_the_source_does(self) -> None:
        number = self.sandbox.plant_ticket("Scanner", "Broken.")
        wendy = self.sandbox.plant_contact("Wendy", "Sato", "wendy@harbor.example")
        self.sandbox.plant_note(number, "By Theo.", internal=False)
        for text, by in (("By Wendy.", {"contact": {"id": wendy}}), ("By mail.", {})):
            self.sandbox.plant("notes", {"ticketId": number, "text": text, "detailDescriptionFlag": True, **by})
        poll_connection(self.connection)
        told = {note.text: note.by_client for note in self.signal(number).notes.all()}
        assert told == {"By Theo.": False, "By Wendy.": True, "By mail.": None}

    def test_time_booked_at_the_source_and_the_names_of_files_arrive(self) -> None:
        number = self.sandbox.plant_ticket("Scanner", "Broken.")
        entry = {"timeStart": "2026-11-20T09:00:00Z", "timeEnd": "2026-11-20T09:45:00Z", "billableOption": "Billable"}
        charged = {"chargeToId": number, "chargeToType": "ServiceTicket", "notes": "New roller."}
        self.sandbox.plant("time-entries", {**entry, **charged, "member": {"identifier": "theo"}})
        self.sandbox.plant(
            "documents",
            {"recordType": "Ticket", "recordId": number, "title": "Photo", "fileName": "roller.jpg", "size": 2048},
        )
        poll_connection(self.connection)
        [booked], [file] = self.signal(number).time_entries.all(), self.signal(number).attachments.all()
        assert (booked.minutes, booked.billable, booked.text) == (45, True, "New roller.")
        assert (file.name, file.size) == ("roller.jpg", 2048)

    def test_a_ticket_of_a_company_and_contact_not_known_yet_makes_the_poll_read_the_directory(self) -> None:
        poll_connection(self.connection)
        self.sandbox.plant_company("LARKSPUR", "Larkspur Garden Centre")
        contact = self.sandbox.plant_contact("Nia", "Cole", "nia@larkspur.example", company="LARKSPUR")
        number = self.sandbox.plant_ticket("Till offline", "It beeps.", company="LARKSPUR", contact=contact)
        poll_connection(self.connection)
        signal = self.signal(number)
        assert signal.company is not None
        assert (signal.company.name, signal.state) == ("Larkspur Garden Centre", State.NEW)
        assert signal.contact == Contact.objects.for_organization(self.northwind).get(external_id=str(contact))

    def test_two_polls_at_once_do_not_overlap(self) -> None:
        poll_connection(self.connection)
        rows = SyncCursor.objects.for_organization(self.northwind)
        rows.update(running_until=timezone.now() + timedelta(minutes=1))
        assert poll_connection(self.connection) is None

    def test_a_poll_that_died_is_followed_by_another_when_its_lease_ends(self) -> None:
        poll_connection(self.connection)
        rows = SyncCursor.objects.for_organization(self.northwind)
        rows.update(running_until=timezone.now() - timedelta(seconds=1))
        assert poll_connection(self.connection) is not None

    def test_a_failing_vendor_is_told_on_the_connection_and_nothing_is_lost(self) -> None:
        poll_connection(self.connection)
        number = self.sandbox.plant_ticket("Scanner", "Broken.")
        for fault in (
            {"kind": "status", "status": 401},
            {"kind": "status", "status": 500},
            {"kind": "html"},
            {"kind": "truncated"},
            {"kind": "cut_before"},
        ):
            self.sandbox.fault(count=None, **fault)
            report = poll_connection(self.connection)
            self.sandbox.clear_faults()
            assert report is not None
            assert report.error
            row = Connection.objects.for_organization(self.northwind).get(pk=self.connection.pk)
            assert (row.state, row.state_detail) == (Connection.State.FAILING, report.error)
            assert self.cursor().error == report.error
            assert self.cursor().running_until is None
        poll_connection(self.connection)
        assert self.signal(number).state == State.NEW
        row = Connection.objects.for_organization(self.northwind).get(pk=self.connection.pk)
        assert (row.state, row.state_detail, self.cursor().error) == (Connection.State.OK, "", "")

    def test_a_ticket_that_cannot_be_stored_is_told_on_the_pages_until_it_is(self) -> None:
        self.read_up_to(timezone.now() + OVERLAP)
        number = self.sandbox.plant_ticket("Fresh", "Ring us.")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(columns, "CLOCK_LEEWAY", timedelta(days=-1))  # what changed today is from the future
            report = poll_connection(self.connection)
        assert report is not None
        assert report.refused == 1
        assert f"Ticket {number}: updated_at is" in self.page(self.adam, "connections/")
        assert f"1 ticket could not be taken in and is missing here: {number}." in self.page(self.theo, "signals/")
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.theo, all_companies=False, companies=[self.kessler]
        )
        assert "could not be taken in" not in self.page(self.theo, "signals/")
        poll_connection(self.connection)
        assert self.signal(number).subject == "Fresh"
        assert "could not be taken in" not in self.page(self.adam, "connections/")
        assert "could not be taken in" not in self.page(self.adam, "signals/")

    def test_one_that_is_tried_again_and_gone_at_the_source_is_forgotten(self) -> None:
        kept = self.sandbox.plant_ticket("Passed over", "Ring us.", entered="2026-10-01T08:00:00Z")
        self.read_up_to(timezone.now())
        remember_refused(self.connection, {str(kept): "The database did not take it.", "999999": "Nor this."})
        refused = RefusedTicket.objects.for_organization(self.northwind)
        refused.update(tried_at=timezone.now() - TRIED_EVERY - timedelta(seconds=1))
        poll_connection(self.connection)
        assert self.signal(kept).subject == "Passed over"
        assert not refused.exists()

    def test_the_clock_polls_every_ticket_source_but_not_a_paused_one(self) -> None:
        number = self.sandbox.plant_ticket("Scanner", "Broken.")
        Connection.objects.for_organization(self.northwind).update(state=Connection.State.PAUSED)
        tasks.poll_all.call("")
        self.drain()
        assert not Signal.objects.for_organization(self.northwind).exists()
        Connection.objects.for_organization(self.northwind).update(state=Connection.State.OK)
        self.settings.BELLS = {**self.settings.BELLS, "signal.changed": []}
        tasks.poll_all.call("")
        self.drain()
        assert self.signal(number).state == State.NEW
