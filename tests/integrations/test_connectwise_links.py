"""ConnectWise's schedule, files, device links and merges; and where a note stands and under whose name."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.errors import TargetRefused
from tests.integrations.connected import ConnectedTestCase

MORNING = {"start": "2026-11-20T09:00:00Z", "minutes": 30}
DAY = {"start": "2026-11-20T00:00:00Z", "end": "2026-11-21T00:00:00Z"}


class ScheduleTests(ConnectedTestCase):
    def test_a_booking_of_another_client_is_busy_time_and_nothing_more(self) -> None:
        mine = self.sandbox.plant_ticket("Replace the toner")
        other = self.sandbox.plant_ticket("Kessler is moving its server", company="KESSLER")
        self.book(mine, "09:00", "09:30")
        self.book(other, "13:00", "15:00")

        found: Any = self.call("connectwise.list_schedule", member="theo", **DAY).content

        first, second = found["bookings"]
        assert (first["ticket_id"], first["about"]) == (mine, "Replace the toner")
        assert second == {
            "member": "theo",
            "start": "2026-11-20T13:00:00Z",
            "end": "2026-11-20T15:00:00Z",
            "done": False,
        }

    def test_the_card_of_a_booking_shows_what_else_is_booked_then(self) -> None:
        self.book(self.sandbox.plant_ticket("Kessler is moving", company="KESSLER"), "08:45", "09:15")
        ticket = self.sandbox.plant_ticket()

        preview = self.preview("connectwise.schedule_ticket", ticket_id=ticket, member="theo", **MORNING)

        assert preview.changes[0].after.endswith(", 2026-11-20 09:00 to 09:30 UTC")
        assert preview.changes[1].after == "08:45 to 09:15"
        assert "Kessler" not in str(preview)

    def test_a_booking_puts_the_member_on_the_ticket(self) -> None:
        ticket = self.sandbox.plant_ticket()

        self.call("connectwise.schedule_ticket", ticket_id=ticket, member="theo", **MORNING)

        assert self.sandbox.stored("tickets", ticket)["resources"] == "theo"

    def book(self, ticket: int, start: str, end: str) -> None:
        """Somebody books Theo."""
        record = {"type": {"identifier": "S"}, "objectId": ticket, "member": {"identifier": "theo"}}
        times = {"dateStart": f"2026-11-20T{start}:00Z", "dateEnd": f"2026-11-20T{end}:00Z"}
        self.sandbox.plant("schedule-entries", {**record, **times})


class LinkTests(ConnectedTestCase):
    def test_the_files_of_a_ticket_are_listed(self) -> None:
        ticket = self.sandbox.plant_ticket()
        of_ticket = {"recordType": "Ticket", "recordId": ticket}
        self.sandbox.plant("documents", {"title": "Log", "fileName": "spooler.log", "size": 512, **of_ticket})

        found: Any = self.call("connectwise.list_attachments", ticket_id=ticket).content

        assert [(row["file"], row["bytes"]) for row in found["attachments"]] == [("spooler.log", 512)]

    def test_a_device_of_another_client_is_never_attached(self) -> None:
        ticket = self.sandbox.plant_ticket()
        device = self.sandbox.plant_device("KES-1", company="KESSLER")

        with pytest.raises(TargetRefused):
            self.call("connectwise.attach_configuration", ticket_id=ticket, configuration_id=device)

        assert self.sandbox.effects() == []

    def test_attaching_shows_the_devices_before_and_after(self) -> None:
        ticket = self.sandbox.plant_ticket(configurations=[self.sandbox.plant_device("HBR-1")])
        device = self.sandbox.plant_device("HBR-2")

        preview = self.preview("connectwise.attach_configuration", ticket_id=ticket, configuration_id=device)

        assert [(one.before, one.after) for one in preview.changes] == [("HBR-1", "HBR-1, HBR-2")]

    def test_tickets_of_two_clients_are_never_merged(self) -> None:
        ticket, other = self.sandbox.plant_ticket(), self.sandbox.plant_ticket(company="KESSLER")

        with pytest.raises(TargetRefused):
            self.merge(ticket, other)

        assert self.sandbox.effects() == []

    def test_a_merge_closes_the_tickets_that_go_and_no_status_but_a_closing_one_is_taken(self) -> None:
        ticket, other = self.sandbox.plant_ticket(), self.sandbox.plant_ticket("The same again")

        with pytest.raises(TargetRefused, match="does not close"):
            self.merge(ticket, other, status="In Progress")
        self.merge(ticket, other)

        stored = self.sandbox.stored("tickets", other)
        assert (stored["mergedParentTicket"], stored["closedFlag"]) == (ticket, True)

    def test_a_ticket_that_is_merged_already_is_not_merged_again(self) -> None:
        ticket, other, third = (self.sandbox.plant_ticket() for _ in range(3))
        self.merge(ticket, other)

        with pytest.raises(TargetRefused, match=f"merged into ticket {ticket} already"):
            self.merge(third, other)

    def merge(self, ticket: int, other: int, status: str = "Closed") -> None:
        """Merge one ticket into another."""
        options: Any = self.call("connectwise.board_options", board_id=1).content
        number = next(row["id"] for row in options["statuses"] if row["name"] == status)
        self.call("connectwise.merge_tickets", ticket_id=ticket, child_ids=[other], status_id=number)


class NoteTests(ConnectedTestCase):
    def test_a_card_says_where_a_note_stands_and_under_whose_name(self) -> None:
        ticket = self.sandbox.plant_ticket()

        shown = {
            one.label: one.after
            for one in self.preview(
                "connectwise.add_customer_note", ticket_id=ticket, text="Done.", resolution=True, member="theo"
            ).changes
        }

        assert shown["Stands in"] == "the discussion and the resolution, not in the internal analysis"
        assert shown["Written as"].startswith("Theo ")

    def test_a_note_is_written_under_the_members_name(self) -> None:
        ticket = self.sandbox.plant_ticket()

        self.call("connectwise.add_internal_note", ticket_id=ticket, text="Checked.", member="theo")

        (effect,) = self.sandbox.effects()
        author = self.sandbox.stored("notes", effect["record"]["id"])["member"]
        assert self.sandbox.stored("members", author)["identifier"] == "theo"

    def test_what_the_board_says_is_read_when_the_card_is_made(self) -> None:
        ticket = self.sandbox.plant_ticket()
        flags = ("discussionsLockedFlag", "timeEntryLockedFlag", "timeEntryDiscussionFlag")
        self.sandbox.change(
            "boards", 1, [{"op": "replace", "path": flag, "value": True} for flag in flags], owner="northwind"
        )

        note = self.preview("connectwise.add_customer_note", ticket_id=ticket, text="Done.")
        time = self.preview("connectwise.add_time_entry", ticket_id=ticket, notes="Checked.", **MORNING)

        assert note.undo == "It cannot be undone: the board Service Desk locks discussions."
        assert time.undo == "It cannot be undone: the board Service Desk locks time entries."
        assert "By hand, the board Service Desk would copy the notes into the discussion." in time.evidence
