"""The PSA's ticket of an alert that cleared closes too: where an Admin wants that, and only if no person touched it."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from approvals.models import Action, Grant, Origin
from approvals.services import GrantDraft, Verdict, decide_action, issue_grants, open_origin, propose_action
from integrations.services import open_ticket_source, pause_connection
from integrations.tools import registry
from junto.tenants.actors import Actor
from signals import tasks
from signals.intake.folding import CLEARED_AND_OPEN, CLEARED_BUT_KEPT, CLEARED_CLOSING, occurrences
from signals.models import Board, Signal
from signals.services import adopt_ticket, claim_signal
from signals.sync.live_lists import live_statuses
from signals.write_back.cleared import close_cleared
from signals.write_back.clearings import closing_wish
from tests.signals.deliveries import deliver, stored
from tests.signals.test_alerts import AlertsTestCase

State = Signal.State


class ClearedTestCase(AlertsTestCase):
    """An alert of Harbor's, for which Junto opened a ticket on the board Alerts."""

    def setUp(self) -> None:
        super().setUp()
        cache.clear()
        self.wake_no_agent()
        self.uid = self.raise_alert()
        self.poll()
        self.number = self.opened("C: is below 5% on HBR-WS-LAB")
        adopt_ticket(signal=self.signal(self.uid), connection=self.connection, external_id=str(self.number))
        self.take_in()
        self.drain()

    def opened(self, summary: str, **fields: Any) -> int:
        """A ticket that Junto's own API member opened."""
        record = {"summary": summary, "company": {"identifier": "HARBOR"}, "board": {"name": "Alerts"}, **fields}
        return int(self.sandbox.plant("tickets", record, by="junto-api")["id"])

    def take_in(self) -> None:
        with closing(open_ticket_source(self.connection)) as source:
            deliver(self.connection, source.ticket(str(self.number)))

    @property
    def ticket(self) -> Signal:
        return stored(self.connection, str(self.number))

    def allow(self, status: str = "Closed") -> None:
        """Adam chooses the status on the page of maintenance."""
        board = Board.objects.for_organization(self.northwind).get(name="Alerts")
        self.log_in(self.adam)
        page = self.client.get(self.path("maintenance/")).content.decode()
        assert "When an alert clears" in page
        chosen = next((one.id for one in live_statuses(self.connection, board) if one.name == status), "")
        answer = self.client.post(self.path("maintenance/cleared/"), {f"board-{board.pk}": str(chosen)}, follow=True)
        assert "Saved." in answer.content.decode()

    def clear(self) -> None:
        self.sandbox.clear_alert(self.uid)
        self.poll()
        self.drain()

    def actions(self) -> list[Action]:
        rows = Action.objects.for_organization(self.northwind).filter(origin__subject=self.ticket.origin_subject)
        return list(rows.order_by("created_at"))

    def status(self) -> str:
        """As ConnectWise really has it."""
        with closing(open_ticket_source(self.connection)) as source:
            return source.ticket(str(self.number)).status

    def writes(self) -> list[str]:
        return [row["path"].rpartition("/service/")[2] for row in self.sandbox.effects()]


class UntouchedTests(ClearedTestCase):
    def test_it_is_closed_under_the_admins_grant_once_and_the_echo_resolves_the_signal(self) -> None:
        self.allow()
        self.clear()
        (action,) = self.actions()
        assert (action.state, action.tool, action.unattended) == (
            Action.State.SUCCEEDED,
            "connectwise.set_ticket_status",
            True,
        )
        assert action.grant is not None
        assert action.grant.issued_by == self.adam
        assert self.status() == "Closed"
        assert self.writes() == [f"tickets/{self.number}"]
        self.take_in()
        self.drain()
        self.poll()
        self.drain()
        assert self.ticket.state == State.RESOLVED
        assert len(self.writes()) == 1

    def test_without_the_option_it_stays_open_and_says_so(self) -> None:
        self.clear()
        assert self.actions() == []
        assert (self.ticket.state, self.ticket.state_reason) == (State.NEW, CLEARED_AND_OPEN)
        assert self.writes() == []

    def test_without_a_grant_in_force_it_waits_for_a_person_who_may_decide_it(self) -> None:
        self.allow()
        Grant.objects.for_organization(self.northwind).update(revoked_at=timezone.now())
        self.clear()
        (action,) = self.actions()
        assert action.state == Action.State.WAITING
        assert (self.ticket.state_reason, self.writes()) == (CLEARED_CLOSING, [])
        decide_action(action_id=action.pk, actor=self.actor(self.mara), verdict=Verdict.APPROVE, digest=action.digest)
        self.drain()
        assert self.status() == "Closed"

    def test_taken_back_the_option_ends_its_grant(self) -> None:
        self.allow()
        self.allow("")
        assert not Grant.objects.for_organization(self.northwind).filter(revoked_at=None).exists()
        self.clear()
        assert self.writes() == []

    def test_while_a_repeat_stands_it_stays_open(self) -> None:
        self.allow()
        again = self.raise_alert()
        self.poll()
        assert self.signal(again).folded_into == self.ticket
        self.clear()
        assert self.actions() == []
        self.sandbox.clear_alert(again)
        self.poll()
        self.drain()
        assert self.status() == "Closed"

    def test_what_a_run_wrote_there_without_any_person_keeps_nothing_open(self) -> None:
        self.allow()
        note = registry.get("connectwise.add_internal_note")
        anything: dict[str, dict[str, Any]] = {"ticket_id": {"kind": "any"}, "text": {"kind": "any"}}
        draft = GrantDraft(kind="processor", tool=note, words="Notes", rules=anything, step="run", max_count=None)
        issue_grants(actor=self.actor(self.adam), drafts=[draft])
        origin = open_origin(
            organization=self.northwind,
            kind=Origin.Kind.BY_HAND,
            key="run",
            subject=self.ticket.origin_subject,
            mode=Origin.Mode.PROCESSOR,
            company=self.harbor,
            revision=self.ticket.revision,
        )
        propose_action(
            actor=Actor.system("agent", self.northwind),
            origin=origin,
            fence=origin.fence,
            tool_name=note.name,
            arguments={"ticket_id": self.number, "text": "Freed 20 GB."},
            call_id="closing.note",
            step="run",
        )
        self.drain()
        self.take_in()
        assert self.ticket.notes.count() == 1
        self.clear()
        assert self.status() == "Closed"

    def test_the_alert_left_behind_is_no_repeat(self) -> None:
        assert occurrences(self.ticket, most=5)[0] == 1

    def test_a_source_that_is_away_is_asked_again_by_the_sweep(self) -> None:
        self.allow()
        pause_connection(actor=self.actor(self.adam), connection=self.connection, paused=True)
        self.clear()
        assert self.actions() == []
        self.connection.refresh_from_db()
        pause_connection(actor=self.actor(self.adam), connection=self.connection, paused=False)
        tasks.close_cleared.call(str(self.ticket.pk))
        self.drain()
        assert self.status() == "Closed"


