"""The ticket of an alert that a person opens by hand: one for one problem, and none for a problem that is over."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from django.core.cache import cache

from approvals.models import Action, Decision
from approvals.services import preview_change
from integrations.services import open_ticket_source
from signals.intake.folding import CLEARED_BUT_KEPT
from signals.models import Board, Signal
from signals.sync.live_lists import live_statuses
from tests.signals.deliveries import deliver
from tests.signals.test_alerts import AlertsTestCase

CREATE = "connectwise.create_ticket"
NOTE = "connectwise.add_internal_note"
KEY, OTHER = "a" * 32, "b" * 32


class OpenedByHandCase(AlertsTestCase):
    """An alert of Harbor's without a ticket; Theo asks for one, Mara decides."""

    def setUp(self) -> None:
        super().setUp()
        cache.clear()
        ours = ("signals.", "approvals.")
        self.settings.BELLS = {
            bell: [task for task in tasks if task.startswith(ours)] for bell, tasks in self.settings.BELLS.items()
        }
        self.take_in(self.planted("Printer jams"))
        self.board = Board.objects.for_organization(self.northwind).get(name="Alerts")
        self.uid = self.raise_alert()
        self.poll()
        self.alert = self.signal(self.uid)

    def planted(self, summary: str, **fields: Any) -> int:
        """A ticket on the board Alerts that somebody else opened there."""
        record = {"summary": summary, "company": {"identifier": "HARBOR"}, "board": {"name": "Alerts"}, **fields}
        return int(self.sandbox.plant("tickets", record)["id"])

    def take_in(self, number: int | str) -> None:
        """Read a ticket, as the poll does."""
        with closing(open_ticket_source(self.connection)) as source:
            deliver(self.connection, source.ticket(str(number)))
        self.drain()

    def now(self) -> Signal:
        """The alert's signal as it is now."""
        rows = Signal.unscoped.select_related("organization", "company", "board", "contact", "device", "connection")
        return rows.get(pk=self.alert.pk)

    def form(self, tool: str = CREATE) -> str:
        return f"signals/{self.alert.pk}/tools/{tool}/"

    def ask(self, tool: str = CREATE, key: str = KEY, **typed: Any) -> Action:
        """Theo fills the form and sends it."""
        given = typed or {
            "summary": "C: is full on HBR-WS-LAB",
            "description": "NinjaOne says so.",
            "board_id": self.board.external_id,
        }
        self.log_in(self.theo)
        self.client.post(
            self.path(self.form(tool)), {"key": key, **{f"a-{name}": each for name, each in given.items()}}
        )
        return Action.unscoped.get(call_id=f"hand.{key}")

    def approve(self, action: Action, **arguments: Any) -> Action:
        """Mara approves it, or another version of it; all that was rung is done."""
        self.log_in(self.mara)
        body: dict[str, Any] = {"verdict": "approve", "digest": action.digest}
        if arguments:
            changed = action.arguments | arguments
            shown = preview_change(action_id=action.pk, actor=self.actor(self.mara), arguments=changed)
            body |= {"digest": shown.digest, "arguments": changed, "target_digest": shown.target_digest}
        answer = self.client.post(self.path(f"approvals/{action.pk}/decide/"), body, content_type="application/json")
        assert answer.status_code == 200, answer.content
        self.drain()
        if self.now().has_ticket:
            self.take_in(self.now().external_id)
        return Action.unscoped.filter(tool=action.tool).latest("created_at")

    def close_with_alerts(self) -> None:
        """Adam has the tickets of the board closed whose alert clears."""
        closed = next(one.id for one in live_statuses(self.connection, self.board) if one.name == "Closed")
        self.log_in(self.adam).post(self.path("maintenance/cleared/"), {f"board-{self.board.pk}": str(closed)})

    def clear(self) -> None:
        self.sandbox.clear_alert(self.uid)
        self.poll()
        self.drain()

    def status(self) -> str:
        """The ticket's, as ConnectWise really has it."""
        with closing(open_ticket_source(self.connection)) as source:
            return source.ticket(self.now().external_id).status


class ClosingTests(OpenedByHandCase):
    def setUp(self) -> None:
        super().setUp()
        self.close_with_alerts()

    def test_one_that_nobody_worked_on_since_it_was_opened_closes_with_its_alert(self) -> None:
        assert self.approve(self.ask()).state == Action.State.SUCCEEDED
        assert self.now().connection == self.connection
        self.clear()

        assert self.status() == "Closed"

    def test_so_does_one_that_was_opened_in_other_words_than_were_asked_for(self) -> None:
        opened = self.approve(self.ask(), summary="Disk of the lab is full")
        assert (opened.state, opened.replaces is not None) == (Action.State.SUCCEEDED, True)
        assert Decision.unscoped.filter(action=opened).exists()
        self.clear()

        assert self.status() == "Closed"

    def test_whatever_else_a_person_asked_for_on_it_keeps_it_open(self) -> None:
        self.approve(self.ask())
        self.ask(NOTE, OTHER, ticket_id=self.now().external_id, text="I look at the disk.")
        self.clear()

        assert self.status() == "New"
        assert (self.now().state in Signal.OPEN, self.now().state_reason) == (True, CLEARED_BUT_KEPT)

    def test_a_second_ticket_that_was_asked_for_before_the_first_was_there_is_work_on_it(self) -> None:
        first, second = self.ask(), self.ask(key=OTHER)
        self.approve(first)
        self.approve(second)
        self.clear()

        assert self.status() == "New"
