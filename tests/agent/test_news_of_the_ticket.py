"""A ticket that changes at its source while requests about it wait (PRODUCT 7)."""

from __future__ import annotations

from typing import Any

from approvals.models import Action, Origin
from approvals.services import decide_action, open_origin, propose_action
from junto.tenants.actors import Actor
from tests.agent.cases import SessionTestCase

State = Action.State


class WaitingRequests(SessionTestCase):
    """A note and a time entry wait in a session about `self.signal`."""

    def setUp(self) -> None:
        super().setUp()
        self.number = int(self.signal.external_id)
        self.origin = open_origin(
            organization=self.northwind,
            kind=Origin.Kind.SESSION,
            key="news",
            subject=self.signal.origin_subject,
            mode=Origin.Mode.TRIAGE,
            company=self.harbor,
            revision=self.signal.revision,
        )
        self.note = self.ask("add_internal_note", text="Looked into it.")
        self.time = self.ask("add_time_entry", start="2026-11-20T09:00:00Z", minutes=5, notes="Looked into it.")

    def ask(self, name: str, **arguments: Any) -> Action:
        """The agent asks for a call about the ticket."""
        return propose_action(
            actor=Actor.system("agent", self.northwind),
            origin=self.origin,
            fence=0,
            tool_name=f"connectwise.{name}",
            arguments={"ticket_id": self.number, **arguments},
            call_id=f"asked-{name}",
        )

    def approve(self, action: Action) -> Action:
        """Olivia approves it; the action as it is after everything that was rung."""
        decide_action(action_id=action.pk, actor=self.actor(self.olivia), verdict="approve", digest=action.digest)
        return self.now(action)

    def now(self, action: Action) -> Action:
        """The action after everything that was rung."""
        self.drain()
        return Action.unscoped.select_related("origin", "company", "organization").get(pk=action.pk)

    def status(self, name: str) -> int:
        """The id of a status of the ticket's board."""
        board = self.sandbox.stored("tickets", self.number)["board"]
        options: Any = self.call("connectwise.board_options", self.harbor, board_id=board).content
        return next(int(row["id"]) for row in options["statuses"] if row["name"] == name)

    def test_a_new_status_at_the_source_withdraws_them_at_the_next_poll_and_says_what_changed(self) -> None:
        self.sandbox.change_ticket(self.number, status={"name": "In Progress"})
        self.poll()
        for waiting in (self.note, self.time):
            withdrawn = self.now(waiting)
            assert withdrawn.state == State.DRIFTED
            assert withdrawn.reason == "Status was “New”, and is now “In Progress”."
        assert self.sandbox.effects() == []

    def test_a_new_title_withdraws_them(self) -> None:
        self.sandbox.change_ticket(self.number, summary="The printer is on fire")
        self.poll()
        assert "is now “The printer is on fire”" in self.now(self.note).reason

    def test_a_note_of_somebody_else_leaves_them_waiting(self) -> None:
        self.sandbox.plant_note(self.number, "Me too")
        self.poll()
        assert self.now(self.note).state == self.now(self.time).state == State.WAITING

    def test_what_was_approved_in_the_same_session_withdraws_nothing(self) -> None:
        status = self.ask("set_ticket_status", status_id=self.status("In Progress"))
        assert self.approve(status).state == State.SUCCEEDED
        self.poll()
        assert self.now(self.note).state == self.now(self.time).state == State.WAITING
        assert self.approve(self.note).state == State.SUCCEEDED
        self.poll()
        assert self.approve(self.time).state == State.SUCCEEDED

    def test_a_change_beside_what_was_approved_is_seen(self) -> None:
        self.approve(self.ask("set_ticket_status", status_id=self.status("In Progress")))
        self.sandbox.change_ticket(self.number, status={"name": "Closed"})
        self.poll()
        assert self.now(self.note).reason == "Status was “New”, and is now “Closed”."