class TouchedTests(ClearedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.allow()

    def assert_kept(self) -> None:
        assert self.writes() == []
        assert self.status() == "New"
        assert (self.ticket.state in Signal.OPEN, self.ticket.state_reason) == (True, CLEARED_BUT_KEPT)

    def test_a_note_that_a_person_wrote_there_keeps_it_open_though_no_poll_told_of_it_yet(self) -> None:
        self.sandbox.plant_note(self.number, "I look at the disk.")
        self.clear()
        self.assert_kept()

    def test_so_does_any_field_that_a_person_changed_there(self) -> None:
        self.sandbox.change_ticket(self.number, summary="Disk of the lab")
        self.clear()
        self.assert_kept()

    def test_so_does_an_owner(self) -> None:
        owned = [{"op": "replace", "path": "owner", "value": {"identifier": "mara"}}]
        self.sandbox.change("tickets", self.number, owned, owner="northwind", by="junto-api")
        self.clear()
        self.assert_kept()

    def test_so_does_a_person_who_only_decided_about_what_the_agent_wanted(self) -> None:
        origin = open_origin(
            organization=self.northwind,
            kind=Origin.Kind.BY_HAND,
            key="run",
            subject=self.ticket.origin_subject,
            mode=Origin.Mode.TRIAGE,
            company=self.harbor,
            revision=self.ticket.revision,
        )
        wanted = propose_action(
            actor=Actor.system("agent", self.northwind),
            origin=origin,
            fence=origin.fence,
            tool_name="connectwise.add_internal_note",
            arguments={"ticket_id": self.number, "text": "Freed 20 GB."},
            call_id="note",
        )
        assert wanted.state == Action.State.WAITING
        mara = self.actor(self.mara)
        decide_action(action_id=wanted.pk, actor=mara, verdict=Verdict.DENY, digest=wanted.digest, reason="Not now.")
        self.clear()
        self.assert_kept()

    def test_so_does_a_person_who_works_on_it_here_while_the_close_waits_to_leave(self) -> None:
        self.sandbox.clear_alert(self.uid)
        self.poll()
        tasks.close_cleared.call(str(self.ticket.pk))
        (action,) = self.actions()
        assert action.state == Action.State.APPROVED
        claim_signal(self.ticket, actor=self.actor(self.theo))
        self.drain()
        (action,) = self.actions()
        assert (action.state, action.reason) == (Action.State.CANCELLED, f"{self.theo.user.display_name} works on it.")
        assert self.writes() == []

    def test_so_does_an_alert_that_stands_again_meanwhile(self) -> None:
        self.sandbox.clear_alert(self.uid)
        self.poll()
        tasks.close_cleared.call(str(self.ticket.pk))
        self.raise_alert()
        self.poll()
        self.drain()
        assert self.actions()[0].state == Action.State.CANCELLED
        assert self.writes() == []

    def test_so_does_one_that_stands_again_just_before_the_close_is_asked_for(self) -> None:
        self.sandbox.clear_alert(self.uid)
        self.poll()
        assert closing_wish(self.ticket) is not None
        # as a delivery leaves it that is written at this moment
        Signal.objects.for_organization(self.northwind).filter(external_id=self.uid).update(closed_at_source=False)
        assert close_cleared(self.ticket) is None
        assert (self.actions(), closing_wish(self.ticket)) == ([], None)


class DoorTests(ClearedTestCase):
    def test_a_technician_and_a_rival_cannot_set_the_option(self) -> None:
        for membership in (self.theo, self.mara):
            answer = self.log_in(membership).post(self.path("maintenance/cleared/"), {})
            assert answer.status_code == 403
        assert self.log_in(self.ines).post(self.path("maintenance/cleared/"), {}).status_code == 404

    def test_a_status_that_does_not_close_is_refused(self) -> None:
        board = Board.objects.for_organization(self.northwind).get(name="Alerts")
        self.log_in(self.adam)
        new = next(one.id for one in live_statuses(self.connection, board) if one.name == "New")
        answer = self.client.post(self.path("maintenance/cleared/"), {f"board-{board.pk}": new}, follow=True)
        assert "choose again" in answer.content.decode()
        assert not Grant.objects.for_organization(self.northwind).exists()
