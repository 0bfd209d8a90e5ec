"""ConnectWise's tools against the sandbox: what they find, what they send, what they show before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integrations.errors import InvalidArguments, TargetRefused
from integrations.models import ExternalRef
from integrations.tools import DefaultPolicy, Flag, Preview, registry
from tests.integrations.connected import KESSLER, ConnectedTestCase


class ReadingTests(ConnectedTestCase):
    def test_a_ticket_is_read_with_its_description_notes_and_devices(self) -> None:
        device = self.sandbox.plant_device("HARBOR-PC-99")
        ticket = self.sandbox.plant_ticket(
            "Outlook asks for the password",
            "It started this morning.",
            configurations=[device],
            notes=[{"text": "Called back", "internalAnalysisFlag": True, "by": "theo"}],
        )

        found = self.found("connectwise.get_ticket", ticket_id=ticket)

        assert found["description"] == "It started this morning."
        assert found["configurations"] == [{"id": device, "name": "HARBOR-PC-99"}]
        assert [(note["text"], note["visible_to_client"]) for note in found["notes"]] == [("Called back", False)]

    def test_a_search_finds_words_and_only_in_tickets_of_the_company(self) -> None:
        mine = self.sandbox.plant_ticket("Zebra label printer jams", company="HARBOR")
        self.sandbox.plant_ticket("Zebra label printer jams", company="KESSLER")

        found = self.found("connectwise.search_tickets", text="zebra LABEL")

        assert [row["id"] for row in found["tickets"]] == [mine]

    def test_a_search_for_quotes_and_operators_looks_for_just_these_characters(self) -> None:
        wanted = self.sandbox.plant_ticket('Error "disk \\ full" or id>0')
        self.sandbox.plant_ticket("Something else")

        found = self.found("connectwise.search_tickets", text='"disk \\ full" or id>0')

        assert [row["id"] for row in found["tickets"]] == [wanted]

    def test_a_search_text_cannot_widen_the_filter_to_other_companies(self) -> None:
        self.sandbox.plant_ticket("Secret of Kessler", company="KESSLER")

        found = self.found("connectwise.search_tickets", text='x" or company/id=251 or summary contains "')

        assert found["tickets"] == []

    def test_open_and_closed_tickets_are_told_apart(self) -> None:
        opened = self.sandbox.plant_ticket("Quokka issue one")
        closed = self.sandbox.plant_ticket("Quokka issue two", status="Closed")

        open_rows = self.found("connectwise.search_tickets", text="quokka", status="open")["tickets"]
        assert [row["id"] for row in open_rows] == [opened]
        closed_rows = self.found("connectwise.search_tickets", text="quokka", status="closed")["tickets"]
        assert [(row["id"], row["closed"]) for row in closed_rows] == [(closed, True)]

    def test_a_contact_is_found_by_mail_and_by_name(self) -> None:
        contact = self.sandbox.plant_contact("Orsolya", "Quist", "o.quist@harbor.example")

        by_mail = self.found("connectwise.find_contact", email="o.quist@harbor.example")["contacts"]
        by_name = self.found("connectwise.find_contact", name="Orsolya Quist")["contacts"]

        assert [row["id"] for row in by_mail] == [row["id"] for row in by_name] == [contact]
        assert by_mail[0]["email"] == "o.quist@harbor.example"

    def test_devices_of_the_company_are_listed_and_no_others(self) -> None:
        self.sandbox.plant_device("QX-ALPHA", company="HARBOR", kind="Server")
        self.sandbox.plant_device("QX-BETA", company="KESSLER", kind="Server")

        found = self.found("connectwise.list_configurations", name="QX-")["configurations"]

        assert [(row["name"], row["type"]) for row in found] == [("QX-ALPHA", "Server")]

    def test_the_company_itself_is_all_that_can_be_looked_up(self) -> None:
        rows = self.found("connectwise.find_company")["companies"]

        assert [row["id"] for row in rows] == [250]

    def test_time_on_a_ticket_is_summed_up(self) -> None:
        ticket = self.sandbox.plant_ticket()
        self.call("connectwise.add_time_entry", **_work(ticket, minutes=30, member="theo"))

        found = self.found("connectwise.list_ticket_time", ticket_id=ticket)

        assert found["total_hours"] == 0.5
        assert found["time_entries"][0]["notes"] == "Reset the password"

    def test_board_options_tell_which_types_a_subtype_goes_with(self) -> None:
        found = self.found("connectwise.board_options", board_id=1)

        assert found["board"]["name"] == "Service Desk"
        assert {"New", "Closed"} <= {row["name"] for row in found["statuses"]}
        known = {row["id"] for row in found["types"]}
        assert all(set(row["type_ids"]) <= known for row in found["subtypes"])
        assert found["priorities"]

    def test_members_are_listed_by_identifier(self) -> None:
        found = self.found("connectwise.list_members")["members"]

        assert {"theo", "mara"} <= {row["identifier"] for row in found}

    def found(self, name: str, /, **arguments: Any) -> Any:
        """What a tool found."""
        return self.call(name, **arguments).content


class WritingTests(ConnectedTestCase):
    def test_an_internal_note_is_written_once_with_its_mark_and_known_as_our_own(self) -> None:
        ticket = self.sandbox.plant_ticket()

        result = self.call("connectwise.add_internal_note", ticket_id=ticket, text="Checked the router.")

        (effect,) = self.sandbox.effects()
        assert effect["route"] == "/service/tickets/{parentId}/notes"
        reference = ExternalRef.objects.for_organization(self.northwind).get(kind="note")
        assert reference.external_id == str(effect["record"]["id"])
        assert effect["body"] == {
            "text": f"Checked the router.\n\n[ref:{reference.action_id.hex[:12]}]",
            "internalAnalysisFlag": True,
            "detailDescriptionFlag": False,
            "resolutionFlag": False,
            "processNotifications": False,
        }
        assert result.summary == f"Note {effect['record']['id']} written on ticket {ticket}"

    def test_a_customer_note_is_visible_and_mailed_only_when_asked(self) -> None:
        ticket = self.sandbox.plant_ticket()

        self.call("connectwise.add_customer_note", ticket_id=ticket, text="It works again.", notify=True)

        (effect,) = self.sandbox.effects()
        assert effect["body"]["detailDescriptionFlag"] is True
        assert effect["body"]["internalAnalysisFlag"] is False
        assert effect["body"]["processNotifications"] is True

    def test_a_status_is_set_by_one_patch(self) -> None:
        ticket = self.sandbox.plant_ticket()
        status = self.status("In Progress")

        self.call("connectwise.set_ticket_status", ticket_id=ticket, status_id=status)

        (effect,) = self.sandbox.effects()
        assert effect["body"] == [{"op": "replace", "path": "status/id", "value": status}]
        assert self.sandbox.stored("tickets", ticket)["status"] == status

    def test_a_status_of_another_board_is_refused_before_anything_is_sent(self) -> None:
        ticket = self.sandbox.plant_ticket(board="Service Desk")
        foreign = self.status("New", board=2)

        with pytest.raises(TargetRefused):
            self.call("connectwise.set_ticket_status", ticket_id=ticket, status_id=foreign)

        assert self.sandbox.effects() == []

    def test_a_classification_sends_only_the_fields_that_were_named(self) -> None:
        ticket = self.sandbox.plant_ticket()
        options: Any = self.call("connectwise.board_options", board_id=1).content
        kind = options["types"][0]["id"]
        subtype = next(row["id"] for row in options["subtypes"] if kind in row["type_ids"])

        self.call("connectwise.classify_ticket", ticket_id=ticket, type_id=kind, subtype_id=subtype)

        (effect,) = self.sandbox.effects()
        assert effect["body"] == [
            {"op": "replace", "path": "type/id", "value": kind},
            {"op": "replace", "path": "subType/id", "value": subtype},
        ]

    def test_a_subtype_that_does_not_go_with_the_type_is_refused(self) -> None:
        ticket = self.sandbox.plant_ticket()
        options: Any = self.call("connectwise.board_options", board_id=1).content
        kind = options["types"][0]["id"]
        subtype = next(row["id"] for row in options["subtypes"] if row["type_ids"] and kind not in row["type_ids"])

        with pytest.raises(TargetRefused, match="does not go with"):
            self.call("connectwise.classify_ticket", ticket_id=ticket, type_id=kind, subtype_id=subtype)

    def test_a_classification_of_nothing_is_no_classification(self) -> None:
        with pytest.raises(InvalidArguments):
            self.call("connectwise.classify_ticket", ticket_id=1)

    def test_a_ticket_is_assigned_to_a_member(self) -> None:
        ticket = self.sandbox.plant_ticket()

        self.call("connectwise.assign_ticket", ticket_id=ticket, member="theo")

        owner = self.sandbox.stored("tickets", ticket)["owner"]
        assert self.sandbox.stored("members", owner)["identifier"] == "theo"

    def test_time_is_logged_from_start_to_end_with_the_mark_where_no_client_reads(self) -> None:
        ticket = self.sandbox.plant_ticket()

        self.call("connectwise.add_time_entry", **_work(ticket, minutes=45, member="theo"))

        (effect,) = self.sandbox.effects()
        body = effect["body"]
        assert (body["timeStart"], body["timeEnd"]) == ("2026-11-20T09:00:00Z", "2026-11-20T09:45:00Z")
        assert body["notes"] == "Reset the password"
        assert body["internalNotes"].startswith("[ref:")

    def test_a_new_ticket_belongs_to_the_company_and_keeps_its_text_internal(self) -> None:
        result = self.call(
            "connectwise.create_ticket", summary="Replace the UPS", description="Battery is worn out.", board_id=1
        )

        (effect,) = self.sandbox.effects()
        assert effect["body"]["company"] == {"id": 250}
        assert "initialDescription" not in effect["body"]
        assert isinstance(result.content, dict)
        assert result.content["ticket_id"] == effect["record"]["id"]

    def status(self, name: str, board: int = 1) -> int:
        """The id of a status at the sandbox."""
        options: Any = self.call("connectwise.board_options", board_id=board).content
        return next(int(row["id"]) for row in options["statuses"] if row["name"] == name)


class PreviewTests(ConnectedTestCase):
    def test_a_preview_shows_before_and_after_by_name_and_sends_nothing(self) -> None:
        ticket = self.sandbox.plant_ticket("VPN drops", status="New")
        options: Any = self.call("connectwise.board_options", board_id=1).content
        status = next(row["id"] for row in options["statuses"] if row["name"] == "In Progress")

        preview = self.preview("connectwise.set_ticket_status", ticket_id=ticket, status_id=status)

        assert [(one.label, one.before, one.after) for one in preview.changes] == [("Status", "New", "In Progress")]
        assert preview.title == f"Change the status of ticket {ticket}"
        assert preview.target == f"Ticket {ticket}: VPN drops"
        assert preview.undo == "Set the status back to New."
        assert self.sandbox.effects() == []

    def test_somebody_elses_note_does_not_void_a_note_but_closing_the_ticket_does(self) -> None:
        ticket = self.sandbox.plant_ticket()
        arguments = {"ticket_id": ticket, "text": "Checked."}
        before = self.preview("connectwise.add_internal_note", **arguments).target_digest

        self.sandbox.plant_note(ticket, "Me too")
        assert self.preview("connectwise.add_internal_note", **arguments).target_digest == before

        self.sandbox.change_ticket(ticket, status={"name": "Closed"})
        assert self.preview("connectwise.add_internal_note", **arguments).target_digest != before

    def test_a_status_that_somebody_changed_meanwhile_voids_a_change_of_status(self) -> None:
        ticket = self.sandbox.plant_ticket(status="New")
        options: Any = self.call("connectwise.board_options", board_id=1).content
        status = next(row["id"] for row in options["statuses"] if row["name"] == "Closed")
        arguments = {"ticket_id": ticket, "status_id": status}
        before = self.preview("connectwise.set_ticket_status", **arguments).target_digest

        self.sandbox.change_ticket(ticket, status={"name": "In Progress"})

        assert self.preview("connectwise.set_ticket_status", **arguments).target_digest != before

    def test_every_write_says_who_will_see_it_and_how_to_undo_it(self) -> None:
        for name, preview in self.every_write():
            assert preview.seen_by, name
            assert preview.undo, name
            assert preview.changes, name

    def test_what_says_that_it_reaches_the_client_is_asked_for_every_time(self) -> None:
        for name, preview in self.every_write():
            tool = registry.get(name)
            words = preview.seen_by.replace("The client does not see it", "").lower()
            outside = ("the client", self.harbor.name.lower(), "contact", "portal")
            if any(each in words for each in outside):
                assert tool.policy is DefaultPolicy.ALWAYS, f"{name}: {preview.seen_by}"
            else:
                assert Flag.CLIENT_VISIBLE not in tool.flags, f"{name}: {preview.seen_by}"

    def other_board(self) -> dict[str, int]:
        """The board Alerts, and its first status."""
        options: Any = self.call("connectwise.board_options", board_id=2).content
        return {"board_id": 2, "status_id": options["statuses"][0]["id"]}

    def every_write(self) -> Iterator[tuple[str, Preview]]:
        """Each tool that changes something, with what it would do to a new ticket."""
        ticket = self.sandbox.plant_ticket()
        options: Any = self.call("connectwise.board_options", board_id=1).content
        calls: dict[str, dict[str, Any]] = {
            "add_internal_note": {"ticket_id": ticket, "text": "a"},
            "add_customer_note": {"ticket_id": ticket, "text": "a"},
            "set_ticket_status": {"ticket_id": ticket, "status_id": options["statuses"][0]["id"]},
            "classify_ticket": {"ticket_id": ticket, "type_id": options["types"][0]["id"]},
            "assign_ticket": {"ticket_id": ticket, "member": "theo"},
            "add_time_entry": _work(ticket, minutes=5),
            "create_ticket": {"summary": "a", "description": "b", "board_id": 1},
            "schedule_ticket": {"ticket_id": ticket, "member": "theo", "start": "2026-11-20T09:00:00Z", "minutes": 30},
            "attach_configuration": {"ticket_id": ticket, "configuration_id": self.sandbox.plant_device("QX-1")},
            "merge_tickets": {
                "ticket_id": ticket,
                "child_ids": [self.sandbox.plant_ticket()],
                "status_id": next(row["id"] for row in options["statuses"] if row["closed"]),
            },
            "move_to_board": {"ticket_id": ticket, **self.other_board()},
            "move_to_company": {"ticket_id": ticket, "company_id": int(KESSLER)},
        }
        writes = {one.name.partition(".")[2] for one in registry if one.is_write and one.vendor == "connectwise"}
        assert set(calls) == writes
        for name, arguments in calls.items():
            yield f"connectwise.{name}", self.preview(f"connectwise.{name}", **arguments)


def _work(ticket: int, **changes: Any) -> dict[str, Any]:
    return {"ticket_id": ticket, "start": "2026-11-20T09:00:00Z", "notes": "Reset the password", **changes}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"ticket_id": 0, "text": ""}, "ticket_id: must be at least 1; text: must not be empty"),
        ({"ticket_id": "x", "text": "a\x07"}, "ticket_id: must be a whole number; text: holds control characters"),
        ({"ticket_id": 1, "text": "a" * 8_001}, "text: is too long: at most 8,000 characters fit"),
        ({"text": "Fine.", "to": "all"}, "ticket_id: is missing; to: is nothing that this tool takes"),
    ],
)
def test_what_is_wrong_with_a_call_is_said_in_plain_words(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidArguments) as refused:
        registry.get("connectwise.add_internal_note").accept(arguments)
    assert str(refused.value) == words
