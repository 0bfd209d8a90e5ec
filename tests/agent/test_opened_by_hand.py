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
from signals.processors.base import Lists
from signals.sync.live_lists import live_lists, live_statuses
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
        self.wake_no_agent()
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


class OneTicketTests(OpenedByHandCase):
    def opened_there(self) -> Signal:
        """The RMM's own ticket for the same alert, which folds under it."""
        Board.objects.for_organization(self.northwind).filter(pk=self.board.pk).update(holds_alerts=True)
        number = self.planted("Low disk on HBR-WS-LAB: C: is below 5%")
        self.take_in(number)
        ticket = Signal.unscoped.get(connection=self.connection, external_id=str(number))
        assert ticket.folded_into == self.alert
        return ticket

    def test_an_alert_that_another_system_opened_a_ticket_for_says_so_and_gets_no_second_one(self) -> None:
        ticket = self.opened_there()
        page = self.log_in(self.theo).get(self.path(f"signals/{self.alert.pk}/"))
        self.assertContains(page, f"Ticket {ticket.external_id}</a> of {self.connection.label}")
        self.assertNotContains(page, "No ticket</span>")
        row = self.client.get(self.path("signals/"), {"q": "Low disk"})
        self.assertContains(row, f'<span class="no">{ticket.external_id}</span>')
        words = f"{ticket.external_id} is open in {self.connection.label} for this alert already."
        self.assertContains(self.client.get(self.path(self.form())), words)
        refused = self.ask()

        assert (refused.state, refused.reason.startswith(words)) == (Action.State.REFUSED, True)
        assert self.sandbox.effects() == []

    def test_parted_from_that_ticket_it_may_have_one_of_its_own(self) -> None:
        ticket = self.opened_there()
        self.log_in(self.theo).post(self.path(f"signals/{ticket.pk}/part/"))

        assert self.approve(self.ask()).state == Action.State.SUCCEEDED
        assert self.now().has_ticket

    def test_a_request_that_waits_while_another_system_opens_one_is_withdrawn_and_says_why(self) -> None:
        action = self.ask()
        ticket = self.opened_there()

        action.refresh_from_db()
        assert action.state == Action.State.DRIFTED
        assert action.reason.startswith(f"{ticket.external_id} is open in ")

    def test_so_is_one_that_was_asked_for_twice_once_the_first_is_there(self) -> None:
        first, second = self.ask(), self.ask(key=OTHER)
        self.approve(first)
        number = self.now().external_id
        body = {"verdict": "approve", "digest": second.digest}  # taken, unless it was withdrawn by itself already
        self.client.post(self.path(f"approvals/{second.pk}/decide/"), body, content_type="application/json")
        self.drain()
        second.refresh_from_db()

        assert len(self.sandbox.effects()) == 1
        assert (second.state, second.reason) == (
            Action.State.DRIFTED,
            f"Its ticket was empty, and is now “{number}”.",
        )
        third = self.ask(key="c" * 32)
        assert third.state == Action.State.WAITING
        assert f"{number} is this signal's ticket: this opens another." in third.preview["evidence"]


class ClearedTests(OpenedByHandCase):
    def test_a_request_that_waits_while_the_alert_clears_is_withdrawn_and_says_why(self) -> None:
        action = self.ask()
        card = self.log_in(self.mara).get(self.path(f"approvals/?action={action.pk}"))
        self.assertContains(card, "its ticket or the alert changes")
        self.clear()

        action.refresh_from_db()
        assert (action.state, action.reason) == (
            Action.State.DRIFTED,
            "The alert was “standing”, and is now “cleared”.",
        )

    def test_so_is_one_that_was_approved_just_before(self) -> None:
        action = self.ask()
        self.log_in(self.mara)
        body = {"verdict": "approve", "digest": action.digest}
        self.client.post(self.path(f"approvals/{action.pk}/decide/"), body, content_type="application/json")
        self.clear()

        action.refresh_from_db()
        assert (action.state, self.sandbox.effects()) == (Action.State.DRIFTED, [])

    def test_one_that_is_asked_for_after_that_says_so_on_its_card_and_may_be_opened(self) -> None:
        self.clear()
        Signal.unscoped.filter(pk=self.alert.pk).update(state=Signal.State.NEW)
        action = self.ask()

        card = self.log_in(self.mara).get(self.path(f"approvals/?action={action.pk}"))
        self.assertContains(card, "The alert has cleared at its source.")
        assert self.approve(action).state == Action.State.SUCCEEDED


class AlertOnThePageTests(OpenedByHandCase):
    def test_the_page_of_its_ticket_keeps_the_alerts_own_words_and_when_it_cleared(self) -> None:
        self.approve(self.ask())
        path = self.path(f"signals/{self.alert.pk}/")
        page = self.log_in(self.theo).get(path)
        left = Signal.unscoped.get(ticket=self.alert)
        self.assertContains(page, f'signals/{left.pk}/">{self.alert.subject}</a>')
        self.assertContains(page, "C: is below 5%")
        self.assertContains(page, f"{self.monitoring.label}, {self.alert.priority}, raised")
        self.assertNotContains(page, ", cleared <")
        self.clear()

        self.assertContains(self.client.get(path), ", cleared <")

    def test_a_ticket_that_went_to_another_company_shows_nothing_of_the_alert(self) -> None:
        self.approve(self.ask())
        Signal.unscoped.filter(pk=self.alert.pk).update(company=self.kessler)
        page = self.log_in(self.mara).get(self.path(f"signals/{self.alert.pk}/"))

        self.assertNotContains(page, "The alert it was opened for")


class FilledFormTests(OpenedByHandCase):
    def test_the_form_says_what_a_run_would_have_the_ticket_say(self) -> None:
        page = self.log_in(self.theo).get(self.path(self.form()))
        fields = {one.field.name: one for one in page.context["fields"]}

        assert fields["summary"].field.value == self.alert.subject
        assert "C: is below 5%" in fields["description"].field.value
        assert fields["board_id"].field.value == self.board.external_id
        assert "Alerts" in [choice.label for choice in fields["board_id"].suggested]
        priorities = {
            each.name: str(each.id) for each in live_lists(self.connection, None, Lists.PRIORITIES).priorities
        }
        assert fields["priority_id"].field.value == priorities[self.alert.priority]
