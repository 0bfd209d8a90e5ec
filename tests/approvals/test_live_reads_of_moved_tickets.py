"""A ticket that moved to another company, read live: what Junto wrote there for the former one is told to nobody."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from approvals.execution import execute_action
from approvals.models import Action, Origin
from approvals.services import Verdict, decide_action, open_origin, propose_action
from integrations.marks import mark_of
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from tests.integrations.connected import HARBOR, KESSLER, ConnectedTestCase

OURS, BOOKED = "Found HBR-SRV-01 without a backup.", "Looked through HBR-SRV-01"


class LiveReadsOfMovedTicketTests(ConnectedTestCase):
    """Junto worked on a ticket of Harbor's, with approval, before somebody gave it to Kessler in ConnectWise."""

    def setUp(self) -> None:
        super().setUp()
        self.ticket = self.sandbox.plant_ticket("Backup missed", "It says so since Monday.")
        self.sandbox.plant_note(self.ticket, "Which server is it?")
        note = {"ticket_id": self.ticket, "text": OURS}
        work = {"ticket_id": self.ticket, "start": "2026-11-20T08:00:00Z", "minutes": 30, "notes": BOOKED}
        for tool, arguments in (("add_internal_note", note), ("add_time_entry", work | {"copy_to": "internal"})):
            action = self.ask(self.harbor, tool, **arguments)
            decide_action(
                action_id=action.pk, actor=self.actor(self.adam), verdict=Verdict.APPROVE, digest=action.digest
            )
            assert execute_action(action.pk).state == Action.State.SUCCEEDED

    def ask(self, company: Company, tool: str, **arguments: Any) -> Action:
        key = str(uuid4())
        origin = open_origin(
            organization=self.northwind,
            kind=Origin.Kind.BY_HAND,
            key=key,
            subject=f"signal:{key}",
            mode=Origin.Mode.TRIAGE,
            company=company,
            revision=1,
        )
        action = propose_action(
            actor=Actor.system("agent", self.northwind),
            origin=origin,
            fence=origin.fence,
            tool_name=f"connectwise.{tool}",
            arguments=arguments,
            call_id="1",
        )
        action.refresh_from_db()
        return action

    def read(self, company: Company, tool: str = "get_ticket") -> Any:
        action = self.ask(company, tool, ticket_id=self.ticket)
        assert action.state == Action.State.SUCCEEDED, action.reason
        return action.result

    def move(self, company: str) -> None:
        self.sandbox.change_ticket(self.ticket, company={"id": int(company)})

    def texts(self, read: Any) -> str:
        return "\n".join(note["text"] for note in read["notes"])

    def test_the_notes_are_left_out_and_counted_and_those_of_people_stay(self) -> None:
        assert (OURS in (told := self.texts(self.read(self.harbor))), BOOKED in told) == (True, True)
        self.move(KESSLER)
        found = self.read(self.kessler)
        assert (self.texts(found), found["description"]) == ("Which server is it?", "It says so since Monday.")
        assert found["notes_for_another_company_left_out"] == 2

    def test_so_is_the_time(self) -> None:
        (entry,) = self.read(self.harbor, "list_ticket_time")["time_entries"]
        assert entry["notes"] == BOOKED
        self.move(KESSLER)
        assert self.read(self.kessler, "list_ticket_time")["entries_for_another_company_left_out"] == 1
        theirs = [{"op": "replace", "path": "company", "value": {"id": int(KESSLER)}}]
        self.sandbox.change("time-entries", entry["id"], theirs, owner="northwind")
        assert self.read(self.kessler, "list_ticket_time") == {
            "time_entries": [],
            "total_hours": 0,
            "entries_for_another_company_left_out": 1,
        }

    def test_back_with_the_company_that_they_tell_of_they_are_read_again(self) -> None:
        self.move(KESSLER)
        self.move(HARBOR)
        assert OURS in self.texts(self.read(self.harbor))

    def test_a_mark_that_no_action_here_made_tells_of_nobody_knows_whom(self) -> None:
        strange = f"Of another Junto {mark_of(uuid4())}"
        self.ticket = self.sandbox.plant_ticket("Backup", strange)
        self.sandbox.plant_note(self.ticket, strange)
        found = self.read(self.harbor)
        assert (found["description"], found["notes"]) == ("", [])
        assert found["notes_for_another_company_left_out"] == 2


@pytest.mark.service
class LiveReadsOnPostgresTests(LiveReadsOfMovedTicketTests):
    """The same where an id is a number to the database, and no text."""
