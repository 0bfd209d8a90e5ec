"""A run that did not do what its runbook says waits for a person with a true sentence, whatever kept it from it."""

from __future__ import annotations

import pytest

from agent.models import AgentSession
from approvals.models import Action
from runbooks.services import archive_runbook
from tests.agent.test_runbook_runs import BODY, RunTestCase
from tests.scripted_model import Asks, Cuts, Fails, Says, Step

State = AgentSession.State


class RunThatWaitsTest(RunTestCase):
    """The runbook reads the ticket and leaves a note; nobody watches."""

    def run_with(self, *script: Step) -> AgentSession:
        """A run of the runbook on a model that plays `script`."""
        with self.model(*script):
            return self.start(mode="runbook")

    def assert_waits(self, session: AgentSession, words: str) -> None:
        """It is not over, nothing of the closing set was written, and people read why."""
        assert session.state == State.WAITING_FOR_TECHNICIAN
        assert words in self.notices(session)
        assert "time_entry" not in self.written(session)
        assert not Action.unscoped.filter(origin_id=session.origin_id, call_id__startswith="closing.").exists()

    def test_a_model_that_is_down(self) -> None:
        self.assert_waits(self.run_with(*[Fails(500)] * 10), "Nothing is lost")

    def test_a_model_that_is_down_after_the_first_step(self) -> None:
        session = self.run_with(Says("I look.", (self.look(),)), *[Fails(500)] * 10)
        self.assert_waits(session, "Nothing is lost")
        assert self.steps(session) == ["done", "pending"]

    def test_a_model_that_breaks_off_again_and_again(self) -> None:
        self.assert_waits(self.run_with(*[Cuts("The gateway sa")] * 6), "broke off twice")

    @pytest.mark.slow
    def test_a_model_that_uses_up_its_steps(self) -> None:
        endless = [Says(calls=[Asks("connectwise.list_members")])] * 60
        self.assert_waits(self.run_with(*endless), "used its 50 steps")

    def test_a_model_that_claims_success_at_once(self) -> None:
        session = self.run_with(Says("The ticket is solved, the note is written, the run is complete."))
        self.assert_waits(session, "was not done")
        assert self.steps(session) == ["pending", "pending"]

    def test_a_model_that_says_nothing_at_all(self) -> None:
        self.assert_waits(self.run_with(Says("")), "empty reply")

    def test_a_step_whose_call_is_refused(self) -> None:
        elsewhere = Asks("connectwise.add_internal_note", {"ticket_id": 1, "text": "For another ticket"})
        session = self.run_with(Says("I look.", (self.look(), elsewhere)), Says("All steps are done."))
        self.assert_waits(session, "Step 2")

    def test_a_step_whose_call_a_person_denies(self) -> None:
        archive_runbook(actor=self.actor(self.mara), runbook=self.runbook, reason="Replaced")
        self.publish(
            BODY.replace("add_internal_note(ticket_id=ticket.id)", "add_internal_note(ticket_id=ticket.id) (ask)")
        )
        with self.model(Says("I look.", (self.look(), self.note())), Says("All steps are done.")):
            session = self.start(mode="runbook")
            session = self.decide(self.waiting(session)[0], "deny", reason="Not for this customer")
        self.assert_waits(
            session, "went wrong. Try it again, mark it as done or skip it on the run's page, or take over"
        )
